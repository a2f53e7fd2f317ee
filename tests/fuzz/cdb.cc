// cdb files that lie about their offsets, and the texts that such files are made from.
#include "control/cdb.h"
#include "auth/mail_account.h"
#include "base/ascii.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "spawn/assign.h"
#include "spawn/assigned_users.h"
#include "support/temporary_directory.h"

namespace postern::fuzz {
namespace {

using control::Cdb;

// A look-up's key, then the file.
void any_key(Input input) {
  const std::string key(input.line());
  write_file("file.cdb", input.rest());
  auto mapped = Cdb::open("file.cdb");
  auto read = Cdb::open("file.cdb", Cdb::Access::by_reading);
  if (!mapped || !read) return;
  const auto found = mapped->find(key);
  const auto found_too = read->find(key);
  // A damaged file need not be damaged in the same way for both; but no value is made up.
  if (found && found_too) require(*found == *found_too, "both ways find the same");
  if (found && *found) {
    require(input.rest().contains(**found), "what is found is in the file");
  }
}

void users(Input input) {
  const std::string local(input.line());
  write_file("users/cdb", input.rest());
  auto cdb = Cdb::open("users/cdb");
  if (!cdb) return;
  const auto user = spawning::find_user(*cdb, local);
  if (user && *user) require((*user)->uid != static_cast<uid_t>(-1), "a user has a uid");
}

void mail_users(Input input) {
  // How long a hash takes is its maker's choice (crypt(5)): those with a cost are left out.
  if (input.rest().find_first_of("$_") != std::string_view::npos) return;
  const std::string name(input.line());
  write_file("users/mailusers.cdb", input.rest());
  const auto account = auth::verify_mail_user(".", {name, "secret", std::nullopt});
  if (account && *account) {
    require((*account)->home.starts_with('/') && !name.empty(), "an account has a home");
  }
}

// users/assign: whoever stands in it is found in the cdb made from it.
void assign(Input input) {
  const auto records = spawning::parse_assign(input.rest());
  if (!records) {
    require(records.error().line > 0 && !records.error().what.contains('\n'),
            "an error has a line");
    return;
  }
  write_file("users/assign", input.rest());
  require(spawning::make_users_cdb().has_value(), "a sound text can be compiled");
  auto cdb = Cdb::open("users/cdb");
  require(cdb.has_value(), "what we have made can be read");
  for (const auto& [key, value] : *records) {
    const auto found = cdb->find(key);
    require(found && *found, "every key is there");
    if (key.size() < 2 || key.back() != '\0') continue;
    const auto user = spawning::find_user(*cdb, key.substr(1, key.size() - 2));
    require(user && *user, "every address has its user");
    require(*user == wire::parse_local_user(**found), "which is the one its line names");
  }
}

constexpr std::array tries = {any_key, users, mail_users, assign};

}  // namespace

void try_input(Input input) {
  static const test::TemporaryDirectory directory;
  static const bool made = std::filesystem::create_directory("users");
  require(made, "there is a directory");
  tries[input.choose(tries.size())](input);
}

}  // namespace postern::fuzz
