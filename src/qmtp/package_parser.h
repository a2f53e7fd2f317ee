// Messages with their envelopes as QMTP (cr.yp.to/proto/qmtp.txt) and QMQP
// (cr.yp.to/proto/qmqp.html) pack them into netstrings, read piece by piece: a message may have 200
// megabytes, and none of them is kept here. Described in docs/wire/qmtp.md and qmqp.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/netstring.h"

namespace postern::qmtp {

/// No netstring is longer, in bytes.
inline constexpr std::uint64_t most_netstring_bytes = 200'000'000;
/// An address has fewer bytes than this.
inline constexpr std::size_t address_limit = 1000;

/// Gets the parts of a package in their order: message, end_message, sender, recipient...
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void message(std::string_view bytes) = 0;
  virtual void end_message() = 0;
  /// Nothing: an address that is too long or holds a NUL.
  virtual void sender(std::optional<std::string_view> address) = 0;
  virtual void recipient(std::optional<std::string_view> address) = 0;
};

class PackageParser {
 public:
  enum class Layout {
    qmtp,  // message, sender, and a netstring of recipients
    qmqp,  // a netstring of message, sender and recipients
  };
  PackageParser(Layout layout, Receiver& receiver)
      : layout_(layout), receiver_(receiver), length_(most_netstring_bytes) {
    begin();
  }

  enum class State { unfinished, complete, malformed, too_large };
  /// Takes bytes off `bytes`, at most to the end of a package; the next call begins another.
  State feed(std::string_view& bytes);

 private:
  enum class At {
    total_length,  // of the netstring around others
    message_length,
    message,
    sender_length,
    sender,
    recipient_length,
    recipient,
    comma,
  };
  void begin();
  bool spend(std::uint64_t bytes);
  State take_length(char c);
  State enter(std::uint64_t length);
  void take_content(std::string_view& bytes);
  State take_comma(char c);
  void end_content();
  void end_address(void (Receiver::*receive)(std::optional<std::string_view>));

  Layout layout_;
  Receiver& receiver_;
  NetstringLength length_;
  At at_ = At::message_length;
  At after_comma_ = At::message_length;
  std::uint64_t left_ = 0;              // bytes of the message or address still to come
  std::optional<std::uint64_t> total_;  // what is left of the netstring around others, inside it
  bool ends_ = false;                   // the comma to come is the package's last byte
  std::string address_;
  bool address_is_bad_ = false;
};

}  // namespace postern::qmtp
