#include "smtpd/server_options.h"

#include "base/integers.h"

namespace postern::smtpd {
namespace {

template <class T>
bool set_number(T& to, std::string_view value) {
  const auto number = parse_decimal<T>(value);
  if (number) to = *number;
  return number.has_value();
}

template <class T>
bool set_number(std::optional<T>& to, std::string_view value) {
  to = parse_decimal<T>(value);
  return to.has_value();
}

bool set_option(ServerOptions& options, char letter, const std::string& value) {
  switch (letter) {
    case 'c':
      return set_number(options.most_sessions, value) && options.most_sessions > 0;
    case 'm':
      return set_number(options.most_clients, value);
    case 'b':
      return set_number(options.backlog, value);
    case 'u':
      return set_number(options.uid, value);
    case 'g':
      return set_number(options.gid, value);
    case 'x':
      options.rules = value;
      return !value.empty();
    case 'l':
      options.local_host = value;
      return true;
    default:
      return false;
  }
}

bool set_flag(ServerOptions& options, char letter) {
  if (letter == 'v') options.logs_connections = true;
  if (letter == 'q') options.logs_connections = false;
  return std::string_view("vqHR").contains(letter);
}

}  // namespace

std::optional<ServerOptions> parse_server_options(std::span<const std::string> arguments) {
  ServerOptions options;
  for (; !arguments.empty() && arguments.front().starts_with('-');
       arguments = arguments.subspan(1)) {
    const std::string& word = arguments.front();
    std::size_t place = 1;
    while (place < word.size() && set_flag(options, word[place])) ++place;
    if (word.size() > 1 && place == word.size()) continue;  // flags alone
    if (word.size() == 1) return std::nullopt;
    std::string value = word.substr(place + 1);
    if (value.empty()) {  // it is the next word
      if (arguments.size() < 2) return std::nullopt;
      arguments = arguments.subspan(1);
      value = arguments.front();
    }
    if (!set_option(options, word[place], value)) return std::nullopt;
  }
  if (arguments.size() < 2 || !set_number(options.port, arguments[1])) return std::nullopt;
  options.host = arguments[0];
  options.session.assign(arguments.begin() + 2, arguments.end());
  if (options.most_clients == 0) {
    options.most_clients = options.session.empty() ? default_most_clients : 1;
  }
  return options;
}

}  // namespace postern::smtpd
