// How alike two names are, to guess what a misspelt one was meant to be.
#pragma once

#include <cstddef>
#include <string_view>

namespace postern::admin {

/// The least number of letters to add, drop, change or swap with a neighbour that makes `b` of `a`.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace postern::admin
