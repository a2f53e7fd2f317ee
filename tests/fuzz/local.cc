// What qmail-local and the loggers read: .qmail files, messages, addresses, lines.
#include <syslog.h>

#include "base/ascii.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "local/dot_qmail.h"
#include "local/from_quoter.h"
#include "local/message.h"
#include "local/recipient.h"
#include "local/search.h"
#include "start/remote_identity.h"
#include "start/syslog_lines.h"

namespace postern::fuzz {
namespace {

using local::Instruction;

void dot_qmail(std::string_view text) {
  for (const bool forward_only : {false, true}) {
    const auto parsed = local::parse_dot_qmail(text, forward_only);
    require(parsed.problem || !text.empty(), "an empty file is not no delivery");
    for (const auto& [kind, word] : parsed.instructions) {
      require(word.find_first_of(std::string_view("\0\n", 2)) == word.npos, "a line is one line");
      require(kind == Instruction::Kind::forward || !forward_only, "the x bit is kept to");
      const bool is_path = word.starts_with('/') || word.starts_with('.');
      if (kind == Instruction::Kind::maildir)
        require(is_path && word.ends_with('/'), "a directory");
      if (kind == Instruction::Kind::mbox) require(is_path && !word.ends_with('/'), "a file");
    }
    if (parsed.problem) require(is_printable(parsed.problem->text), "a problem is one line");
  }
}

// mbox(5), "mboxrd": a reader takes one '>' off each line of '>'s and "From ".
std::string unquoted(std::string_view text) {
  std::string message;
  while (!text.empty()) {
    std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(line.size());
    const std::size_t start = std::min(line.find_first_not_of('>'), line.size());
    const bool is_quoted = line.substr(start).starts_with("From ");
    require(!is_quoted || start > 0, "no line begins another message");
    if (is_quoted) line.remove_prefix(1);
    message += line;
  }
  return message;
}

void mbox(std::string_view message) {
  local::FromQuoter whole;
  local::FromQuoter pieced;
  std::string quoted;
  std::string again;
  whole.feed(message, quoted);
  in_pieces(message, [&](std::string_view piece) { pieced.feed(piece, again); });
  whole.finish(quoted);
  pieced.finish(again);
  require(quoted == again, "an mbox is the same in pieces");
  const std::string line_end = message.empty() || message.ends_with('\n') ? "" : "\n";
  require(unquoted(quoted) == std::string(message) + line_end + "\n", "a message comes back");
}

void loops(std::string_view bytes) {
  const Fd file = memory_file(bytes);
  const auto message = local::Message::open(file.get());
  require(message.has_value(), "a file can be read");
  const std::string line = "Delivered-To: joe@example.org\n";
  const auto found = local::has_header_line(*message, line);
  const std::string with_line_before = "\n" + std::string(bytes);
  const std::size_t end = with_line_before.find("\n\n");
  require(found && *found == with_line_before.substr(0, end == std::string::npos ? end : end + 1)
                                 .contains("\n" + line),
          "a loop is a line of the header");
}

void recipient(std::string_view text) {
  const std::string extension(text.substr(0, text.find('\n')));
  const std::string safe = local::safe_extension(extension);
  require(!safe.contains('.') && safe == lower(safe) && safe.size() == extension.size(),
          "no extension names a directory above");
  const local::Recipient to{.user = "joe",
                            .home = "/home/joe",
                            .local = std::string(text),
                            .dash = "-",
                            .extension = extension,
                            .host = std::string(text),
                            .sender = std::string(text),
                            .default_delivery = "./Maildir/"};
  for (const std::string& line :
       {local::format_delivered_to(to), local::format_return_path(to.sender),
        local::format_from_line(to.sender, 1)}) {
    require(line.find('\n') == line.size() - 1, "a line is one line");
  }
  for (const auto& [name, value] : local::format_variables(to, 1)) {
    require(!name.empty() && value.size() <= 4 * text.size() + 200, "a variable has a value");
  }
}

void syslog_lines(std::string_view bytes) {
  start::SyslogLines whole;
  start::SyslogLines pieced;
  auto messages = whole.feed(bytes, "1.000001");
  std::vector<start::SyslogMessage> again;
  in_pieces(bytes, [&](std::string_view piece) {
    const auto more = pieced.feed(piece, "1.000001");
    again.insert(again.end(), more.begin(), more.end());
  });
  require(messages == again && whole.finish("2") == pieced.finish("2"),
          "syslog's lines are the same in pieces");
  for (const auto& [priority, text] : messages) {
    require(is_printable(text), "what is logged holds no controls");
    require(text.size() <= start::most_syslog_bytes + 10, "and has a limit");
    require(priority == LOG_INFO || priority == LOG_WARNING || priority == LOG_ALERT,
            "it is sorted");
  }
}

void ident(std::string_view line) {
  const auto user = start::parse_ident_reply(line);
  if (user) require(!user->contains('\0') && user->size() <= line.size(), "a user is in the reply");
}

constexpr std::array tries = {dot_qmail, mbox, loops, recipient, syslog_lines, ident};

}  // namespace

void try_input(Input input) { tries[input.choose(tries.size())](input.rest()); }

}  // namespace postern::fuzz
