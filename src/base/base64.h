// Base64 (RFC 4648 section 4), as SMTP AUTH and smtproutes use it, and the hex digits of digests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

std::string format_base64(std::string_view bytes);

/// Nothing: a character outside the alphabet, padding in the wrong place, or a length that no
/// encoder makes. The empty text is the empty string. Line ends are not skipped.
std::optional<std::string> parse_base64(std::string_view text);

/// Lower-case hex digits.
std::string format_hex(std::string_view bytes);

}  // namespace postern
