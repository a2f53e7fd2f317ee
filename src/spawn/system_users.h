// The real user database, through the name service switch: for dynamically linked programs only.
#pragma once

#include <span>

#include "spawn/getpw.h"

namespace postern::spawning {

class SystemUsers : public UserDatabase {
 public:
  Result<std::optional<SystemUser>> find(const std::string& name) override;
  Result<std::optional<uid_t>> owner_of(const std::string& directory) override;
};

/// qmail-getpw: everything after main(). Prints the answer on `output`; the exit code is 0, a
/// LocalExit, or 100 without an argument.
int print_user_of(std::span<char* const> arguments, int output);

}  // namespace postern::spawning
