// A POP3 client that says anything, before its login and after it, and messages on their way to it.
#include <filesystem>

#include "base/ascii.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "pop3/connection.h"
#include "pop3/login_session.h"
#include "pop3/message_encoder.h"
#include "pop3/session.h"
#include "support/temporary_directory.h"

namespace postern::fuzz {
namespace {

// "+OK" or "-ERR", text, CR LF; what follows in a list or a capability is not looked at.
void check_reply(std::string_view text) {
  const std::size_t end = text.find("\r\n");
  require(end != text.npos && is_printable(text.substr(0, end)), "a reply is lines of text");
  require(text.starts_with("+OK ") || text.starts_with("-ERR "), "that say whether it went well");
}

void login(std::string_view bytes) {
  pop3::LoginSession session("<1.2@mx.example>");
  Input rest(bytes);
  while (!rest.rest().empty()) {
    const pop3::LoginReply reply = session.feed(rest.line());
    if (reply.credentials) {
      require(std::ranges::count(*reply.credentials, '\0') == 3, "a checker is told three things");
      require(!reply.credentials->starts_with('\0'), "the first is a user");
      return;
    }
    check_reply(reply.text);
    if (reply.quit) return;
  }
}

// RFC 1939 3: what a client makes of the lines it gets.
std::string decoded(std::string_view encoded) {
  require(encoded.ends_with(".\r\n"), "a message has an end");
  encoded.remove_suffix(3);
  std::string message;
  while (!encoded.empty()) {
    const std::size_t end = encoded.find('\n');
    require(end != encoded.npos && end > 0 && encoded[end - 1] == '\r', "lines end in CR LF");
    std::string_view line = encoded.substr(0, end - 1);
    require(line != ".", "and none of them is the end");
    if (line.starts_with('.')) line.remove_prefix(1);
    message.append(line).append("\n");
    encoded.remove_prefix(end + 1);
  }
  return message;
}

std::string with_plain_lines(std::string_view message) {
  std::string plain;
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    std::string_view line = message.substr(0, end);
    // A CR at the very end is taken for half of a line's end.
    if (line.ends_with('\r')) line.remove_suffix(1);
    plain.append(line).append("\n");
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  return plain;
}

void message(std::string_view bytes) {
  pop3::MessageEncoder whole;
  pop3::MessageEncoder pieced;
  std::string encoded;
  std::string again;
  whole.feed(bytes, encoded);
  whole.finish(encoded);
  in_pieces(bytes, [&](std::string_view piece) { pieced.feed(piece, again); });
  pieced.finish(again);
  require(encoded == again, "a message is the same in pieces");
  require(decoded(encoded) == with_plain_lines(bytes), "and comes back");
}

void session(std::string_view bytes) {
  pop3::Mailbox mailbox;
  mailbox.add(pop3::Folder::fresh, "1.a.host", 100, 1);
  mailbox.add(pop3::Folder::seen, "2.b\n.host:2,RS", 200, 2);
  mailbox.add(pop3::Folder::seen, ":2,", 0, 3);
  mailbox.sort();
  pop3::Session session(mailbox);
  Input rest(bytes);
  while (!rest.rest().empty()) {
    const pop3::Reply reply = session.feed(rest.line());
    if (reply.then == pop3::Reply::Then::quit) return;
    if (reply.then == pop3::Reply::Then::send_message) {
      require(reply.message < mailbox.size() && !session.marks().deleted[reply.message],
              "what is sent is there");
      session.message_was_sent(reply.message);
    } else {
      check_reply(reply.text);
    }
    for (std::size_t i = 0; i < mailbox.size(); ++i) {
      require(is_printable(session.id_line(i).substr(0, session.id_line(i).find('\r'))),
              "an id is text");
    }
  }
}

bool says_quit(std::string_view bytes) { return lower(bytes).contains("quit"); }

void connection(std::string_view bytes) {
  namespace fs = std::filesystem;
  static const test::TemporaryDirectory directory;
  for (const char* part : {"Maildir/tmp", "Maildir/new", "Maildir/cur"})
    fs::create_directories(part);
  write_file("Maildir/new/1.a.host", "Subject: a\n\n.a\n");
  write_file("Maildir/cur/2.b.host:2,R", "Subject: b\n\nb");
  const auto maildir = pop3::Maildir::open("Maildir");
  require(maildir.has_value(), "a Maildir can be opened");
  const auto mailbox = maildir->scan(INT64_MAX);
  require(mailbox && mailbox->size() == 2, "and its messages are there");
  const Fd in = memory_file(bytes);
  const Fd out = memory_file();
  pop3::serve_mailbox(*maildir, *mailbox, in.get(), out.get());
  check_reply(contents_of(out));
  const bool is_untouched =
      fs::exists("Maildir/new/1.a.host") && fs::exists("Maildir/cur/2.b.host:2,R");
  require(is_untouched || says_quit(bytes), "nothing changes before QUIT");
  fs::remove_all("Maildir");
}

constexpr std::array tries = {login, message, session, connection};

}  // namespace

void try_input(Input input) { tries[input.choose(tries.size())](input.rest()); }

}  // namespace postern::fuzz
