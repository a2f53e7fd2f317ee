#include "send/log.h"

#include "base/sanitize.h"
#include "posix/io.h"

namespace postern::send {
namespace {

// A turn of the loop may log thousands of lines; they need not all be held.
constexpr std::size_t most_gathered_bytes = 65536;

std::string_view word_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::success:
      return "success: ";
    case Outcome::failure:
      return "failure: ";
    case Outcome::deferral:
      return "deferral: ";
  }
  bug("unknown outcome of a delivery");
}

}  // namespace

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string format_status(const DeliveryCounts& counts) {
  return joined({"status: local ", std::to_string(counts.local.running), "/",
                 std::to_string(counts.local.limit), " remote ",
                 std::to_string(counts.remote.running), "/", std::to_string(counts.remote.limit),
                 counts.exiting ? " exitasap" : ""});
}

std::string format_new_message(wire::MessageId id) { return "new msg " + std::to_string(id); }

std::string format_message_info(const NewMessage& message) {
  return joined({"info msg ", std::to_string(message.id), ": bytes ", std::to_string(message.bytes),
                 " from <", sanitize_for_log(message.sender), "> qp ", std::to_string(message.pid),
                 " uid ", std::to_string(message.uid)});
}

std::string format_start(std::uint64_t delivery, wire::MessageId id, Channel channel,
                         std::string_view address) {
  return joined({"starting delivery ", std::to_string(delivery), ": msg ", std::to_string(id),
                 " to ", name_of(channel), " ", sanitize_for_log(address)});
}

std::string format_outcome(std::uint64_t delivery, Outcome outcome, std::string_view text) {
  return joined(
      {"delivery ", std::to_string(delivery), ": ", word_for(outcome), sanitize_for_log(text)});
}

std::string format_mangled_report(std::uint64_t delivery) {
  return joined({"delivery ", std::to_string(delivery), ": report mangled, will defer"});
}

void Log::line(std::string_view text) {
  lines_ += text;
  lines_ += '\n';
  if (lines_.size() >= most_gathered_bytes) flush();
}

void Log::warning(std::initializer_list<std::string_view> parts) {
  line("warning: " + joined(parts));
}

void Log::alert(std::initializer_list<std::string_view> parts) {
  line("alert: " + joined(parts));
  flush();
}

void Log::flush() {
  if (lines_.empty()) return;
  // A logger that has gone away is no reason to stop delivering, and there is nowhere to say so.
  (void)write_all(fd_, lines_);
  lines_.clear();
}

}  // namespace postern::send
