// qmail-showctl: shows the control files, what stands for those that are absent, what reads them,
// and what is likely to be wrong with them. Exits 111 if one cannot be read or makes no sense.
#include <algorithm>
#include <iterator>

#include "admin/control_checks.h"
#include "admin/control_report.h"
#include "admin/rule_checks.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "wire/home.h"

int main() {
  using namespace postern;
  return program({.name = "qmail-showctl"}, [] {
    if (const auto done = change_directory(wire::home()); !done) {
      die(exit_code::temporary, done.error());
    }
    std::string text = admin::report_build() + "\n";
    std::vector<std::string> problems;
    for (const auto& spec : control::table) {
      auto lines = admin::report_control_file(spec);
      text += lines ? *lines : std::string(spec.file) + ": cannot be used.\n";
      // What is wrong with control/me is wrong with every file that it stands in for.
      if (!lines && std::ranges::find(problems, describe(lines.error())) == problems.end()) {
        problems.push_back(describe(lines.error()));
      }
    }
    std::vector<std::string> warnings = admin::check_control_files();
    if (wire::home() == wire::default_home) {  // another home is not what tcpserver's rules are for
      std::ranges::move(admin::check_connection_rules("/etc/tcp.smtp"),
                        std::back_inserter(warnings));
    }
    for (const auto& warning : warnings) text += "\nwarning: " + warning + "\n";
    for (const auto& problem : problems) text += "\nerror: " + problem + "\n";
    if (const auto done = write_all(1, text); !done) die(exit_code::temporary, done.error());
    return problems.empty() ? exit_code::ok : exit_code::temporary;
  });
}
