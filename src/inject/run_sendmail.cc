#include "inject/run_sendmail.h"

#include <unistd.h>

#include "inject/sendmail_arguments.h"
#include "mail/address.h"
#include "posix/environment.h"
#include "posix/files.h"
#include "posix/identity.h"
#include "posix/io.h"
#include "posix/program.h"
#include "posix/spawn.h"
#include "wire/home.h"

namespace postern::inject {
namespace {

// From will show the sender asked for, not the user who runs this.
void set_author(const SendmailArguments& arguments) {
  if (arguments.name) set_environment_variable("MAILNAME", *arguments.name);
  if (!arguments.sender || arguments.sender->empty() || *arguments.sender == "<>") return;
  const auto parts = mail::split_address(*arguments.sender);
  set_environment_variable("QMAILUSER", std::string(parts.local));
  if (parts.has_host) set_environment_variable("QMAILHOST", std::string(parts.host));
}

// Daemons such as cron run us without these variables, and a bounce to "anonymous" reaches nobody.
// qmail-inject itself has no other source, as in qmail; sendmail has always known its caller.
void name_caller() {
  for (const char* name : {"QMAILUSER", "MAILUSER", "USER", "LOGNAME"}) {
    if (!environment_variable(name).value_or("").empty()) return;
  }
  const auto passwd = read_file("/etc/passwd", most_user_database);
  if (!passwd) return;
  if (const auto name = find_local_name(*passwd, ::getuid())) {
    set_environment_variable("LOGNAME", *name);
  }
}

Outcome become_program(const SpawnSpec& spec) { return temporary(execute(spec)); }

// Packages run newaliases when they are installed; that must not fail, and is no news for a log.
Outcome say_where_aliases_are(const std::string& home) {
  const auto said = write_all(1, "newaliases: nothing to rebuild: the file " + home +
                                     "/alias/.qmail-NAME is read whenever mail for NAME comes\n");
  return said ? Outcome{} : temporary(said.error());
}

}  // namespace

Outcome run_sendmail(std::span<const char* const> argv) {
  const bool named = !argv.empty();
  const auto arguments =
      parse_sendmail_arguments(named ? argv[0] : "sendmail", argv.subspan(named ? 1 : 0));
  if (!arguments) return permanent(arguments.error());
  const std::string home = wire::home();
  switch (arguments->mode) {
    case SendmailMode::deliver:
      set_author(*arguments);
      name_caller();
      // In the caller's directory: QMAILMFTFILE may be relative to it.
      return become_program(
          {.argv = inject_arguments(*arguments), .path = home + "/bin/qmail-inject"});
    case SendmailMode::smtp:
      return become_program(
          {.argv = {"qmail-smtpd"}, .path = "bin/qmail-smtpd", .directory = home});
    case SendmailMode::list_queue:
      return become_program(
          {.argv = {"qmail-qread"}, .path = "bin/qmail-qread", .directory = home});
    case SendmailMode::aliases:
      return say_where_aliases_are(home);
    case SendmailMode::run_queue:
      return {};
  }
  bug("unknown mode of sendmail");
}

}  // namespace postern::inject
