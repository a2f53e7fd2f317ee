// The environment, read as values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

/// Absent is not the same as empty: RELAYCLIENT="" allows relaying.
std::optional<std::string> environment_variable(const char* name);
void set_environment_variable(const char* name, const std::string& value);
void unset_environment_variable(const char* name);
/// `entries`, NAME=VALUE, are our environment from now on. They are not copied, and must stay.
void replace_environment(std::vector<std::string>& entries);
/// Our environment as NAME=VALUE strings, for SpawnSpec.
std::vector<std::string> current_environment();
/// The same with one variable set to a new value (replaced or added).
void set_in(std::vector<std::string>& environment, std::string_view name, std::string_view value);
void unset_in(std::vector<std::string>& environment, std::string_view name);

}  // namespace postern
