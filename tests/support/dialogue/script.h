// Dialogues with a server as text files that can be read aloud: tests/dialog/*.smtp. Each line of a
// script is one step; tests/dialog/README says what the steps are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::test {

struct Step {
  std::string word;                    // "S", "C", "control", ...
  std::vector<std::string> arguments;  // words; one in double quotes may hold blanks and \r \n \0
  std::string rest;                    // all behind the word, as it stands
  int line = 0;
};

/// Longest script, in lines: a dialogue that needs more is two.
inline constexpr int most_script_lines = 40;

Result<std::vector<Step>> parse_script(std::string_view text);

/// Whether the whole text is the pattern, in which '*' stands for any bytes.
bool matches(std::string_view text, std::string_view pattern);

/// The text with unprintable bytes shown as they are written in scripts.
std::string visible(std::string_view text);

}  // namespace postern::test
