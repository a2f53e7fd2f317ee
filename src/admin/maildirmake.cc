// maildirmake directory: makes a Maildir (the directory with tmp, new and cur), for its owner
// alone. maildirmake -f folder directory: makes a folder in a Maildir, as Courier-IMAP and Dovecot
// find it: the Maildir directory/.folder, marked by a file `maildirfolder`. Exits 100 if used
// wrongly, 111 if it cannot.
#include <sys/stat.h>

#include <string_view>

#include "posix/files.h"
#include "posix/program.h"

namespace {

using namespace postern;

constexpr const char* usage = "usage: maildirmake [-f folder] directory";

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return;
  die(exit_code::temporary, Error{"unable to make " + path, errno});
}

void make_maildir(const std::string& top) {
  make_directory(top);
  for (const char* part : {"/tmp", "/new", "/cur"}) make_directory(top + part);
}

// A name like Work.2026 is the folder 2026 in the folder Work; dots part, so none may stand alone.
bool is_folder_name(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && !name.ends_with('.') && !name.contains("..") &&
         !name.contains('/');
}

void make_folder(const std::string& maildir, const std::string& folder) {
  if (!is_folder_name(folder)) {
    die(exit_code::permanent, folder +
                                  ": a folder's name may not be empty, hold a '/', or begin, end "
                                  "or go on with a second '.'");
  }
  if (const auto there = stat_file(maildir + "/cur"); !there) {
    die(exit_code::temporary, Error{maildir + " is no Maildir", there.error().code});
  }
  const std::string top = maildir + "/." + folder;
  make_maildir(top);
  const auto mark = create_new_file(top + "/maildirfolder", 0600);
  if (!mark) die(exit_code::temporary, mark.error());
}

}  // namespace

int main(int argc, char* argv[]) {
  return program({.name = "maildirmake"}, [&] {
    ::umask(077);
    const bool is_folder = argc == 4 && std::string_view(argv[1]) == "-f";
    if (is_folder) {
      make_folder(argv[3], argv[2]);
    } else if (argc == 2 && argv[1][0] != '-') {
      make_maildir(argv[1]);
    } else {
      die(exit_code::permanent, usage);
    }
    return exit_code::ok;
  });
}
