#include "smtpd/settings.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/sanitize.h"
#include "control/read.h"
#include "posix/environment.h"

namespace postern::smtpd {
namespace {

// RFC 5321 4.5.3.1.5: a reply line has 512 bytes, and the greeting's have a code and a word.
constexpr std::size_t most_greeting_bytes = 500;
constexpr std::uint64_t longest_timeout = std::uint64_t{7} * 86400;  // seconds

// The greeting begins with this host's name, and is part of reply lines. smtpgreeting may say more
// behind the name; control/me is a name and nothing else.
Result<std::string> read_greeting() {
  auto greeting = control::read<"smtpgreeting">();
  if (!greeting) return greeting;
  const auto has_words = control::is_present(control::FileName("smtpgreeting").spec());
  if (!has_words) return std::unexpected(has_words.error());
  if (!*has_words && greeting->find_first_of(" \t") != std::string::npos) {
    return failure("control/me holds \"" + sanitize_for_log(*greeting) +
                   "\": write this host's name there, one word");
  }
  const auto is_control = [](char c) { return !is_visible(c) && c != ' ' && c >= 0; };
  if (greeting->empty() || greeting->size() > most_greeting_bytes ||
      std::ranges::any_of(*greeting, is_control)) {
    return failure("control/smtpgreeting, or control/me in its place, holds \"" +
                   sanitize_for_log(greeting->substr(0, most_greeting_bytes)) +
                   "\": write this host's name there");
  }
  return greeting;
}

// Without control/me there is nothing to stand for our address.
Result<std::optional<std::string>> read_local_ip_host() {
  auto host = control::read_line_file(control::FileName("localiphost").spec());
  if (!host || *host) return host;
  return control::read_line_file(control::FileName("me").spec());
}

// Puts a value that has been read in its place, or remembers the first error.
class Collector {
 public:
  template <class T, class U>
  void put(T& place, Result<U> value) {
    if (value) {
      place = T(std::move(*value));
    } else if (!error_) {
      error_ = std::move(value.error());
    }
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace

Result<Settings> read_settings(const std::vector<std::string>& arguments) {
  Settings settings;
  std::uint64_t timeout = 0;
  Collector collector;
  collector.put(settings.greeting, read_greeting());
  collector.put(settings.local_ip_host, read_local_ip_host());
  collector.put(timeout, control::read<"timeoutsmtpd">());
  collector.put(settings.bad_senders, control::read<"badmailfrom">());
  collector.put(settings.bad_recipients, control::read<"badrcptto">());
  collector.put(settings.most_bytes, control::read_most_message_bytes());
  collector.put(settings.recipient_hosts, control::RecipientHosts::read());
  collector.put(settings.spp, read_spp_config());
  if (collector.error()) return std::unexpected(*collector.error());

  timeout = std::clamp<std::uint64_t>(timeout, 1, longest_timeout);
  settings.timeout = std::chrono::seconds(timeout);
  settings.relay_client = environment_variable("RELAYCLIENT");
  settings.recipient_check = environment_variable("RCPTCHECK").value_or("");
  settings.peer = wire::read_peer();
  settings.auth =
      parse_auth_setup(arguments, environment_variable("SMTPAUTH"), settings.peer.local_name);
  return settings;
}

}  // namespace postern::smtpd
