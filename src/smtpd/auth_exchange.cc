#include "smtpd/auth_exchange.h"

#include <array>

#include "base/ascii.h"
#include "base/base64.h"
#include "wire/checkpassword.h"

namespace postern::smtpd {
namespace {

struct MechanismName {
  Mechanism mechanism;
  std::string_view name;
};
constexpr std::array mechanism_names = std::to_array<MechanismName>({
    {Mechanism::login, "LOGIN"},
    {Mechanism::plain, "PLAIN"},
    {Mechanism::cram_md5, "CRAM-MD5"},
});

bool offers(const AuthSetup& setup, Mechanism mechanism) {
  return mechanism == Mechanism::cram_md5 ? setup.cram : setup.passwords;
}

}  // namespace

std::optional<Mechanism> find_mechanism(const AuthSetup& setup, std::string_view name) {
  for (const auto& known : mechanism_names) {
    if (equal_ignoring_case(known.name, name) && offers(setup, known.mechanism)) {
      return known.mechanism;
    }
  }
  return std::nullopt;
}

std::string_view name_of(Mechanism mechanism) {
  for (const auto& known : mechanism_names) {
    if (known.mechanism == mechanism) return known.name;
  }
  return {};
}

std::string format_for_checker(const AuthSetup& setup, Mechanism mechanism,
                               const Credentials& credentials) {
  const bool host_first = setup.form == AuthForm::host_first;
  if (mechanism == Mechanism::cram_md5) {
    return wire::format_cram(
        credentials.user, credentials.challenge, credentials.secret,
        host_first ? wire::CramOrder::challenge_first : wire::CramOrder::digest_first);
  }
  // The second form sends a third field only where CRAM-MD5 might need it.
  if (!host_first && !setup.cram) {
    return wire::format_login(credentials.user, credentials.secret, std::nullopt);
  }
  return wire::format_login(credentials.user, credentials.secret, "");
}

AuthExchange::AuthExchange(Mechanism mechanism, AuthForm form, std::string challenge)
    : mechanism_(mechanism), form_(form) {
  credentials_.challenge = std::move(challenge);
}

AuthExchange::State AuthExchange::begin(std::optional<std::string_view> initial_response) {
  if (!initial_response) return State::asking;
  // RFC 4954 4: where the server begins, an initial response is an error.
  if (mechanism_ == Mechanism::cram_md5) return State::malformed;
  return feed(*initial_response == "=" ? "" : *initial_response);
}

AuthExchange::State AuthExchange::feed(std::string_view line) {
  if (line == "*") return State::cancelled;
  const auto response = parse_base64(line);
  if (!response || response->empty()) return State::malformed;
  return take(*response);
}

AuthExchange::State AuthExchange::take(std::string_view response) {
  switch (mechanism_) {
    case Mechanism::login:
      return take_login(response);
    case Mechanism::plain:
      return take_plain(response);
    case Mechanism::cram_md5:
      return take_cram(response);
  }
  return State::malformed;
}

AuthExchange::State AuthExchange::take_login(std::string_view response) {
  if (credentials_.user.empty()) {
    credentials_.user = response;
    return State::asking;
  }
  credentials_.secret = response;
  return check();
}

// RFC 4616: [authzid] NUL authcid NUL passwd. Whom to act as is not ours to grant: passed over.
AuthExchange::State AuthExchange::take_plain(std::string_view response) {
  const std::size_t first = response.find('\0');
  if (first == std::string_view::npos) return State::malformed;
  response.remove_prefix(first + 1);
  const std::size_t second = response.find('\0');
  if (second == std::string_view::npos) return State::malformed;
  credentials_.user = response.substr(0, second);
  credentials_.secret = response.substr(second + 1);
  return check();
}

// RFC 2195: user name, blank, digest. A user name may hold blanks, on which the forms disagree.
// What is no digest does not reach the checker, which could take it for the password itself.
AuthExchange::State AuthExchange::take_cram(std::string_view response) {
  const std::size_t blank =
      form_ == AuthForm::host_first ? response.find(' ') : response.rfind(' ');
  if (blank == std::string_view::npos) return State::malformed;
  credentials_.user = response.substr(0, blank);
  credentials_.secret = response.substr(blank + 1);
  return wire::is_digest(credentials_.secret) ? check() : State::malformed;
}

AuthExchange::State AuthExchange::check() {
  const auto unfit = [](std::string_view part) { return part.empty() || part.contains('\0'); };
  // A NUL would move the borders between the fields the checker reads.
  if (unfit(credentials_.user) || unfit(credentials_.secret)) return State::malformed;
  return State::complete;
}

std::string AuthExchange::prompt() const {
  switch (mechanism_) {
    case Mechanism::login:
      return format_base64(credentials_.user.empty() ? "Username:" : "Password:");
    case Mechanism::plain:
      return {};
    case Mechanism::cram_md5:
      return format_base64(credentials_.challenge);
  }
  return {};
}

}  // namespace postern::smtpd
