// The real user database, through the name service switch: for dynamically linked programs only.
// Nothing that has been found out is kept for the next question.
#pragma once

#include "spawn/getpw.h"

namespace postern::spawning {

class SystemUsers : public UserDatabase {
 public:
  Result<std::optional<SystemUser>> find(const std::string& name) override;
  Result<std::optional<uid_t>> owner_of(const std::string& directory) override;
};

}  // namespace postern::spawning
