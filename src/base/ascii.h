// Letters, blanks and case as mail knows them: ASCII only, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace postern {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
/// 33 to 126: neither a blank, nor a control, nor 8-bit.
constexpr bool is_visible(char c) { return c > ' ' && c < 0x7f; }

std::string lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
bool ends_with_ignoring_case(std::string_view text, std::string_view suffix);

/// Without blanks and tabs at either end.
std::string_view trim(std::string_view text);
/// Without blanks, tabs and line feeds at the end, as qmail reads the lines of its files.
std::string_view trim_end(std::string_view text);

/// The text with every `from` turned into `to`.
std::string replace_all(std::string_view text, char from, char to);

}  // namespace postern
