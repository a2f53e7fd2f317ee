#include "qmtp/package_parser.h"

#include "base/error.h"

namespace postern::qmtp {

void PackageParser::begin() {
  at_ = layout_ == Layout::qmqp ? At::total_length : At::message_length;
  total_.reset();
  ends_ = false;
}

// Everything inside the netstring around others counts against its length. False: it is too short.
bool PackageParser::spend(std::uint64_t bytes) {
  if (!total_) return true;
  if (*total_ < bytes) return false;
  *total_ -= bytes;
  return true;
}

PackageParser::State PackageParser::feed(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (at_ == At::message || at_ == At::sender || at_ == At::recipient) {
      take_content(bytes);
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    const State state = at_ == At::comma ? take_comma(c) : take_length(c);
    if (state != State::unfinished) return state;
  }
  return State::unfinished;
}

PackageParser::State PackageParser::take_length(char c) {
  if (!spend(1)) return State::malformed;
  switch (length_.take(c)) {
    case NetstringLength::State::unfinished:
      return State::unfinished;
    case NetstringLength::State::malformed:
      return State::malformed;
    case NetstringLength::State::too_large:
      return State::too_large;
    case NetstringLength::State::complete:
      return enter(length_.value());
  }
  bug("unknown state of a length");
}

// A netstring begins. Its bytes are paid for at once.
PackageParser::State PackageParser::enter(std::uint64_t length) {
  if (at_ == At::total_length) {
    total_ = length;
    at_ = layout_ == Layout::qmqp ? At::message_length : At::recipient_length;
    if (length > 0) return State::unfinished;
    if (layout_ == Layout::qmqp) return State::malformed;  // there has to be a message
    ends_ = true;
    at_ = At::comma;
    total_.reset();
    return State::unfinished;
  }
  if (!spend(length)) return State::malformed;
  left_ = length;
  at_ = at_ == At::message_length  ? At::message
        : at_ == At::sender_length ? At::sender
                                   : At::recipient;
  address_.clear();
  address_is_bad_ = false;
  if (left_ == 0) end_content();
  return State::unfinished;
}

void PackageParser::take_content(std::string_view& bytes) {
  const std::string_view part = bytes.substr(0, left_);
  bytes.remove_prefix(part.size());
  left_ -= part.size();
  if (at_ == At::message) {
    receiver_.message(part);
  } else {
    address_is_bad_ =
        address_is_bad_ || part.contains('\0') || address_.size() + part.size() >= address_limit;
    if (!address_is_bad_) address_ += part;
  }
  if (left_ == 0) end_content();
}

void PackageParser::end_content() {
  if (at_ == At::message) {
    receiver_.end_message();
    after_comma_ = At::sender_length;
  } else if (at_ == At::sender) {
    end_address(&Receiver::sender);
    after_comma_ = layout_ == Layout::qmqp ? At::recipient_length : At::total_length;
  } else {
    end_address(&Receiver::recipient);
    after_comma_ = At::recipient_length;
  }
  at_ = At::comma;
}

void PackageParser::end_address(void (Receiver::*receive)(std::optional<std::string_view>)) {
  (receiver_.*receive)(address_is_bad_ ? std::nullopt : std::optional<std::string_view>(address_));
}

PackageParser::State PackageParser::take_comma(char c) {
  if (c != ',' || !spend(1)) return State::malformed;
  if (ends_) {
    begin();
    return State::complete;
  }
  at_ = after_comma_;
  if (at_ == At::recipient_length && total_ == 0U) {
    ends_ = true;
    at_ = At::comma;
    total_.reset();
  }
  return State::unfinished;
}

}  // namespace postern::qmtp
