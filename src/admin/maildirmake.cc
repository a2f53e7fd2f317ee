// maildirmake directory: makes a Maildir (the directory with tmp, new and cur), for its owner
// alone. Exits 100 if used wrongly, 111 if it cannot.
#include <sys/stat.h>

#include <array>

#include "posix/program.h"

namespace {

using namespace postern;

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return;
  die(exit_code::temporary, Error{"unable to make " + path, errno});
}

}  // namespace

int main(int argc, char* argv[]) {
  return program({.name = "maildirmake"}, [&] {
    if (argc != 2) die(exit_code::permanent, "usage: maildirmake directory");
    ::umask(077);
    const std::string top = argv[1];
    make_directory(top);
    for (const char* part : {"/tmp", "/new", "/cur"}) make_directory(top + part);
    return exit_code::ok;
  });
}
