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
  Courier(const Envelope& envelope, const Controls& controls, int message,
          Surroundings& surroundings)
      : envelope_(envelope), controls_(controls), message_(message), surroundings_(surroundings) {}

  std::string go(Destination destination) {
    bool anywhere = false;
    for (auto targets = destination.next(); !targets.empty(); targets = destination.next()) {
      anywhere = true;
      for (const Target& target : targets) {
        if (try_target(target)) return report_;
      }
    }
    if (!report_.empty()) return report_;
    return message_record(anywhere ? no_connection : destination.failure());
  }

 private:
  // Whether the report is final.
  bool try_target(const Target& target) {
    const std::string_view address = target.address.bytes();
    const std::string& queue = surroundings_.queue;
    const auto earlier = wire::look_up(queue, address, now(), surroundings_.pid);
    if (earlier.in_penalty) return false;
    const auto socket = surroundings_.connect(target, Deadline::after(controls_.connect_timeout));
    if (!socket) {
      if (socket.error().code == ETIMEDOUT) wire::record_timeout(queue, address, now());
      if (!is_our_shortage(socket.error().code)) return false;
      report_ = message_record(system_trouble);
      return true;
    }
    if (earlier.has_timeouts) wire::record_success(queue, address);
    Session session(envelope_, inet::format_address(target.address));
    Conversation(session, socket->get(), message_, controls_.reply_timeout).run();
    // Of servers that would not greet, the best one's answer is what a reader wants to know.
    if (report_.empty() || !session.was_not_greeted()) report_ = session.report();
    return !session.was_not_greeted();
  }

  const Envelope& envelope_;
  const Controls& controls_;
  int message_;
  Surroundings& surroundings_;
  std::string report_;  // empty until a server has been spoken to
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

std::string make_report(int argc, char** argv) {
  if (argc < 4) return message_record(invoked_improperly);
  if (!change_directory(wire::home())) return message_record(no_home);
  const auto controls = read_controls();
  if (!controls) {
    return message_record(std::string(no_controls) + describe(controls.error()) + "\n");
  }
  const Delivery delivery{argv[1], argv[2], {argv + 3, argv + argc}};
  const auto names = inet::system_name_service();
  Surroundings surroundings = system_surroundings(*names);
  return deliver(delivery, *controls, 0, surroundings);
}

}  // namespace

std::string deliver(const Delivery& delivery, const Controls& controls, int message,
                    Surroundings& surroundings) {
  if (!is_sendable(delivery.sender)) return message_record(unsendable_sender);
  if (std::ranges::none_of(delivery.recipients, is_sendable)) {
    return message_record("D" + std::string(unsendable_recipient));
  }
  auto route =
      find_route(controls.authsenders, controls.smtproutes, delivery.sender, delivery.host);
  if (!route) return message_record("Z" + route.error().what + " (#4.3.5)\n");
  Envelope envelope{controls.helohost, delivery.sender, delivery.recipients, std::nullopt,
                    message_bytes(message)};
  if (*route) envelope.credentials = (*route)->credentials;
  Courier courier(envelope, controls, message, surroundings);
  if (*route && !(*route)->relay.empty()) {
    return courier.go(Destination::relay(surroundings.directory, **route));
  }
  return courier.go(Destination::exchangers_of(surroundings.directory, delivery.host));
}

int run(int argc, char** argv) {
  ignore_signal(SIGPIPE);
  const auto written = write_all(1, make_report(argc, argv));
  return written ? exit_code::ok : exit_code::temporary;
}

}  // namespace postern::remote
