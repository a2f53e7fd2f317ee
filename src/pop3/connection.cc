#include "pop3/connection.h"

#include <unistd.h>

#include <csignal>

#include "pop3/message_encoder.h"
#include "pop3/replies.h"
#include "pop3/session.h"
#include "posix/program.h"
#include "posix/server_log.h"
#include "posix/signals.h"

namespace postern::pop3 {
namespace {

constexpr int exit_root = 1;
constexpr std::size_t piece_bytes = 32768;

class Connection {
 public:
  Connection(const Maildir& maildir, const Mailbox& mailbox, int in, int out,
             LineInput::Limits limits)
      : maildir_(maildir),
        mailbox_(mailbox),
        session_(mailbox),
        output_(out, limits.silence),
        input_(in, output_, limits) {}

  void serve() {
    open_ = put(reply::ok);
    std::string line;
    while (open_) {
      const LineInput::Got got = input_.next(line);
      if (got == LineInput::Got::nothing) return;
      open_ = got == LineInput::Got::line ? answer(session_.feed(line))
                                          : put(format_error(reply::line_too_long));
    }
  }

 private:
  bool put(std::string_view bytes) { return output_.put(bytes).has_value(); }

  // False: the session has ended.
  bool answer(const Reply& reply) {
    switch (reply.then) {
      case Reply::Then::go_on:
        return put(reply.text);
      case Reply::Then::list_sizes:
        return put(reply.text) && put_list(&Session::size_line);
      case Reply::Then::list_ids:
        return put(reply.text) && put_list(&Session::id_line);
      case Reply::Then::send_message:
        return send_message(reply);
      case Reply::Then::quit:
        quit();
        return false;
    }
    bug("unknown kind of reply");
  }

  bool put_list(std::string (Session::*line)(std::size_t) const) {
    for (std::size_t i = 0; i < mailbox_.size(); ++i) {
      if (!put((session_.*line)(i))) return false;
    }
    return put(reply::end_of_list);
  }

  bool send_message(const Reply& reply) {
    const auto file = maildir_.open_message(mailbox_, reply.message);
    if (!file) return put(format_error(reply::no_such_message));
    if (!put(reply::ok) || !send_file(file->get(), reply.body_lines)) return false;
    if (!reply.body_lines) session_.message_was_sent(reply.message);
    return true;
  }

  // A file that cannot be read to its end must not look like a shorter message: there is no reply
  // for that in the middle of one, and the connection is closed.
  bool send_file(int file, std::optional<std::uint64_t> body_lines) {
    BufferedInput bytes(file, std::chrono::milliseconds{-1}, piece_bytes);
    MessageEncoder encoder(body_lines);
    std::string encoded;
    for (bool more = true; more;) {
      const auto piece = bytes.peek();
      if (!piece) {
        log_warning(describe(piece.error()));
        return false;
      }
      encoded.clear();
      more = !piece->empty() && encoder.feed(*piece, encoded);
      bytes.consume(piece->size());
      if (!more) encoder.finish(encoded);
      if (!put(encoded)) return false;
    }
    return true;
  }

  void quit() {
    const auto updated = maildir_.update(mailbox_, session_.marks());
    if (!updated) log_warning(describe(updated.error()));
    (void)put(updated ? std::string(reply::ok) : format_error(reply::not_all_deleted));
    (void)output_.flush();
  }

  const Maildir& maildir_;
  const Mailbox& mailbox_;
  Session session_;
  BufferedOutput output_;
  LineInput input_;
  bool open_ = true;
};

int refuse(std::string_view text) {
  (void)write_all(1, format_error(text), Deadline::after(longest_silence));
  return 0;
}

}  // namespace

void serve_mailbox(const Maildir& maildir, const Mailbox& mailbox, int in, int out,
                   LineInput::Limits limits) {
  Connection(maildir, mailbox, in, out, limits).serve();
}

int serve_pop3(const std::vector<std::string>& arguments) {
  ignore_signal(SIGPIPE);
  if (::getuid() == 0 || ::geteuid() == 0) {
    log_warning("not run as root: the checker before it must become the mailbox's owner");
    return exit_root;
  }
  if (arguments.empty()) return refuse(reply::no_maildir);
  const auto maildir = Maildir::open(arguments.front());
  if (!maildir) return refuse(reply::no_maildir);
  const std::int64_t now = unix_time();
  maildir->sweep(now);
  const auto mailbox = maildir->scan(now);
  if (!mailbox) {
    log_warning(describe(mailbox.error()));
    return refuse(reply::no_scan);
  }
  serve_mailbox(*maildir, *mailbox, 0, 1);
  return 0;
}

}  // namespace postern::pop3
