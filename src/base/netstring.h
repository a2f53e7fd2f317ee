// Netstrings: "3:abc,". Format: cr.yp.to/proto/netstrings.txt; strict, so that no length can wrap.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

std::string format_netstring(std::string_view text);

/// Takes one netstring off the front of `input` and returns what it holds (a view into it).
/// Nothing, and `input` unchanged: the bytes do not begin with a whole, well-formed netstring.
std::optional<std::string_view> take_netstring(std::string_view& input);

/// Reads the length of a netstring byte by byte, up to and including its colon: for netstrings that
/// are too long to hold. Digits without a leading zero, and never a number that could wrap.
class NetstringLength {
 public:
  explicit constexpr NetstringLength(std::uint64_t most) : most_(most) {}
  enum class State {
    unfinished,
    complete,   // value() is the length; the reader is ready for the next one
    malformed,  // something else than digits and a colon, or a leading zero
    too_large,  // more than `most`
  };
  State take(char c);
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t most_;
  std::uint64_t value_ = 0;
  bool at_begin_ = true;
  bool is_zero_ = false;
};

}  // namespace postern
