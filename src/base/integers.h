// Numbers in text and in bytes, with every overflow an error.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern {

/// The whole text as an unsigned decimal number: digits only, no sign, no blanks, no overflow.
template <class T = std::uint64_t>
std::optional<T> parse_decimal(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The largest r with r*r <= n.
constexpr std::uint64_t integer_square_root(std::uint64_t n) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
    const std::uint64_t candidate = root + bit;
    if (candidate <= n / candidate) root = candidate;
  }
  return root;
}

/// Four bytes, least significant first, as cdb and tcpto files hold numbers.
constexpr std::array<char, 4> little_endian(std::uint32_t n) {
  return {static_cast<char>(n & 0xff), static_cast<char>(n >> 8 & 0xff),
          static_cast<char>(n >> 16 & 0xff), static_cast<char>(n >> 24 & 0xff)};
}

/// Reads what little_endian() wrote; `bytes` holds at least four.
constexpr std::uint32_t from_little_endian(std::string_view bytes) {
  std::uint32_t n = 0;
  for (std::size_t i = 4; i-- > 0;) n = n << 8 | static_cast<unsigned char>(bytes[i]);
  return n;
}

}  // namespace postern
