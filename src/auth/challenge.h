// Checking an answer to a challenge: CRAM-MD5 (RFC 2195) and APOP (RFC 1939 section 7).
#pragma once

#include <string_view>

#include "wire/checkpassword.h"

namespace postern::auth {

/// Whether the digest is CRAM-MD5's or APOP's. qmail-popup hands APOP digests over in the place of
/// the password, and nothing tells them from qmail-smtpd's but their value.
bool answers_challenge(std::string_view secret, const wire::CheckRequest::Cram& cram);

}  // namespace postern::auth
