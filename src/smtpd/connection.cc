#include "smtpd/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "posix/files.h"
#include "posix/io.h"
#include "posix/server_log.h"
#include "posix/signals.h"
#include "smtpd/checker_program.h"
#include "smtpd/own_addresses.h"
#include "smtpd/recipient_program.h"
#include "smtpd/replies.h"
#include "smtpd/spp_program.h"
#include "wire/home.h"
#include "wire/message_queue.h"

namespace postern::smtpd {
namespace {

constexpr int exit_code_of_a_broken_session = 1;
constexpr std::size_t output_bytes = 8192;
constexpr std::chrono::seconds longest_farewell{5};

class Connection {
 public:
  Connection(Session& session, const Patience& patience, int in, int out)
      : session_(session),
        in_(in),
        out_(out),
        input_(in, patience.timeout),
        output_(out, patience.timeout, output_bytes),
        latest_end_(Deadline::after(patience.session)),
        most_command_bytes_(patience.command_bytes) {}

  int serve() {
    send(session_.greet());
    while (!exit_) session_.in_data() ? take_data() : take_line();
    return *exit_;
  }

 private:
  // Replies go out when there is nothing left to read, so that a client that sends commands in one
  // go gets the answers in one go (RFC 2920).
  std::string_view next_bytes() {
    if (!input_.buffered().empty()) return input_.buffered();
    if (!output_.flush()) return end(exit_code_of_a_broken_session);
    const auto bytes = input_.peek();
    if ((!bytes && bytes.error().code == ETIMEDOUT) || latest_end_.passed()) {
      send(session_.time_out());
      return {};
    }
    if (!bytes || bytes->empty()) return end(exit_code_of_a_broken_session);
    return *bytes;
  }

  void take_data() {
    const std::string_view bytes = next_bytes();
    if (bytes.empty()) return;
    const Session::Taken taken = session_.feed_data(bytes);
    input_.consume(taken.bytes);
    answer_input(taken.answer);
  }

  // Where we close the connection, and not the client, it may still be sending.
  void answer_input(const Answer& answer) {
    send(answer);
    if (exit_.value_or(0) != 0) say_farewell();
  }

  // A connection closed with input unread is reset, and the client would never see what we said
  // last.
  void say_farewell() const {
    if (::shutdown(out_, SHUT_WR) != 0) return;
    const Deadline deadline = Deadline::after(longest_farewell);
    char unread[4096];
    for (auto count = read_some(in_, unread, deadline); count && *count > 0;) {
      count = read_some(in_, unread, deadline);
    }
  }

  void take_line() {
    const std::string_view bytes = next_bytes();
    if (bytes.empty()) return;
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    too_long_ = too_long_ || part.size() > Session::most_line_bytes + 1 - line_.size();
    if (!too_long_) line_ += part;
    command_bytes_ += part.size() + 1;
    input_.consume(end == std::string_view::npos ? part.size() : end + 1);
    if (command_bytes_ > most_command_bytes_) return answer_input(Session::too_many_commands());
    if (end == std::string_view::npos) return;
    const Answer answer = too_long_ ? session_.line_too_long() : session_.feed_line(line_);
    line_.clear();
    too_long_ = false;
    answer_input(answer);
  }

  void send(const Answer& answer) {
    if (!answer.log.empty()) log_warning(answer.log);
    if (answer.pause.count() > 0) {
      (void)output_.flush();
      std::this_thread::sleep_for(answer.pause);
    }
    const bool sent = output_.put(answer.text) && (!answer.exit || output_.flush());
    if (!sent) end(exit_code_of_a_broken_session);
    if (answer.exit) end(*answer.exit);
  }

  std::string_view end(int code) {
    exit_ = code;
    return {};
  }

  Session& session_;
  int in_;
  int out_;
  BufferedInput input_;
  BufferedOutput output_;
  Deadline latest_end_;
  std::uint64_t most_command_bytes_;
  std::uint64_t command_bytes_ = 0;
  std::string line_;  // the beginning of a command
  bool too_long_ = false;
  std::optional<int> exit_;
};

int refuse_to_serve(const Error& error) {
  log_warning(describe(error));
  (void)write_all(1, format_reply(reply::no_controls), Deadline::after(std::chrono::minutes(1)));
  return exit_code_of_a_broken_session;
}

}  // namespace

int serve_client(Session& session, const Patience& patience, int in, int out) {
  return Connection(session, patience, in, out).serve();
}

const Program smtpd_program = {.name = "qmail-smtpd",
                               .out_of_memory = exit_code_of_a_broken_session,
                               .out_of_memory_text = reply::out_of_memory,
                               .out_of_memory_fd = 1};

ServedClient serve_smtp(const std::vector<std::string>& arguments, wire::MessageQueue& queue) {
  ignore_signal(SIGPIPE);
  if (auto changed = change_directory(wire::home()); !changed) {
    return {.exit_code = refuse_to_serve(changed.error())};
  }
  auto settings = read_settings(arguments);
  if (!settings) return {.exit_code = refuse_to_serve(settings.error())};

  CheckerProgram checker(settings->auth);
  RecipientProgram recipient_check(settings->recipient_check);
  SppProgram plugins;
  OwnAddresses addresses;
  const auto timeout = settings->timeout;
  Session session(std::move(*settings), {.checker = checker,
                                         .queue = queue,
                                         .recipient_check = recipient_check,
                                         .plugins = plugins,
                                         .addresses = addresses,
                                         .now = unix_time,
                                         .pid = ::getpid()});
  const int exit_code = serve_client(session, {.timeout = timeout}, 0, 1);
  return {.exit_code = exit_code, .has_seen_auth = session.has_seen_auth()};
}

}  // namespace postern::smtpd
