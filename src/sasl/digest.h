// What proves knowledge of a password without sending it: the digests of CRAM-MD5 (RFC 2195) and
// APOP (RFC 1939 section 7), as qmail-remote answers and the checkers check them. MD5 is OpenSSL's.
#pragma once

#include <string>
#include <string_view>

namespace postern::sasl {

/// HMAC-MD5 (RFC 2104) of the challenge, keyed by the secret, in lower-case hex.
std::string cram_md5_digest(std::string_view secret, std::string_view challenge);
/// MD5 of the challenge and the secret, in lower-case hex.
std::string apop_digest(std::string_view secret, std::string_view challenge);

}  // namespace postern::sasl
