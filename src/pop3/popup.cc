#include "pop3/popup.h"

#include <unistd.h>

#include <csignal>

#include "pop3/login_session.h"
#include "pop3/replies.h"
#include "posix/pipe.h"
#include "posix/server_log.h"
#include "posix/signals.h"
#include "posix/spawn.h"
#include "wire/checkpassword.h"
#include "wire/descriptors.h"

namespace postern::pop3 {
namespace {

constexpr int exit_failed = 1;

// What to tell the client when there was no session; empty: there was one, and it has ended. All
// the bytes fit into an empty pipe, so they are there before the checker is, and a checker that
// does not read them makes nobody wait.
std::string_view run_checker(std::vector<std::string> command, const std::string& credentials,
                             int in, int out) {
  // The interface has no room for more: a checker that keeps to it would say no.
  if (credentials.size() > wire::most_checkpassword_bytes) return reply::refused;
  auto pipe = make_pipe();
  if (!pipe) return reply::no_pipe;
  if (!write_all(pipe->write.get(), credentials)) return reply::unwritten;
  pipe->write.reset();

  SpawnSpec spec;
  spec.argv = std::move(command);
  spec.search_path = true;
  spec.fds = {{in, 0}, {out, 1}, {pipe->read.get(), wire::checkpassword_fd}};
  auto child = spawn(spec);
  if (!child) {
    log_warning(describe(child.error()));
    return reply::unstarted;
  }
  pipe->read.reset();
  const auto status = child->wait();
  if (!status || status->crashed()) return reply::crashed;
  return status->code() == 0 ? "" : reply::refused;
}

class Popup {
 public:
  Popup(const std::vector<std::string>& arguments, int in, int out, LineInput::Limits limits)
      : checker_(arguments.begin() + 1, arguments.end()),
        in_(in),
        out_(out),
        output_(out, limits.silence),
        // What the client sends ahead is for qmail-pop3d: not a byte of it may be read here.
        input_(in, output_, limits, 1),
        session_("<" + std::to_string(::getpid()) + "." + std::to_string(unix_time()) + "@" +
                 arguments.front() + ">") {}

  int serve() {
    if (!output_.put(session_.greet())) return exit_failed;
    std::string line;
    for (;;) {
      const LineInput::Got got = input_.next(line);
      if (got == LineInput::Got::nothing) return exit_failed;
      const LoginReply reply = got == LineInput::Got::line
                                   ? session_.feed(line)
                                   : LoginReply{.text = format_error(reply::line_too_long)};
      if (reply.credentials) return log_in(*reply.credentials);
      if (!output_.put(reply.text)) return exit_failed;
      if (reply.quit) return output_.flush() ? 0 : exit_failed;
    }
  }

 private:
  int log_in(const std::string& credentials) {
    if (!output_.flush()) return exit_failed;
    const std::string_view trouble = run_checker(std::move(checker_), credentials, in_, out_);
    if (trouble.empty()) return 0;
    (void)output_.put(format_error(trouble));
    (void)output_.flush();
    return exit_failed;
  }

  std::vector<std::string> checker_;
  int in_;
  int out_;
  BufferedOutput output_;
  LineInput input_;
  LoginSession session_;
};

}  // namespace

int serve_popup(const std::vector<std::string>& arguments, int in, int out,
                LineInput::Limits limits) {
  ignore_signal(SIGPIPE);
  if (arguments.size() < 2) {
    (void)write_all(out, format_error(reply::usage), Deadline::after(limits.silence));
    return exit_failed;
  }
  return Popup(arguments, in, out, limits).serve();
}

}  // namespace postern::pop3
