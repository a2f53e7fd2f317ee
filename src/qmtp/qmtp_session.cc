#include "qmtp/qmtp_session.h"

#include "base/netstring.h"
#include "posix/program.h"

namespace postern::qmtp {
namespace {

constexpr std::string_view bad_sender_text = "Dunacceptable sender (#5.1.7)";
constexpr std::string_view too_large_text =
    "Dsorry, that message size exceeds my databytes limit (#5.3.4)";
constexpr std::string_view not_allowed_text =
    "Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)";
constexpr std::string_view unusable_text = "Dsorry, I can't handle that recipient (#5.1.3)";
constexpr std::string_view too_many_text = "Zsorry, too many recipients (#4.5.3)";

}  // namespace

QmtpSession::QmtpSession(QmtpPolicy policy, const Services& services, const wire::Peer& peer)
    : policy_(std::move(policy)),
      intake_(services, peer, "QMTP", policy_.most_bytes),
      parser_(PackageParser::Layout::qmtp, *this) {}

void QmtpSession::begin() {
  line_end_.reset();
  cr_is_held_ = false;
  bad_sender_ = false;
  verdicts_.clear();
  refused_beyond_ = 0;
  any_accepted_ = false;
}

Answer QmtpSession::feed(std::string_view& bytes) {
  const PackageParser::State state = parser_.feed(bytes);
  if (!broken_) broken_ = end_of(state);
  if (broken_) return *broken_;
  if (state != PackageParser::State::complete) return {};
  Answer answer{.text = replies()};
  begin();
  return answer;
}

void QmtpSession::message(std::string_view bytes) {
  if (broken_) return;
  if (!line_end_) {
    line_end_ = bytes.front();
    bytes.remove_prefix(1);
    if (*line_end_ != '\n' && *line_end_ != '\r') {
      broken_ = end(exit_code::permanent);
      return;
    }
    if (auto opened = intake_.open(); !opened) {
      broken_ = end(exit_code::temporary, describe(opened.error()));
      return;
    }
  }
  *line_end_ == '\r' ? write_without_crs(bytes) : intake_.write(bytes);
}

// CR LF is a line's end, and LF in the queue; any other CR is part of the line.
void QmtpSession::write_without_crs(std::string_view bytes) {
  while (!bytes.empty()) {
    if (cr_is_held_ && bytes.front() != '\n') intake_.write("\r");
    const std::size_t cr = bytes.find('\r');
    intake_.write(bytes.substr(0, cr));
    cr_is_held_ = cr != std::string_view::npos;
    bytes.remove_prefix(cr_is_held_ ? cr + 1 : bytes.size());
  }
}

void QmtpSession::end_message() {
  // Not even the byte that says how its lines end.
  if (!line_end_) broken_ = end(exit_code::permanent);
  if (!broken_ && cr_is_held_) intake_.write("\r");
}

void QmtpSession::sender(std::optional<std::string_view> address) {
  bad_sender_ = !address;
  if (bad_sender_) intake_.give_up();
  intake_.sender(address.value_or(""));
}

void QmtpSession::recipient(std::optional<std::string_view> address) {
  if (broken_) return;
  const Verdict verdict = judge(address);
  if (verdict == Verdict::one_too_many) {
    if (++refused_beyond_ > policy_.most_recipients)
      broken_ = end(exit_code::temporary, "too many recipients");
    return;
  }
  verdicts_.push_back(verdict);
  if (verdict != Verdict::accepted) return;
  any_accepted_ = true;
  intake_.recipient(std::string(*address).append(policy_.relay_client.value_or("")));
}

QmtpSession::Verdict QmtpSession::judge(std::optional<std::string_view> address) {
  if (verdicts_.size() >= policy_.most_recipients) return Verdict::one_too_many;
  if (!address || address->empty()) return Verdict::unusable;
  if (policy_.relay_client) {
    const bool fits = address->size() + policy_.relay_client->size() < address_limit;
    return fits ? Verdict::accepted : Verdict::unusable;
  }
  const auto allowed = policy_.recipient_hosts.accept(*address);
  if (!allowed) {
    broken_ = end(exit_code::temporary, describe(allowed.error()));
    return Verdict::unusable;
  }
  return *allowed ? Verdict::accepted : Verdict::not_allowed;
}

// What those recipients are told that nothing is wrong with.
std::string QmtpSession::finish_message() {
  if (bad_sender_) return std::string(bad_sender_text);
  if (intake_.is_too_large()) return std::string(too_large_text);
  if (any_accepted_) return intake_.finish();
  intake_.give_up();
  return {};
}

std::string QmtpSession::replies() {
  const std::string result = format_netstring(finish_message());
  std::string text;
  for (const Verdict verdict : verdicts_) {
    switch (verdict) {
      case Verdict::accepted:
        text += result;
        break;
      case Verdict::not_allowed:
        text += format_netstring(not_allowed_text);
        break;
      case Verdict::unusable:
      case Verdict::one_too_many:
        text += format_netstring(unusable_text);
        break;
    }
  }
  for (; refused_beyond_ > 0; --refused_beyond_) text += format_netstring(too_many_text);
  return text;
}

}  // namespace postern::qmtp
