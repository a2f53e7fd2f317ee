#include "auth/challenge.h"

#include "auth/password_hash.h"
#include "sasl/digest.h"

namespace postern::auth {

bool answers_challenge(std::string_view secret, const wire::CheckRequest::Cram& cram) {
  const bool is_hmac =
      equal_in_constant_time(sasl::cram_md5_digest(secret, cram.challenge), cram.digest);
  const bool is_apop =
      equal_in_constant_time(sasl::apop_digest(secret, cram.challenge), cram.digest);
  return is_hmac || is_apop;
}

}  // namespace postern::auth
