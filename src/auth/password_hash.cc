#include "auth/password_hash.h"

#include <crypt.h>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <vector>

namespace postern::auth {
namespace {

bool is_known_method(const std::string& setting) {
  const int answer = ::crypt_checksalt(setting.c_str());
  return answer != CRYPT_SALT_INVALID && answer != CRYPT_SALT_METHOD_DISABLED;
}

// The hash of `password` with the method and salt of `setting`; empty when libcrypt does not know
// the method. For want of memory it says no more than for a damaged hash: EINVAL.
Result<std::string> hash_password(const std::string& password, const std::string& setting) {
  if (!is_known_method(setting)) return "";
  const auto work = std::make_unique<crypt_data>();
  const char* hash = ::crypt_rn(password.c_str(), setting.c_str(), work.get(), sizeof *work);
  if (hash != nullptr) return hash;
  return failure("crypt(3) gives up on a " + std::string(method_of(setting)) +
                 " hash: it is damaged, or the memory limit is too low");
}

std::size_t tail_of(std::string_view hash) {
  const std::size_t dollar = hash.rfind('$');
  return dollar == std::string_view::npos ? hash.size() : hash.size() - dollar - 1;
}

}  // namespace

bool equal_in_constant_time(std::string_view secret, std::string_view attempt) {
  if (secret.empty()) return false;
  unsigned difference = secret.size() == attempt.size() ? 0 : 1;
  for (std::size_t i = 0; i < attempt.size(); ++i) {
    // The barrier keeps the compiler from leaving the loop as soon as the outcome is known.
    asm volatile("" : "+r"(difference));
    difference |= static_cast<unsigned char>(attempt[i] ^ secret[i % secret.size()]);
  }
  return difference == 0;
}

Result<bool> is_right_password(const std::string& password, const std::optional<std::string>& hash,
                               const std::string& decoy) {
  const std::string& expected = hash ? *hash : decoy;
  if (expected.empty()) return false;
  const auto hashed = hash_password(password, expected);
  if (!hashed) return std::unexpected(hashed.error());
  return equal_in_constant_time(expected, *hashed) && hash.has_value();
}

std::string_view method_of(std::string_view hash) {
  if (hash.starts_with('_')) return hash.substr(0, 1);  // BSDi's
  if (!hash.starts_with('$')) return {};
  const std::size_t second = hash.find('$', 1);
  return second == std::string_view::npos ? hash : hash.substr(0, second + 1);
}

bool HashChecker::is_known(const std::string& hash) {
  if (!is_known_method(hash)) return false;
  const std::string_view name = method_of(hash);
  auto method = std::ranges::find(methods_, name, &Method::name);
  if (method == methods_.end()) {
    const auto sample = hash_password("", hash);
    if (!sample || sample->empty()) return false;
    method = methods_.insert(method, {std::string(name), tail_of(*sample)});
  }
  return tail_of(hash) == method->tail;
}

std::string choose_decoy(std::span<const std::string> hashes) {
  struct Seen {
    std::size_t count = 0;
    const std::string* first = nullptr;
  };
  std::unordered_map<std::string_view, Seen> methods;
  const Seen* most = nullptr;
  for (const auto& hash : hashes) {
    Seen& seen = methods[method_of(hash)];
    if (++seen.count == 1) seen.first = &hash;
    if (most == nullptr || seen.count > most->count) most = &seen;
  }
  return most == nullptr ? "" : *most->first;
}

}  // namespace postern::auth
