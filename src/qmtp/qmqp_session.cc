#include "qmtp/qmqp_session.h"

#include "base/netstring.h"
#include "posix/program.h"

namespace postern::qmtp {
namespace {

constexpr std::string_view bad_address_text = "Dsorry, I can't accept addresses like that (#5.1.3)";

}  // namespace

Answer QmqpSession::feed(std::string_view& bytes) {
  const PackageParser::State state = parser_.feed(bytes);
  if (!broken_) broken_ = end_of(state);
  if (broken_) return *broken_;
  if (state != PackageParser::State::complete) return {};
  const std::string result = bad_address_ ? std::string(bad_address_text) : intake_.finish();
  return {.text = format_netstring(result), .exit = exit_code::ok};
}

bool QmqpSession::open() {
  if (is_open_ || broken_) return is_open_;
  if (auto opened = intake_.open(); !opened) {
    broken_ = end(exit_code::temporary, describe(opened.error()));
    return false;
  }
  return is_open_ = true;
}

void QmqpSession::message(std::string_view bytes) {
  if (open()) intake_.write(bytes);
}

void QmqpSession::sender(std::optional<std::string_view> address) {
  if (!address) bad_address_ = true;
  if (bad_address_) intake_.give_up();
  intake_.sender(address.value_or(""));
}

void QmqpSession::recipient(std::optional<std::string_view> address) {
  if (!address || address->empty()) bad_address_ = true;
  if (bad_address_) intake_.give_up();
  intake_.recipient(address.value_or(""));
}

}  // namespace postern::qmtp
