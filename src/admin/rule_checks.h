// What is likely to be wrong with the rules by which tcpserver lets clients connect, /etc/tcp.smtp.
#pragma once

#include <string>
#include <vector>

namespace postern::admin {

/// Every suspicion, a sentence each with the mend. `path` is the text that tcprules compiles, and
/// `path`.cdb the outcome. A file that is absent or cannot be read is not spoken of.
std::vector<std::string> check_connection_rules(const std::string& path);

}  // namespace postern::admin
