#include "admin/control_checks.h"

#include <dirent.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "admin/edit_distance.h"
#include "base/ascii.h"
#include "control/cdb.h"
#include "control/read.h"
#include "inet/route.h"
#include "posix/files.h"
#include "wire/delivery_order.h"

namespace postern::admin {
namespace {

using control::FileName;
using Warnings = std::vector<std::string>;

constexpr std::size_t likely_misspelling = 2;  // letters

// Files that are not in the table and still belong there.
constexpr std::array<std::string_view, 1> other_files = {"morercpthosts.cdb"};

std::vector<std::string> list_of(FileName file) {
  return control::read_list(file.spec()).value_or(std::vector<std::string>{});
}

bool is_there(FileName file) { return control::is_present(file.spec()).value_or(true); }

std::optional<std::uint64_t> number_of(FileName file) {
  const auto number = control::read_number_file(file.spec());
  return number ? *number : std::nullopt;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// Whether qmail-smtpd takes mail for a host from strangers.
class AcceptedHosts {
 public:
  AcceptedHosts() {
    if (is_there("rcpthosts")) {
      hosts_ = control::HostSet(list_of("rcpthosts"));
    } else if (const auto me = control::read_me()) {
      hosts_ = control::HostSet({*me});
    }
    if (auto more = control::Cdb::open("control/morercpthosts.cdb"))
      more_.emplace(std::move(*more));
  }
  bool accept(std::string_view host) {
    const std::string name = lower(host);
    return std::ranges::any_of(control::host_keys(name, false), [&](std::string_view key) {
      return hosts_.contains(key) || (more_ && more_->find(key).value_or(std::nullopt));
    });
  }

 private:
  control::HostSet hosts_;
  std::optional<control::Cdb> more_;
};

void check_me(Warnings& warnings) {
  const auto me = control::read_me();
  if (!me && me.error().code == ENOENT) {
    warnings.push_back(me.error().what + ".");
  } else if (me && (!me->contains('.') || me->find_first_of(" \t") != std::string::npos)) {
    warnings.push_back("control/me holds " + quoted(*me) +
                       ", which is no full host name: write one like mail.example.org.");
  }
}

void check_rcpthosts(Warnings& warnings) {
  if (!is_there("rcpthosts")) {
    warnings.emplace_back(
        "control/rcpthosts is absent: strangers may send to the host in control/me and nowhere "
        "else. List the domains to accept mail for.");
    if (is_there("morercpthosts")) {
      warnings.emplace_back(
          "control/morercpthosts.cdb is not looked at while control/rcpthosts is absent.");
    }
  }
  for (const auto& line : list_of("rcpthosts")) {
    const std::string entry = "control/rcpthosts has the entry " + quoted(line);
    if (line.contains('@')) {
      warnings.push_back(entry + ", which no host matches: leave out what is before the '@'.");
    } else if (line == ".") {
      warnings.push_back(entry + ", which only a host name ending in a dot matches.");
    } else if (line.front() == '.' && !line.substr(1).contains('.')) {
      warnings.push_back(entry + ": strangers may send through this host to every host in " +
                         line.substr(1) + ".");
    }
  }
}

// A local or virtual domain that strangers cannot send to is rarely meant.
void check_acceptance(Warnings& warnings) {
  AcceptedHosts accepted;
  const auto check = [&](std::string_view file, std::string_view host) {
    if (host.empty() || host.front() == '.' || accepted.accept(host)) return;
    warnings.push_back(
        "control/" + std::string(file) + " has " + quoted(host) +
        ", but neither control/rcpthosts nor control/morercpthosts: strangers cannot "
        "send to it.");
  };
  for (const auto& host : list_of("locals")) check("locals", host);
  for (const auto& line : list_of("virtualdomains")) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon + 1 == line.size()) continue;
    const std::string_view key = std::string_view(line).substr(0, colon);
    check("virtualdomains", key.substr(key.rfind('@') + 1));
  }
}

// Whoever may write to such a host may write to anybody: the rest of user%host@it is routed on.
void check_percenthack(Warnings& warnings) {
  AcceptedHosts accepted;
  for (const auto& host : list_of("percenthack")) {
    if (!accepted.accept(host)) continue;
    warnings.push_back("control/percenthack has " + quoted(host) +
                       ", which strangers may write to: with user%host@" + host +
                       " they send through this host to anybody. Remove it there, or from "
                       "control/rcpthosts.");
  }
}

void check_virtualdomains(Warnings& warnings) {
  const control::HostSet locals(list_of("locals"));
  for (const auto& line : list_of("virtualdomains")) {
    const std::string key = line.substr(0, line.find(':'));
    if (locals.contains(key)) {
      warnings.push_back("control/virtualdomains has " + quoted(key) +
                         ", but so has control/locals, which is looked at first: remove it there.");
    }
  }
}

void check_routes(Warnings& warnings) {
  const control::HostSet locals(list_of("locals"));
  for (const auto& line : list_of("smtproutes")) {
    const std::string key = line.substr(0, line.find(':'));
    if (locals.contains(key)) {
      warnings.push_back("control/smtproutes has " + quoted(key) +
                         ", but so has control/locals: its mail is delivered here.");
    }
  }
}

// Lines without a colon say nothing, and of two lines for a key only the last counts.
void check_map(FileName file, Warnings& warnings) {
  const std::string path = control::path_of(file.spec());
  std::map<std::string, std::string> values;
  for (const auto& line : list_of(file)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) {
      // Not the line itself: it may hold a password.
      warnings.push_back(path + " has a line that begins with " +
                         quoted(line.substr(0, line.find_first_of(" \t|"))) +
                         " and has no colon: it is ignored.");
      continue;
    }
    const std::string key = lower(line.substr(0, colon));
    const auto [place, is_new] = values.insert({key, line.substr(colon + 1)});
    if (!is_new && place->second != line.substr(colon + 1)) {
      warnings.push_back(path + " has more than one line for " + quoted(key) +
                         ": only the last one counts.");
    }
  }
}

// Read as qmail-remote reads them. The line itself is not shown: it may hold a password.
void check_relays(FileName file, Warnings& warnings) {
  const std::string path = control::path_of(file.spec());
  bool has_credentials = false;
  std::size_t number = 0;
  for (const auto& line : list_of(file)) {
    ++number;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view value = trim(std::string_view(line).substr(colon + 1));
    has_credentials |= value.find_first_of("| \t") != std::string_view::npos;
    const auto route = inet::parse_route(value);
    if (route) continue;
    warnings.push_back(path + ", entry " + std::to_string(number) + ": " + route.error().what +
                       ". Mail for this route stays in the queue.");
  }
  const auto info = stat_file(path);
  if (has_credentials && info && (info->st_mode & S_IROTH) != 0) {
    warnings.push_back(path + " holds passwords and everybody may read it: chgrp qmail " + path +
                       " && chmod 640 " + path + ".");
  }
}

void check_addresses(FileName file, Warnings& warnings) {
  for (const auto& line : list_of(file)) {
    if (line.contains('@')) continue;
    warnings.push_back(control::path_of(file.spec()) + " has the entry " + quoted(line) +
                       ", which no address matches: write user@host or @host.");
  }
}

void check_morercpthosts(Warnings& warnings) {
  const auto text = stat_file("control/morercpthosts");
  const auto compiled = stat_file("control/morercpthosts.cdb");
  if (text && (!compiled || text->st_mtime > compiled->st_mtime)) {
    warnings.emplace_back(
        "control/morercpthosts is newer than its compiled form: run qmail-newmrh.");
  }
}

void check_numbers(Warnings& warnings) {
  for (const FileName file : {FileName("concurrencylocal"), FileName("concurrencyremote")}) {
    const auto number = number_of(file);
    const std::string path = control::path_of(file.spec());
    if (number == 0) {
      warnings.push_back(path + " is 0: no such deliveries are made.");
    } else if (number && *number > wire::spawn_limit && *number <= wire::most_deliveries(1)) {
      warnings.push_back(path + " is " + std::to_string(*number) + ", but up to 255 the limit is " +
                         std::to_string(wire::spawn_limit) + ", fixed when the suite was built.");
    } else if (number && *number > wire::most_deliveries(2)) {
      warnings.push_back(path + " is " + std::to_string(*number) + "; the most there can be is " +
                         std::to_string(wire::most_deliveries(2)) + ".");
    }
  }
  for (const FileName file : {FileName("timeoutconnect"), FileName("timeoutremote"),
                              FileName("timeoutsmtpd"), FileName("queuelifetime")}) {
    if (number_of(file) == 0) {
      warnings.push_back(control::path_of(file.spec()) +
                         " is 0: there would be no time for anything.");
    }
  }
}

void check_default_delivery(Warnings& warnings) {
  const auto text = control::read_line_file(FileName("defaultdelivery").spec());
  if (text && (!*text || (**text).empty())) {
    warnings.emplace_back(
        "control/defaultdelivery is absent or empty: write ./Maildir/ into it, or rc starts "
        "nothing.");
  }
}

// The readers are not root: qmail-send and qmail-remote have the group qmail, qmail-smtpd has no
// group of the suite's, and qmail-inject is whoever calls it.
void check_modes(Warnings& warnings) {
  for (const auto& spec : control::table) {
    if (spec.readers == "rc" || spec.readers == "run scripts") continue;
    const bool group_will_do = spec.readers == "qmail-send" || spec.readers == "qmail-remote";
    const mode_t wanted = group_will_do ? S_IROTH | S_IRGRP : S_IROTH;
    const std::string path = control::path_of(spec);
    const auto info = stat_file(path);
    if (!info || (info->st_mode & wanted) != 0) continue;
    std::string warning = path;
    warning.append(" cannot be read by ").append(spec.readers).append(": ");
    if (group_will_do) warning.append("chgrp qmail ").append(path).append(" && ");
    warning.append(group_will_do ? "chmod 640 " : "chmod 644 ").append(path).append(".");
    warnings.push_back(std::move(warning));
  }
}

void check_names(Warnings& warnings) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir("control"), ::closedir);
  if (!stream) return;
  std::set<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) names.insert(entry->d_name);
  for (const auto& name : names) {
    if (auto warning = check_control_name(name); !warning.empty()) {
      warnings.push_back(std::move(warning));
    }
  }
}

}  // namespace

std::string check_control_name(std::string_view name) {
  // Locks of the programs that edit these files, and the dot files of editors and directories.
  if (name.starts_with('.') || name.ends_with(".lock")) return {};
  if (std::ranges::find(other_files, name) != other_files.end()) return {};
  const control::Spec* nearest = nullptr;
  std::size_t least = likely_misspelling + 1;
  for (const auto& spec : control::table) {
    const std::size_t distance = edit_distance(lower(name), spec.file);
    if (name == spec.file) return {};
    if (distance < least) {
      least = distance;
      nearest = &spec;
    }
  }
  const std::string complaint = "control/" + std::string(name) + " is read by nothing";
  if (nearest == nullptr) return complaint + ".";
  return complaint + ": is it meant to be control/" + std::string(nearest->file) + "?";
}

std::vector<std::string> check_control_files() {
  Warnings warnings;
  check_me(warnings);
  check_names(warnings);
  check_modes(warnings);
  check_default_delivery(warnings);
  check_rcpthosts(warnings);
  check_morercpthosts(warnings);
  check_acceptance(warnings);
  check_percenthack(warnings);
  check_virtualdomains(warnings);
  check_routes(warnings);
  for (const FileName file :
       {FileName("virtualdomains"), FileName("smtproutes"), FileName("authsenders")}) {
    check_map(file, warnings);
  }
  check_relays("smtproutes", warnings);
  check_relays("authsenders", warnings);
  check_addresses("badmailfrom", warnings);
  check_addresses("badrcptto", warnings);
  check_numbers(warnings);
  return warnings;
}

}  // namespace postern::admin
