// instcheck: says what of the installation is missing or has another owner, group, mode or type
// than scripts/install gave it. Run by root, who may look everywhere. Exits 0 if nothing, 1 if
// something differs, 111 if it could not look.
#include "admin/installation_check.h"
#include "posix/files.h"
#include "posix/program.h"
#include "wire/home.h"

int main() {
  using namespace postern;
  return program({.name = "instcheck"}, [] {
    constexpr std::size_t most_bytes = 16 << 20;
    const auto passwd = read_file("/etc/passwd", most_bytes);
    if (!passwd) die(exit_code::temporary, passwd.error());
    const auto group = read_file("/etc/group", most_bytes);
    if (!group) die(exit_code::temporary, group.error());
    const auto layout = wire::installed_layout(wire::home());
    const auto differences = admin::check_installation(layout, *passwd, *group);
    for (const auto& difference : differences) warn(difference);
    return differences.empty() ? exit_code::ok : 1;
  });
}
