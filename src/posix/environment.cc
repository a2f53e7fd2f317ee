#include "posix/environment.h"

#include <unistd.h>

#include <cstdlib>

namespace postern {
namespace {

bool names(const std::string& entry, std::string_view name) {
  return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
}

}  // namespace

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

void set_environment_variable(const char* name, const std::string& value) {
  ::setenv(name, value.c_str(), 1);
}

void unset_environment_variable(const char* name) { ::unsetenv(name); }

void replace_environment(std::vector<std::string>& entries) {
  ::clearenv();
  for (auto& entry : entries) ::putenv(entry.data());
}

std::vector<std::string> current_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) entries.emplace_back(*entry);
  return entries;
}

void set_in(std::vector<std::string>& environment, std::string_view name, std::string_view value) {
  unset_in(environment, name);
  environment.push_back(std::string(name).append("=").append(value));
}

void unset_in(std::vector<std::string>& environment, std::string_view name) {
  std::erase_if(environment, [&](const std::string& entry) { return names(entry, name); });
}

}  // namespace postern
