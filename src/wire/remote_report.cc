#include "wire/remote_report.h"

#include "base/ascii.h"

namespace postern::wire {
namespace {

bool is_message_letter(char c) { return c == 'K' || c == 'Z' || c == 'D'; }

// How good a letter is: K 1, Z 0, D -1, as a message's result limits a recipient's.
int rank(char letter) { return letter == 'K' ? 1 : letter == 'Z' ? 0 : -1; }

// Takes one terminated record off `output`; empty when there is none.
std::string_view take_terminated(std::string_view& output) {
  const std::size_t end = output.find('\0');
  if (end == std::string_view::npos) {
    output = {};
    return {};
  }
  const std::string_view record = output.substr(0, end);
  output.remove_prefix(end + 1);
  return record;
}

bool is_verdict(char c) {
  using enum RecipientVerdict;
  return c == static_cast<char>(accepted) || c == static_cast<char>(permanent) ||
         c == static_cast<char>(temporary);
}

// The first record that speaks of the message as a whole; D without text when there is none.
char message_letter(std::string_view output) {
  while (!output.empty()) {
    const std::string_view record = take_terminated(output);
    if (!record.empty() && is_message_letter(record.front())) return record.front();
  }
  return 'D';
}

}  // namespace

std::string format_remote_record(char letter, std::string_view text) {
  return std::string(1, letter).append(replace_all(text, '\0', '?')).append(1, '\0');
}

std::string combine_remote_report(std::string_view output) {
  if (output.empty()) return "Zqmail-remote produced no output.\n";
  const char message = message_letter(output);
  const std::string_view first = take_terminated(output);
  char letter = message;
  if (first.starts_with('s')) letter = 'Z';
  if (first.starts_with('h')) letter = 'D';

  std::string report(1, letter);
  if (!first.empty()) report += first.substr(1);
  if (rank(message) <= rank(letter)) {
    const std::string_view next = take_terminated(output);
    if (!next.empty() && is_message_letter(next.front())) report += next.substr(1);
  }
  return report;
}

std::vector<std::string> combine_remote_reports(std::string_view output, std::size_t recipients) {
  if (recipients == 1) return {combine_remote_report(output)};
  const auto all = [&](std::string_view text) {
    return std::vector<std::string>(recipients, std::string(text));
  };
  if (output.empty()) return all(combine_remote_report(output));
  std::vector<std::string> told;
  std::string_view record = take_terminated(output);
  for (; !record.empty() && is_verdict(record.front()); record = take_terminated(output)) {
    told.emplace_back(record).push_back('\0');
  }
  // The conversation may have failed before anybody was asked about (any failure), or in the middle
  // (one that is temporary).
  const bool has_end = !record.empty() && is_message_letter(record.front());
  const bool may_be_short =
      has_end && (record.front() == 'Z' || (record.front() == 'D' && told.empty()));
  if (!has_end || (told.size() < recipients && !may_be_short)) {
    return all("Zqmail-remote did not report on every recipient.\n");
  }
  told.resize(recipients);
  for (std::string& records : told) {
    records.append(record).push_back('\0');
    records = combine_remote_report(records);
  }
  return told;
}

}  // namespace postern::wire
