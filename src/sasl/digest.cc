// MD5 by libcrypto's own function for it and not through its EVP interface: that would bring its
// providers, its configuration file and 3.5 MB of program with it, and checkmailuser has to live
// under the memory limits that run scripts give qmail-smtpd, of which the smallest is 4 MB.
#define OPENSSL_SUPPRESS_DEPRECATED  // the function is, because it does not go through EVP

#include "sasl/digest.h"

#include <openssl/md5.h>

#include "base/base64.h"

namespace postern::sasl {
namespace {

constexpr std::size_t block_bytes = 64;  // of MD5, as HMAC pads keys

std::string md5(std::string_view text) {
  unsigned char digest[MD5_DIGEST_LENGTH];
  ::MD5(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return {reinterpret_cast<const char*>(digest), sizeof digest};
}

// The key filled up to a block, each byte combined with `pad`.
std::string padded(std::string_view key, char pad) {
  std::string block(block_bytes, pad);
  for (std::size_t i = 0; i < key.size(); ++i) block[i] = static_cast<char>(key[i] ^ pad);
  return block;
}

// RFC 2104 section 2.
std::string hmac_md5(std::string_view secret, std::string_view text) {
  const std::string key = secret.size() > block_bytes ? md5(secret) : std::string(secret);
  return md5(padded(key, 0x5c) + md5(padded(key, 0x36).append(text)));
}

}  // namespace

std::string cram_md5_digest(std::string_view secret, std::string_view challenge) {
  return format_hex(hmac_md5(secret, challenge));
}

std::string apop_digest(std::string_view secret, std::string_view challenge) {
  return format_hex(md5(std::string(challenge).append(secret)));
}

}  // namespace postern::sasl
