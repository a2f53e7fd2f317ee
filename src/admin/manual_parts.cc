#include "admin/manual_parts.h"

#include <algorithm>
#include <vector>

#include "admin/control_sample.h"
#include "control/table.h"
#include "wire/queue_exit.h"

namespace postern::admin {
namespace {

using control::Default;
using control::Spec;

constexpr std::string_view begin_mark = ".\\\" generated: ";
constexpr std::string_view end_mark = ".\\\" end of generated";
constexpr std::string_view list_end = ".El\n";

// Text that mdoc(7) shows as it is: no line of it is a macro, no backslash an escape.
std::string plain_line(std::string_view line) {
  std::string plain;
  if (line.starts_with('.') || line.starts_with('\'')) plain += "\\&";
  for (const char c : line) c == '\\' ? plain += "\\e" : plain += c;
  return plain + "\n";
}

std::string plain_lines(std::string_view lines) {
  std::string plain;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    plain += plain_line(lines.substr(0, end));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return plain;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// "qmail-smtpd qmail-qmtpd" as references; "run scripts", "everything" and "rc" as words.
std::string format_readers(const Spec& spec) {
  const auto words = words_of(spec.readers);
  if (!words.front().starts_with("qmail-")) {
    return "Read by " + std::string(spec.readers) + ".\n";
  }
  std::string text = "Read by\n";
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view mark = i + 1 == words.size() ? " ." : i + 2 == words.size() ? "" : " ,";
    text.append(".Xr ").append(words[i]).append(" 8").append(mark).append("\n");
    if (mark.empty()) text += "and\n";
  }
  return text;
}

std::string format_entry(const Spec& spec) {
  std::string text = ".It Pa control/" + std::string(spec.file) + "\n";
  text += plain_line(spec.meaning);
  return text + "Absent: " + describe_default(spec) + ".\n";
}

std::string format_control_table() {
  std::string text = ".Bl -tag -width Ds\n";
  for (const Spec& spec : control::table) {
    text += format_entry(spec) + plain_lines(describe_form(spec.kind)) + format_readers(spec);
    text += ".Bd -literal -offset indent\n" + plain_lines(sample_lines(spec)) + ".Ed\n";
  }
  return text.append(list_end);
}

// control/me stands in for others, so that whoever reads one of those reads it.
Result<std::string> format_control_files(std::string_view program) {
  const auto reads = [&](const Spec& spec) {
    const auto readers = words_of(spec.readers);
    return std::ranges::find(readers, program) != readers.end();
  };
  const bool needs_me = std::ranges::any_of(control::table, [&](const Spec& spec) {
    return reads(spec) && spec.otherwise == Default::me;
  });
  std::string text;
  for (const Spec& spec : control::table) {
    if (reads(spec) || (needs_me && spec.file == "me")) text += format_entry(spec);
  }
  if (text.empty()) return failure("no control file is read by " + std::string(program));
  return ".Bl -tag -width Ds\n" + text.append(list_end);
}

std::string format_queue_exits() {
  std::string text = ".Bl -tag -width Ds\n.It 0\nThe message is in the queue, durably.\n";
  for (const auto& [code, text_for_sender, meaning] : wire::queue_exit_meanings()) {
    text += ".It " + std::to_string(static_cast<int>(code)) + "\n" + plain_line(meaning);
    text += text_for_sender.starts_with('D') ? "Permanent:\n" : "Temporary:\n";
    text.append(".Qq ").append(text_for_sender.substr(1)) += "\n";
  }
  return text.append(list_end);
}

Result<std::string> make_part(std::string_view part) {
  constexpr std::string_view control_files = "control-files ";
  if (part == "control-table") return format_control_table();
  if (part == "queue-exits") return format_queue_exits();
  if (part.starts_with(control_files)) {
    return format_control_files(part.substr(control_files.size()));
  }
  return failure("no part of a page is called \"" + std::string(part) + "\"");
}

}  // namespace

Result<std::string> fill_page(std::string_view page) {
  std::string filled;
  std::size_t begun = 0;  // the line with the begin mark of the part that we are in; 0: none
  for (std::size_t number = 1; !page.empty(); ++number) {
    const std::size_t end = std::min(page.find('\n'), page.size() - 1);
    const std::string_view line = page.substr(0, end);
    const bool is_end = line == end_mark;
    if (is_end) begun = 0;
    if (begun == 0) filled += page.substr(0, end + 1);
    if (line.starts_with(begin_mark)) {
      const auto part = make_part(line.substr(begin_mark.size()));
      if (!part) return failure("line " + std::to_string(number) + ": " + part.error().what);
      filled += *part;
      begun = number;
    }
    page.remove_prefix(end + 1);
  }
  if (begun == 0) return filled;
  return failure("line " + std::to_string(begun) + ": this part has no end");
}

}  // namespace postern::admin
