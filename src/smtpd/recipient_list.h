// The recipients of one transaction, packed, because a client may name a great many of them and the
// server has little memory: neither a string object each nor one buffer that is copied to grow.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace postern::smtpd {

class RecipientList {
 public:
  /// Limits of a transaction: recipients, and bytes of their addresses together.
  static constexpr std::size_t most = 100'000;
  static constexpr std::size_t most_bytes = 16 << 20;

  /// False: there are too many already.
  bool add(std::string_view address) {
    if (count_ >= most || bytes_ + address.size() > most_bytes) return false;
    if (chunks_.empty() || chunks_.back().size() + address.size() + 1 > chunk_bytes) {
      chunks_.emplace_back().reserve(chunk_bytes);
    }
    chunks_.back().append(address).append(1, '\0');
    bytes_ += address.size();
    ++count_;
    return true;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }

  template <class Visit>
  void for_each(Visit visit) const {
    for (std::string_view chunk : chunks_) {
      for (; !chunk.empty(); chunk.remove_prefix(chunk.find('\0') + 1)) {
        visit(chunk.substr(0, chunk.find('\0')));
      }
    }
  }

 private:
  static constexpr std::size_t chunk_bytes = 4096;
  std::deque<std::string> chunks_;  // addresses, each with a NUL behind it
  std::size_t bytes_ = 0;
  std::size_t count_ = 0;
};

}  // namespace postern::smtpd
