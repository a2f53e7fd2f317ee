// Bytes from strangers, made safe to stand in a log or a header.
#pragma once

#include <string>
#include <string_view>

namespace postern {

/// As qmail-send logs an address or a report: LF becomes '/', and every byte outside 33 to 126,
/// and '%', becomes '_', so that a field is one word.
std::string sanitize_for_log(std::string_view text);

/// As a Received field shows what a client claims: letters, digits and . @ % + / = : - [ ] stay,
/// every other byte becomes '?'.
std::string sanitize_for_received(std::string_view text);

}  // namespace postern
