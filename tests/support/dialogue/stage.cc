#include "support/dialogue/stage.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <span>

#include "base/integers.h"
#include "control/cdb.h"
#include "posix/environment.h"

namespace postern::test {
namespace {

constexpr std::array settings =
    std::to_array<std::string_view>({"control", "unreadable", "env", "args", "checker", "rcptcheck",
                                     "plugin", "limit", "addresses", "only"});
constexpr std::array queue_roles =
    std::to_array<std::string_view>({"exit", "text", "crash", "unstarted", "no-fork"});

bool has(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// The connection, unless the script says otherwise; nothing of the machine the test runs on.
void clear_environment() {
  for (const auto* name :
       {"PROTO", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPREMOTEPORT", "TCPLOCALHOST", "RELAYCLIENT",
        "DATABYTES", "SMTPAUTH", "RCPTCHECK", "QMAILQUEUE", "SMTPAUTHUSER", "SMTP_AUTH_USER",
        "SMTPAUTHMETHOD", "ENABLE_SPP", "NOSPP", "SPPCONFFILE"}) {
    unset_environment_variable(name);
  }
  set_environment_variable("TCPREMOTEIP", "192.0.2.1");
  set_environment_variable("TCPLOCALIP", "192.0.2.25");
}

// A line of a control file; of a .cdb file, a key.
Status add_control(const std::string& name, const std::string& value) {
  std::ofstream("control/" + name, std::ios::app) << value << "\n";
  if (!name.ends_with(".cdb")) return {};
  auto writer = control::CdbWriter::create("control/" + name, "control/new", 0644);
  if (!writer) return std::unexpected(writer.error());
  if (auto added = writer->add(value, ""); !added) return added;
  return writer->commit();
}

int number(const Step& step, std::size_t index) {
  if (step.arguments.size() <= index) return -1;
  return static_cast<int>(parse_decimal<unsigned>(step.arguments[index]).value_or(0));
}

// `plugin SECTION "OUTPUT"`, "plugin SECTION crash"
Status add_plugin(Roles& roles, const Step& step) {
  if (step.arguments.size() < 2) return failure("plugin needs a section and what it does");
  const std::string& how = step.arguments[1];
  constexpr auto words = std::to_array<std::string_view>({"exit", "crash", "unstarted"});
  if (has(words, how)) {
    roles.plugins.push_back({.how = how, .output = {}, .exit = number(step, 2)});
  } else {
    roles.plugins.push_back({.how = "print", .output = how});
  }
  set_environment_variable("ENABLE_SPP", "");
  return add_control("smtpplugins", "[" + step.arguments[0] + "]\n./plugin-" +
                                        std::to_string(roles.plugins.size()));
}

// "checker accept USER [SECRET]", "checker crash"
void set_checker(Roles& roles, const Step& step) {
  if (step.arguments[0] != "accept") {
    roles.checker = step.arguments[0];
    return;
  }
  roles.logins.push_back(
      {step.arguments.at(1), step.arguments.size() > 2 ? step.arguments[2] : std::string()});
}

}  // namespace

bool is_setting(const Step& step) {
  if (step.word == "queue") return has(queue_roles, step.arguments.at(0));
  return has(settings, step.word);
}

bool accepts(const Roles& roles, std::string_view bytes) {
  if (roles.checker == "anybody") return true;
  const std::string_view user = bytes.substr(0, bytes.find('\0'));
  return std::ranges::any_of(roles.logins, [&](const Roles::Login& login) {
    return login.user == user &&
           (login.secret.empty() || bytes.contains('\0' + login.secret + '\0'));
  });
}

Result<Stage> Stage::set(const std::vector<Step>& script) {
  clear_environment();
  std::filesystem::create_directory("control");
  std::filesystem::create_directory("seen");
  Stage stage;
  for (const auto& step : script) {
    if (!is_setting(step)) continue;
    if (step.arguments.empty()) return failure(step.word + " needs an argument");
    if (auto taken = stage.take(step); !taken) return std::unexpected(taken.error());
  }
  return stage;
}

Status Stage::take(const Step& step) {
  const std::string& first = step.arguments[0];
  const std::string second = step.arguments.size() > 1 ? step.arguments[1] : "";
  if (step.word == "control") return add_control(first, second);
  if (step.word == "plugin") return add_plugin(roles, step);
  if (step.word == "unreadable") {
    // A directory cannot be read as a file, not even by root.
    std::filesystem::create_directory("control/" + first);
  } else if (step.word == "env") {
    set_environment_variable(first.c_str(), second);
  } else if (step.word == "args") {
    arguments = step.arguments;
  } else if (step.word == "checker") {
    set_checker(roles, step);
  } else if (step.word == "rcptcheck") {
    set_environment_variable("RCPTCHECK", "./rcptcheck");
    roles.recipients = first;
    roles.recipients_exit = number(step, 1);
  } else if (step.word == "queue") {
    roles.queue = first;
    roles.queue_exit = number(step, 1);
    roles.queue_text = second;
  } else if (step.word == "limit") {
    most_files = number(step, 0);
  } else if (step.word == "addresses") {
    roles.addresses_known = false;
  }
  return {};  // "only" is for tests/dialog/CMakeLists.txt
}

}  // namespace postern::test
