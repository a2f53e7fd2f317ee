// The checkpassword interface (cr.yp.to/checkpwd/interface.html): credentials on descriptor 3,
// the verdict as exit code. Described in docs/wire/checkpassword.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace postern::wire {

/// Longest message on descriptor 3, in bytes.
inline constexpr std::size_t most_checkpassword_bytes = 512;

namespace checkpassword_exit {
inline constexpr int rejected = 1;
inline constexpr int misused = 2;
inline constexpr int temporary = 111;
}  // namespace checkpassword_exit

/// CRAM-MD5 and APOP: the fields after the user name come in two orders.
enum class CramOrder {
  challenge_first,  // user, challenge, digest (form A of the AUTH patches, cmd5checkpw)
  digest_first,     // user, digest, challenge (form B; APOP has the same)
};

/// Whether the text is a digest of CRAM-MD5 or APOP: 32 lower-case hex digits (RFC 2195, RFC 1939).
bool is_digest(std::string_view text);

/// "joe\0secret\0\0" with timestamp "", "joe\0secret\0" without one.
std::string format_login(std::string_view user, std::string_view password,
                         std::optional<std::string_view> timestamp);
std::string format_cram(std::string_view user, std::string_view challenge, std::string_view digest,
                        CramOrder order);

/// What a checker reads: three fields, the last possibly missing.
struct CheckRequest {
  std::string user;
  std::string password;                  // or the first CRAM field
  std::optional<std::string> timestamp;  // or the second CRAM field

  /// Either order of a CRAM or APOP exchange, told apart by shape: 32 lower-case hex digits are the
  /// digest, <...@...> is the challenge. Nothing: not such an exchange.
  struct Cram {
    std::string challenge;
    std::string digest;
  };
  [[nodiscard]] std::optional<Cram> cram() const;
};
/// Error: a field is missing (exit 2).
Result<CheckRequest> parse_check_request(std::string_view bytes);

}  // namespace postern::wire
