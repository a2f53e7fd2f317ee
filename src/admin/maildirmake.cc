// maildirmake directory: makes a Maildir (the directory with tmp, new and cur), for its owner
// alone. maildirmake -f folder directory: makes a folder in a Maildir, as Courier-IMAP and Dovecot
// find it: the Maildir directory/.folder, marked by a file `maildirfolder`. maildirmake -q quota
// directory: gives a Maildir a quota (docs/wire/maildirsize.md). Exits 100 if used wrongly, 111 if
// it cannot.
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "posix/files.h"
#include "posix/identity.h"
#include "posix/program.h"
#include "wire/maildirsize.h"

namespace {

using namespace postern;

constexpr const char* usage = "usage: maildirmake [-f folder | -q quota] directory";

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

void check_maildir(const std::string& maildir) {
  const auto there = stat_file(maildir + "/cur");
  if (!there) die(exit_code::temporary, Error{maildir + " is no Maildir", there.error().code});
}

// Root goes on as the owner of the mailbox: links that the owner has put into it lead no further
// than the owner gets without us, and the file is one that the owner's deliveries can write to.
void become_owner(const std::string& maildir) {
  struct stat info{};
  if (::geteuid() != 0) return;
  if (::lstat(maildir.c_str(), &info) != 0) die(exit_code::temporary, Error{maildir, errno});
  if (!S_ISDIR(info.st_mode)) die(exit_code::temporary, Error{maildir, ENOTDIR});
  if (info.st_uid == 0) return;
  const auto done = become({.uid = info.st_uid, .gid = info.st_gid, .groups = {}});
  if (!done) die(exit_code::temporary, done.error());
}

// Without a second line the mailbox is counted at its next delivery.
void set_quota(const std::string& maildir, const std::string& text) {
  const auto quota = wire::parse_maildir_quota(text);
  if (!quota) {
    die(exit_code::permanent, text +
                                  ": a quota is a number of bytes with an S behind it, of messages "
                                  "with a C, or both: 10000000S,1000C");
  }
  check_maildir(maildir);
  become_owner(maildir);
  const auto done = replace_file(maildir + "/maildirsize", maildir + "/tmp/maildirsize",
                                 wire::format_maildir_quota(*quota) + "\n", 0600);
  if (!done) die(exit_code::temporary, done.error());
}

void make_folder(const std::string& maildir, const std::string& folder) {
  if (!is_folder_name(folder)) {
    die(exit_code::permanent, folder +
                                  ": a folder's name may not be empty, hold a '/', or begin, end "
                                  "or go on with a second '.'");
  }
  check_maildir(maildir);
  const std::string top = maildir + "/." + folder;
  make_maildir(top);
  const auto mark = create_new_file(top + "/maildirfolder", 0600);
  if (!mark) die(exit_code::temporary, mark.error());
}

}  // namespace

int main(int argc, char* argv[]) {
  return program({.name = "maildirmake"}, [&] {
    ::umask(077);
    const std::string_view option = argc == 4 ? argv[1] : "";
    if (option == "-f") {
      make_folder(argv[3], argv[2]);
    } else if (option == "-q") {
      set_quota(argv[3], argv[2]);
    } else if (argc == 2 && argv[1][0] != '-') {
      make_maildir(argv[1]);
    } else {
      die(exit_code::permanent, usage);
    }
    return exit_code::ok;
  });
}
