#include "inject/sendmail_arguments.h"

#include <array>

namespace postern::inject {
namespace {

constexpr const char* usage =
    "usage: sendmail [ -t ] [ -f sender ] [ -F name ] [ -bm ] [ -bp ] [ -bs ] [ recip ... ]";

// How sendmail's options take their value.
enum class Value {
  none,
  here_or_next,  // "-fjoe" or "-f joe"
  here,          // "-q30m": the rest of the word, which may be empty
};

struct Option {
  char letter;
  Value value;
};

constexpr std::array options = std::to_array<Option>({
    // clang-format off
    // What we act on.
    {'t', Value::none}, {'f', Value::here_or_next}, {'r', Value::here_or_next},
    {'F', Value::here_or_next}, {'b', Value::here_or_next}, {'q', Value::here},
    // What qmail does anyway (a lone dot never ends the message), or has no use for.
    {'i', Value::none},          // dots do not end the message
    {'m', Value::none},          // the sender may be among the recipients
    {'n', Value::none},          // no aliasing
    {'v', Value::none},          // verbose
    {'G', Value::none},          // gateway submission
    {'U', Value::none},          // user submission
    {'x', Value::none},          // AIX
    {'A', Value::here_or_next},  // which sendmail.cf
    {'B', Value::here_or_next},  // body type; everything is 8-bit clean
    {'C', Value::here_or_next},  // configuration file
    {'D', Value::here_or_next},  // debugging output
    {'L', Value::here_or_next},  // log tag
    {'N', Value::here_or_next},  // when to notify of delivery
    {'O', Value::here_or_next},  // long option
    {'R', Value::here_or_next},  // how much of a message bounces
    {'V', Value::here_or_next},  // envelope id
    {'X', Value::here_or_next},  // traffic log
    {'h', Value::here_or_next},  // hop count; Received fields are counted instead
    {'o', Value::here_or_next},  // one-letter option and its value
    {'p', Value::here_or_next},  // protocol
    {'e', Value::here},          // where errors go
    {'d', Value::here},          // debugging
    // clang-format on
});

constexpr const Option* find_option(char letter) {
  for (const auto& option : options) {
    if (option.letter == letter) return &option;
  }
  return nullptr;
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Status set_mode(SendmailArguments& taken, std::string_view value) {
  if (value == "m") {
    taken.mode = SendmailMode::deliver;
  } else if (value == "s") {
    taken.mode = SendmailMode::smtp;
  } else if (value == "p") {
    taken.mode = SendmailMode::list_queue;
  } else {
    return failure("-b" + std::string(value) + " cannot be honoured; " + usage);
  }
  return {};
}

Status act(SendmailArguments& taken, char letter, std::string_view value) {
  switch (letter) {
    case 't':
      taken.header_recipients = true;
      return {};
    case 'f':
    case 'r':
      taken.sender = value;
      return {};
    case 'F':
      taken.name = value;
      return {};
    case 'b':
      return set_mode(taken, value);
    case 'q':
      taken.mode = SendmailMode::run_queue;
      return {};
    default:
      return {};
  }
}

// The options of one word; `next` is the argument after it, of which it may take possession.
Status take_word(SendmailArguments& taken, std::string_view word, const char* next, bool& took) {
  for (std::size_t i = 1; i < word.size(); ++i) {
    const Option* option = find_option(word[i]);
    if (option == nullptr) {
      return failure(std::string("unknown option -") + word[i] + "; " + usage);
    }
    if (option->value == Value::none) {
      if (auto acted = act(taken, word[i], {}); !acted) return acted;
      continue;
    }
    std::string_view value = word.substr(i + 1);
    if (value.empty() && option->value == Value::here_or_next) {
      if (next == nullptr) return failure(std::string("-") + word[i] + " needs a value; " + usage);
      value = next;
      took = true;
    }
    return act(taken, word[i], value);
  }
  return {};
}

}  // namespace

Result<SendmailArguments> parse_sendmail_arguments(std::string_view program,
                                                   std::span<const char* const> arguments) {
  SendmailArguments taken;
  if (base_name(program) == "mailq") taken.mode = SendmailMode::list_queue;
  if (base_name(program) == "newaliases") taken.mode = SendmailMode::aliases;
  std::size_t i = 0;
  for (; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == "--") {
      ++i;
      break;
    }
    if (word.size() < 2 || word.front() != '-') break;
    bool took_next = false;
    const char* next = i + 1 < arguments.size() ? arguments[i + 1] : nullptr;
    if (auto fine = take_word(taken, word, next, took_next); !fine) {
      return std::unexpected(fine.error());
    }
    if (took_next) ++i;
  }
  for (; i < arguments.size(); ++i) taken.recipients.emplace_back(arguments[i]);
  if (taken.mode == SendmailMode::deliver && !taken.header_recipients && taken.recipients.empty()) {
    return failure(std::string("no recipients; ") + usage);
  }
  return taken;
}

std::vector<std::string> inject_arguments(const SendmailArguments& arguments) {
  std::vector<std::string> words = {"qmail-inject", arguments.header_recipients ? "-H" : "-a"};
  if (arguments.sender) words.insert(words.end(), {"-f", *arguments.sender});
  words.emplace_back("--");
  words.insert(words.end(), arguments.recipients.begin(), arguments.recipients.end());
  return words;
}

}  // namespace postern::inject
