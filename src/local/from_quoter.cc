#include "local/from_quoter.h"

namespace postern::local {
namespace {

constexpr std::string_view from = "From ";

}  // namespace

// A '>' more looks the same before the others as after them, so they need not be held back.
void FromQuoter::feed(std::string_view piece, std::string& quoted) {
  if (!piece.empty()) ends_in_line_ = piece.back() != '\n';
  while (!piece.empty()) {
    if (past_start_) {
      const std::size_t end = piece.find('\n');
      const std::string_view rest = piece.substr(0, end == piece.npos ? end : end + 1);
      quoted += rest;
      piece.remove_prefix(rest.size());
      past_start_ = end == piece.npos;
    } else if (piece.front() == from[matched_]) {
      piece.remove_prefix(1);
      if (++matched_ < from.size()) continue;
      quoted.append(">").append(from);
      matched_ = 0;
      past_start_ = true;
    } else if (matched_ == 0 && piece.front() == '>') {
      quoted += '>';
      piece.remove_prefix(1);
    } else {
      quoted += from.substr(0, matched_);
      matched_ = 0;
      past_start_ = true;
    }
  }
}

void FromQuoter::finish(std::string& quoted) {
  quoted += from.substr(0, matched_);
  if (ends_in_line_) quoted += '\n';
  quoted += '\n';
}

}  // namespace postern::local
