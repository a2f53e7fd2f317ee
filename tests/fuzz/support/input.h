// What the fuzz targets share: an input taken apart, and claims that end the process when they do
// not hold. Each target is one file, tests/fuzz/<name>.cc, that defines try_input().
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace postern::fuzz {

class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  /// Which of `count` things is tried: the first byte, counted from 'a', so that people can read
  /// and write inputs.
  unsigned choose(unsigned count) { return static_cast<unsigned char>(take(1)[0] - 'a') % count; }
  /// The bytes up to a LF, which is taken away; or all.
  std::string_view line() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return line;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  // Zeros follow the end of the input.
  std::string take(std::size_t count) {
    std::string taken(rest_.substr(0, count));
    rest_.remove_prefix(taken.size());
    taken.resize(count);
    return taken;
  }
  std::string_view rest_;
};

/// To be defined by the target.
void try_input(Input input);

/// What is claimed of every input.
inline void require(bool holds, std::string_view claim) {
  if (!holds) bug(claim);
}

/// Gives `bytes` to `take` in pieces of one to eight bytes and, now and then, longer ones. Where
/// they are cut depends on the bytes alone, so that an input found again does the same again.
template <class Take>
void in_pieces(std::string_view bytes, Take take) {
  std::uint32_t state = 2166136261U;
  for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * 16777619U;
  while (!bytes.empty()) {
    state = state * 1664525U + 1013904223U;
    const std::size_t size = (state >> 28) == 0 ? 1 + (state >> 16 & 255) : 1 + (state >> 16 & 7);
    take(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
}

/// One harmless line: neither a control character nor an 8-bit byte.
inline bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace postern::fuzz
