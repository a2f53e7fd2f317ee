#include "remote/deliver.h"

#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "inet/connect.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "remote/conversation.h"
#include "remote/session.h"
#include "wire/home.h"
#include "wire/kept_worker.h"
#include "wire/remote_report.h"
#include "wire/tcpto.h"

namespace postern::remote {
namespace {

// Not optimised away: qmail-rspawn looks for it in the program's file.
[[gnu::used, gnu::retain]] const auto takes_several = std::to_array(wire::takes_several_mark);

constexpr std::string_view invoked_improperly =
    "DI (qmail-remote) was invoked improperly. (#5.3.5)\n";
constexpr std::string_view no_home = "ZUnable to switch to home directory. (#4.3.0)\n";
constexpr std::string_view no_controls = "ZUnable to read control files. (#4.3.0)\n";
constexpr std::string_view no_connection =
    "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";
constexpr std::string_view system_trouble = "ZSystem resources temporarily unavailable. (#4.3.0)\n";
constexpr std::string_view unable_to_read = "ZUnable to read message. (#4.3.0)\n";
constexpr std::string_view unsendable_sender =
    "DSorry, SMTP cannot carry the characters of the sender's address. (#5.1.7)\n";

std::string message_record(std::string_view text) {
  return wire::format_remote_record(text.front(), text.substr(1));
}

bool is_our_shortage(int code) {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

std::uint64_t now() { return static_cast<std::uint64_t>(unix_time()); }

// How much of the message there is to read; nothing when it is no file.
std::optional<std::uint64_t> message_bytes(int message) {
  const auto info = stat_open_file(message);
  const off_t at = ::lseek(message, 0, SEEK_CUR);
  if (!info || !S_ISREG(info->st_mode) || at < 0 || info->st_size < at) return std::nullopt;
  return static_cast<std::uint64_t>(info->st_size - at);
}

// Goes from address to address until a server has greeted us.
class Courier {
 public:
  Courier(Envelope envelope, Terms terms, const Controls& controls, int message,
          Surroundings& surroundings)
      : envelope_(std::move(envelope)),
        terms_(std::move(terms)),
        controls_(controls),
        message_(message),
        begin_(::lseek(message, 0, SEEK_CUR)),
        surroundings_(surroundings) {}

  Outcome go(OpenConnection& connection) {
    if (go_over(connection)) return {report_};
    connection.reset();
    return terms_.route && !terms_.route->relay.empty()
               ? go(Destination::relay(surroundings_.directory, *terms_.route), connection)
               : go(Destination::exchangers_of(surroundings_.directory, terms_.host), connection);
  }

 private:
  // Whether the connection that stayed has brought a report. A server that has gone meanwhile is
  // not spoken of: then all is as if there had been none.
  bool go_over(OpenConnection& connection) {
    // begin_: a message that cannot be read again can be sent to one server only.
    if (!connection || begin_ < 0 || !connection->serves(terms_)) return false;
    connection->go_on(envelope_);
    const Session& session = connection->deliver(message_, controls_.reply_timeout);
    if (session.is_stale() && ::lseek(message_, begin_, SEEK_SET) >= 0) return false;
    report_ = session.is_stale() ? message_record(unable_to_read) : session.report();
    if (!session.is_open()) connection.reset();
    return true;
  }

  Outcome go(Destination destination, OpenConnection& connection) {
    bool anywhere = false;
    for (auto targets = destination.next(); !targets.empty(); targets = destination.next()) {
      for (const Target& target : targets) {
        auto made = try_target(target);
        if (!is_final_) continue;
        // A worse exchanger is to be used no longer than the best are down.
        const bool best = !anywhere;
        if (best && made && made->is_open()) connection = std::move(made);
        return {report_};
      }
      anywhere = true;
    }
    if (!report_.empty()) return {report_};
    if (!anywhere) return {message_record(destination.failure())};
    return {message_record(no_connection), controls_.authsenders.empty()};
  }

  // The connection, if there was one; is_final_: there is a report, and nobody else is asked.
  OpenConnection try_target(const Target& target) {
    const std::string_view address = target.address.bytes();
    const std::string& queue = surroundings_.queue;
    const auto earlier = wire::look_up(queue, address, now(), surroundings_.pid);
    if (earlier.in_penalty) return nullptr;
    auto socket = surroundings_.connect(target, Deadline::after(controls_.connect_timeout));
    if (!socket) {
      if (socket.error().code == ETIMEDOUT) wire::record_timeout(queue, address, now());
      if (!is_our_shortage(socket.error().code)) return nullptr;
      report_ = message_record(system_trouble);
      is_final_ = true;
      return nullptr;
    }
    if (earlier.has_timeouts) wire::record_success(queue, address);
    auto connection = std::make_unique<Connection>(terms_, std::move(*socket), envelope_,
                                                   inet::format_address(target.address));
    const Session& session = connection->deliver(message_, controls_.reply_timeout);
    // Of servers that would not greet, the best one's answer is what a reader wants to know.
    if (report_.empty() || !session.was_not_greeted()) report_ = session.report();
    is_final_ = !session.was_not_greeted();
    return connection;
  }

  Envelope envelope_;
  Terms terms_;
  const Controls& controls_;
  int message_;
  off_t begin_;  // of the message
  Surroundings& surroundings_;
  std::string report_;  // empty until a server has been spoken to
  bool is_final_ = false;
};

Surroundings system_surroundings(inet::NameService& names) {
  std::uint32_t seed = 0;
  // Without it the order of equal preferences is the same each time, which harms nobody.
  [[maybe_unused]] const ssize_t got = ::getrandom(&seed, sizeof seed, GRND_NONBLOCK);
  return {.directory = {names, inet::read_own_addresses, seed},
          .connect =
              [](const Target& target, Deadline deadline) {
                return inet::connect_to(target.address, target.port, deadline);
              },
          .queue = "queue",
          .pid = static_cast<std::uint64_t>(::getpid())};
}

Outcome carry_out(std::span<const std::string> arguments, int message, OpenConnection& connection) {
  if (arguments.size() < 3) return {message_record(invoked_improperly)};
  if (!change_directory(wire::home())) return {message_record(no_home)};
  const auto controls = read_controls();
  if (!controls) {
    return {message_record(std::string(no_controls) + describe(controls.error()) + "\n")};
  }
  const auto recipients = arguments.subspan(2);
  const Delivery delivery{arguments[0], arguments[1], {recipients.begin(), recipients.end()}};
  const auto names = inet::system_name_service();
  Surroundings surroundings = system_surroundings(*names);
  return deliver(delivery, *controls, message, surroundings, connection);
}

}  // namespace

Outcome deliver(const Delivery& delivery, const Controls& controls, int message,
                Surroundings& surroundings, OpenConnection& connection) {
  if (!is_sendable(delivery.sender)) return {message_record(unsendable_sender)};
  if (std::ranges::none_of(delivery.recipients, is_sendable)) {
    return {message_record("D" + std::string(unsendable_recipient))};
  }
  auto route =
      find_route(controls.authsenders, controls.smtproutes, delivery.sender, delivery.host);
  if (!route) return {message_record("Z" + route.error().what + " (#4.3.5)\n")};
  Envelope envelope{controls.helohost, delivery.sender, delivery.recipients, std::nullopt,
                    message_bytes(message)};
  if (*route) envelope.credentials = (*route)->credentials;
  Courier courier(std::move(envelope), {delivery.host, controls.helohost, std::move(*route)},
                  controls, message, surroundings);
  return courier.go(connection);
}

int run(std::span<char* const> arguments) {
  ignore_signal(SIGPIPE);
  const std::string_view name = arguments.empty() ? "" : arguments.front();
  auto worker = wire::KeptWorker::from_environment(name, wire::remote_program);
  std::vector<std::string> words(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  Fd message(0);
  for (OpenConnection connection;;) {
    const Outcome outcome = carry_out(words, message.get(), connection);
    if (!write_all(1, outcome.report)) return exit_code::temporary;
    message.reset();  // the text may be large, and as a file without a name still hold its number
    auto order = worker.next(outcome.host_unreachable ? wire::host_unreachable : exit_code::ok);
    if (!order) return exit_code::temporary;
    if (!*order) return exit_code::ok;
    words = std::move((*order)->arguments);
    message = std::move((*order)->message);
  }
}

}  // namespace postern::remote
