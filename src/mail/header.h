// Header fields as lines: "Name: body" with continuation lines (RFC 5322 section 2.2), LF ended.
#pragma once

#include <optional>
#include <string_view>

namespace postern::mail {

/// The name of the field that begins `line`: printable, without blanks but for those before the
/// colon, which old software writes. Nothing: the line does not begin a field.
std::optional<std::string_view> field_name(std::string_view line);

/// What comes after the colon of a field, its line ends included.
std::string_view field_body(std::string_view field);

/// Whether the line goes on with the field before it.
bool is_continuation(std::string_view line);

}  // namespace postern::mail
