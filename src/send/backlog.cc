#include "send/backlog.h"

namespace postern::send {
namespace {

constexpr unsigned most_fresh_in_a_row = 3;

}  // namespace

std::optional<Backlog::Choice> Backlog::take_fresh() {
  if (fresh_.empty()) return std::nullopt;
  const Choice choice{fresh_.front(), false};
  fresh_.pop_front();
  ++fresh_in_a_row_;
  return choice;
}

std::optional<Backlog::Choice> Backlog::take_retry(std::int64_t now) {
  const auto id = retries_.take_due(now);
  if (!id) return std::nullopt;
  fresh_in_a_row_ = 0;
  return Choice{*id, true};
}

std::optional<Backlog::Choice> Backlog::take(std::int64_t now, Allowed allowed) {
  if (allowed.retries && (fresh_in_a_row_ >= most_fresh_in_a_row || !allowed.fresh)) {
    if (const auto choice = take_retry(now)) return choice;
  }
  if (allowed.fresh) {
    if (const auto choice = take_fresh()) return choice;
  }
  return allowed.retries ? take_retry(now) : std::nullopt;
}

std::optional<std::int64_t> Backlog::next(Allowed allowed) const {
  if (allowed.fresh && !fresh_.empty()) return 0;
  return allowed.retries ? retries_.next() : std::nullopt;
}

}  // namespace postern::send
