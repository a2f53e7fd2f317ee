#include "base/dates.h"

#include <array>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/integers.h"

namespace postern {
namespace {

constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<const char*, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::int64_t day_seconds = 86400;

// Days since 1970 of a date in the proleptic Gregorian calendar, counted in years that begin in
// March, so that the leap day is a year's last.
constexpr std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  if (month <= 2) --year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

constexpr bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int days_in_month(std::int64_t year, int month) {
  constexpr std::array<int, 12> lengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : lengths[static_cast<std::size_t>(month - 1)];
}

// Words of a date: comments (which nest) and folding are blanks; commas and colons stand alone.
std::vector<std::string> date_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  int comment_depth = 0;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (const char c : text) {
    if (c == '(') ++comment_depth;
    const bool in_comment = comment_depth > 0;
    if (c == ')' && comment_depth > 0) --comment_depth;
    if (in_comment || is_blank(c) || c == '\n' || c == '\r') {
      end_word();
    } else if (c == ',' || c == ':') {
      end_word();
      words.emplace_back(1, c);
    } else {
      word += c;
    }
  }
  end_word();
  return words;
}

template <std::size_t N>
std::optional<int> find_name(const std::array<const char*, N>& names, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (equal_ignoring_case(names[i], word)) return static_cast<int>(i);
  }
  return std::nullopt;
}

// Seconds east of UTC (RFC 5322 4.3: an unknown alphabetic zone means -0000).
std::optional<std::int64_t> zone_offset(std::string_view zone) {
  struct Zone {
    std::string_view name;
    int hours;
  };
  constexpr std::array<Zone, 10> zones = {{{"UT", 0},
                                           {"GMT", 0},
                                           {"EST", -5},
                                           {"EDT", -4},
                                           {"CST", -6},
                                           {"CDT", -5},
                                           {"MST", -7},
                                           {"MDT", -6},
                                           {"PST", -8},
                                           {"PDT", -7}}};
  if (zone.size() == 5 && (zone[0] == '+' || zone[0] == '-')) {
    const auto digits = parse_decimal<std::uint16_t>(zone.substr(1));
    if (!digits || *digits % 100 > 59) return std::nullopt;
    const std::int64_t minutes = *digits / 100 * 60 + *digits % 100;
    const std::int64_t offset = minutes * 60;
    return zone[0] == '-' ? -offset : offset;
  }
  for (const Zone& known : zones) {
    if (equal_ignoring_case(known.name, zone)) return known.hours * 3600;
  }
  for (const char c : zone) {
    if (!is_letter(c)) return std::nullopt;
  }
  return 0;
}

// Walks over the words of a date; a missing or wrong word makes every later answer a failure.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}
  [[nodiscard]] bool done() const { return at_ == words_.size(); }
  [[nodiscard]] bool ok() const { return ok_; }
  bool take(std::string_view word) {
    if (done() || words_[at_] != word) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view word) { ok_ = take(word) && ok_; }
  std::string_view next() {
    if (done()) {
      ok_ = false;
      return {};
    }
    return words_[at_++];
  }
  int number(std::size_t most_digits, int low, int high) {
    const std::string_view word = next();
    const auto value = parse_decimal<int>(word);
    if (!value || word.size() > most_digits || *value < low || *value > high) ok_ = false;
    return ok_ ? *value : low;
  }
  [[nodiscard]] std::string_view peek() const { return done() ? std::string_view{} : words_[at_]; }
  void fail() { ok_ = false; }

 private:
  std::vector<std::string> words_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

std::int64_t take_year(Words& words) {
  const std::size_t digits = words.peek().size();
  const int year = words.number(4, 0, 9999);
  // RFC 5322 4.3: two digits below 50 are of this century, other two and all three of the last.
  if (digits == 2) return year < 50 ? 2000 + year : 1900 + year;
  if (digits == 3) return 1900 + year;
  if (digits != 4 || year < 1900) words.fail();
  return year;
}

}  // namespace

CivilTime civil_time(std::int64_t seconds) {
  std::int64_t days = seconds / day_seconds;
  std::int64_t rest = seconds % day_seconds;
  if (rest < 0) {
    rest += day_seconds;
    --days;
  }
  const std::int64_t shifted = days + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const std::int64_t day_of_era = shifted - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t march_month = (5 * day_of_year + 2) / 153;
  CivilTime time;
  time.day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
  time.month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  time.year = year_of_era + era * 400 + (time.month <= 2 ? 1 : 0);
  time.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
  time.hour = static_cast<int>(rest / 3600);
  time.minute = static_cast<int>(rest / 60 % 60);
  time.second = static_cast<int>(rest % 60);
  return time;
}

std::int64_t seconds_since_1970(const CivilTime& time) {
  const std::int64_t minutes = time.hour * 60 + time.minute;
  return days_from_civil(time.year, time.month, time.day) * day_seconds + minutes * 60 +
         time.second;
}

std::string format_date(std::int64_t seconds) {
  const CivilTime t = civil_time(seconds);
  char text[64];
  std::snprintf(text, sizeof text, "%d %s %lld %02d:%02d:%02d -0000", t.day,
                months[static_cast<std::size_t>(t.month - 1)], static_cast<long long>(t.year),
                t.hour, t.minute, t.second);
  return text;
}

std::string format_mbox_date(std::int64_t seconds) {
  const CivilTime t = civil_time(seconds);
  char text[64];
  std::snprintf(text, sizeof text, "%s %s %02d %02d:%02d:%02d %lld",
                weekdays[static_cast<std::size_t>(t.weekday)],
                months[static_cast<std::size_t>(t.month - 1)], t.day, t.hour, t.minute, t.second,
                static_cast<long long>(t.year));
  return text;
}

Result<std::int64_t> parse_date(std::string_view text) {
  Words words(date_words(text));
  if (find_name(weekdays, words.peek())) {
    words.next();
    words.take(",");
  }
  CivilTime time;
  time.day = words.number(2, 1, 31);
  const auto month = find_name(months, words.next());
  if (!month) words.fail();
  time.month = month.value_or(0) + 1;
  time.year = take_year(words);
  time.hour = words.number(2, 0, 23);
  words.expect(":");
  time.minute = words.number(2, 0, 59);
  if (words.take(":")) time.second = words.number(2, 0, 60);
  const auto offset = zone_offset(words.next());
  if (!words.ok() || !words.done() || !offset || time.day > days_in_month(time.year, time.month)) {
    return failure("not a date: " + std::string(text));
  }
  return seconds_since_1970(time) - *offset;
}

}  // namespace postern
