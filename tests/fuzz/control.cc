// Control files that hold anything, read by every program that reads them.
#include "base/ascii.h"
#include "control/read.h"
#include "control/table.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "inject/settings.h"
#include "remote/controls.h"
#include "remote/route.h"
#include "send/settings.h"
#include "smtpd/settings.h"
#include "support/temporary_directory.h"

namespace postern::fuzz {
namespace {

template <class T>
void check(const Result<T>& result) {
  if (result) return;
  require(result.error().what.contains("control/"), "an error names the file");
  require(!result.error().what.contains('\n'), "an error is one line");
}

void read_file_as_its_kind(const control::Spec& spec) {
  const auto line = control::read_line_file(spec);
  check(line);
  if (line && *line) {
    require((*line)->find_first_of(std::string_view("\0\n", 2)) == std::string::npos,
            "a line is one line");
  }
  const auto list = control::read_list_file(spec);
  check(list);
  if (list && *list) {
    for (const auto& entry : **list) {
      require(!entry.empty() && !entry.contains('\n') && trim_end(entry) == entry &&
                  !entry.ends_with('\r'),
              "an entry is a line without blanks at its end");
    }
  }
  check(control::read_number_file(spec));
}

// A route's error may be reported to a stranger: no password in it.
void look_up_routes(const remote::Controls& controls) {
  for (const char* host : {"a.example.org", "b"}) {
    const auto route =
        remote::find_route(controls.authsenders, controls.smtproutes, "joe@example.org", host);
    if (!route) {
      for (const char* shown : {"|secret", " secret", "\tsecret"}) {
        require(!route.error().what.contains(shown), "an error holds no password");
      }
    } else if (*route && (*route)->credentials) {
      require(!(*route)->relay.empty(), "credentials are for a relay");
    }
  }
}

class Home {
 public:
  Home() {
    std::filesystem::create_directories("control");
    write_file("control/me", "mx.example.org\n");
  }
  const std::string& path() const { return directory_.path(); }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace

void try_input(Input input) {
  static const Home home;
  const auto& spec = control::table[input.choose(control::table.size())];
  if (spec.kind == control::Kind::cdb) return;  // see cdb.cc
  const std::string path = control::path_of(spec);
  write_file(path, input.rest());

  read_file_as_its_kind(spec);
  check(smtpd::read_settings({}));
  check(send::read_settings(home.path()));
  if (const auto controls = remote::read_controls()) {
    look_up_routes(*controls);
  } else {
    check(controls);
  }
  check(inject::read_settings({}, [](const char*) { return std::nullopt; }, home.path()));

  ::unlink(path.c_str());
  if (spec.file == "me") write_file(path, "mx.example.org\n");
}

}  // namespace postern::fuzz
