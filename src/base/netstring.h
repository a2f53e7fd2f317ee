// Netstrings: "3:abc,". Format: cr.yp.to/proto/netstrings.txt; strict, so that no length can wrap.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

std::string format_netstring(std::string_view text);

/// Takes one netstring off the front of `input` and returns what it holds (a view into it).
/// Nothing, and `input` unchanged: the bytes do not begin with a whole, well-formed netstring.
std::optional<std::string_view> take_netstring(std::string_view& input);

}  // namespace postern
