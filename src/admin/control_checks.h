// What is likely to be wrong with a set of control files although each can be read: names nobody
// reads, entries nothing can match, files that contradict one another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::admin {

/// Every suspicion, a sentence each with the mend. The current directory is the qmail home. Files
/// that cannot be read are not spoken of: reporting them does that.
std::vector<std::string> check_control_files();

/// What is wrong with the name of a file in control/. Empty: nothing.
std::string check_control_name(std::string_view name);

}  // namespace postern::admin
