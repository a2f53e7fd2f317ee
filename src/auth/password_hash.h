// Passwords against hashes, through libcrypt (crypt(3)), giving nothing away by how long it takes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::auth {

/// Compares in a time that depends on the length of `attempt` alone, which whoever sent it knows.
/// An empty secret equals nothing.
bool equal_in_constant_time(std::string_view secret, std::string_view attempt);

/// The outcome of checking `password` against `hash`; without a hash (no such account, or a locked
/// one) against `decoy`, whose outcome is never "right": the time it takes is what matters.
/// Error: libcrypt could not, mostly for want of memory (yescrypt, Debian's default, needs 16 MB).
Result<bool> is_right_password(const std::string& password, const std::optional<std::string>& hash,
                               const std::string& decoy);

/// Whether libcrypt on this machine knows the method of `hash`, and its length is that method's.
/// Tells `hash` from a password that stands in its place; costs one hash of each method.
class HashChecker {
 public:
  bool is_known(const std::string& hash);

 private:
  struct Method {
    std::string name;
    std::size_t tail;  // bytes after the last '$'
  };
  std::vector<Method> methods_;
};

/// The beginning of a hash that names its method, "$6$"; empty for the traditional one.
std::string_view method_of(std::string_view hash);

/// The first hash of the method that most of `hashes` have; empty when there are none.
std::string choose_decoy(std::span<const std::string> hashes);

}  // namespace postern::auth
