// qmail-newmrh: makes control/morercpthosts.cdb from control/morercpthosts. Run by root after each
// change. Exits 111, with the cdb as it was, when that fails.
#include "admin/more_hosts.h"
#include "posix/files.h"
#include "posix/program.h"
#include "wire/home.h"

int main() {
  using namespace postern;
  return program({.name = "qmail-newmrh"}, [] {
    auto done = change_directory(wire::home());
    if (done) done = admin::make_more_hosts_cdb();
    if (!done) die(exit_code::temporary, done.error());
    return exit_code::ok;
  });
}
