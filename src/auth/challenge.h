// Challenges and what proves knowledge of the password without sending it: CRAM-MD5 (RFC 2195) and
// APOP (RFC 1939 section 7). MD5 is OpenSSL's.
#pragma once

#include <string>
#include <string_view>

#include "wire/checkpassword.h"

namespace postern::auth {

/// HMAC-MD5 of the challenge, keyed by the secret, in hex.
std::string cram_md5_digest(std::string_view secret, std::string_view challenge);
/// MD5 of the challenge and the secret, in hex.
std::string apop_digest(std::string_view secret, std::string_view challenge);

/// Whether the digest is CRAM-MD5's or APOP's. qmail-popup hands APOP digests over in the place of
/// the password, and nothing tells them from qmail-smtpd's but their value.
bool answers_challenge(std::string_view secret, const wire::CheckRequest::Cram& cram);

}  // namespace postern::auth
