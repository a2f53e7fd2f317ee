// Whom qmail-local delivers to, as its arguments say, and what programs in a .qmail file are told
// about it. Interface: qmail-local(8), qmail-command(8).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::local {

/// The eight arguments of qmail-local.
struct Recipient {
  std::string user;
  std::string home;
  std::string local;      // the address is local@host
  std::string dash;       // "" or "-"
  std::string extension;  // as in the address, its case kept
  std::string host;
  std::string sender;            // envelope sender; may be empty
  std::string default_delivery;  // what an absent or empty .qmail file means
};

struct Arguments {
  bool deliver = true;  // -n: only say what would be done
  Recipient recipient;
};
/// `arguments` without the program's name. Nothing: not the eight, an unknown option, or a home
/// directory that does not begin with '/'.
std::optional<Arguments> parse_arguments(std::span<const std::string> arguments);

/// The lines put before a delivered message, each with its line feed.
std::string format_delivered_to(const Recipient& recipient);  // "Delivered-To: joe@example.org\n"
std::string format_return_path(std::string_view sender);      // "Return-Path: <sender>\n"
std::string format_from_line(std::string_view sender, std::int64_t now);  // of an mbox

/// An environment variable's name and value.
using Variable = std::pair<std::string_view, std::string>;
/// What every program in a .qmail file is told. DEFAULT and NEWSENDER depend on the files found and
/// are set by the delivery itself.
std::vector<Variable> format_variables(const Recipient& recipient, std::int64_t now);

/// The extension as it stands in the names of .qmail files: lower-case, '.' turned into ':', so
/// that no address can name "..".
std::string safe_extension(std::string_view extension);

}  // namespace postern::local
