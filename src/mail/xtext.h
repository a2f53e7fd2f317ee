// xtext (RFC 3461 section 4): how SMTP parameters carry text that is no word, "+3D" for '='.
#pragma once

#include <string>
#include <string_view>

namespace postern::mail {

/// '+', '=' and every byte outside 33 to 126 become '+' and two upper-case hex digits.
std::string format_xtext(std::string_view text);

/// The text that was encoded. A '+' without two hex digits after it stays as it is.
std::string parse_xtext(std::string_view xtext);

}  // namespace postern::mail
