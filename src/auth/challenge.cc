#include "auth/challenge.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/password_hash.h"
#include "base/base64.h"

namespace postern::auth {
namespace {

// Neither openssl.cnf nor the modules it may name are wanted in a program that holds passwords.
bool start_libcrypto() { return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1; }

std::string hex(const unsigned char* digest, unsigned size) {
  return format_hex({reinterpret_cast<const char*>(digest), size});
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<std::string> cram_md5_digest(std::string_view secret, std::string_view challenge) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!start_libcrypto() || HMAC(EVP_md5(), secret.data(), static_cast<int>(secret.size()),
                                 bytes(challenge), challenge.size(), digest, &size) == nullptr) {
    return failure("libcrypto refuses HMAC-MD5");
  }
  return hex(digest, size);
}

Result<std::string> apop_digest(std::string_view secret, std::string_view challenge) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const std::string text = std::string(challenge).append(secret);
  if (!start_libcrypto() ||
      EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr) != 1) {
    return failure("libcrypto refuses MD5");
  }
  return hex(digest, size);
}

Result<bool> answers_challenge(std::string_view secret, const wire::CheckRequest::Cram& cram) {
  const auto hmac = cram_md5_digest(secret, cram.challenge);
  if (!hmac) return std::unexpected(hmac.error());
  const auto apop = apop_digest(secret, cram.challenge);
  if (!apop) return std::unexpected(apop.error());
  const bool is_hmac = equal_in_constant_time(*hmac, cram.digest);
  const bool is_apop = equal_in_constant_time(*apop, cram.digest);
  return is_hmac || is_apop;
}

}  // namespace postern::auth
