#include "admin/control_sample.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace postern::admin {
namespace {

using control::Default;
using control::Kind;
using control::Spec;

struct Example {
  std::string_view file;
  std::string_view lines;
};

constexpr std::array examples = std::to_array<Example>({
    // clang-format off
    {"authsenders", "# joe@example.org:relay.example.com:587|joe|secret\n"
                    "# @example.net:relay.example.com\n"},
    {"badmailfrom", "joe@spam.example\n@spam.example\n"},
    {"badrcptto", "everybody@example.org\n@old.example.org\n"},
    {"bouncefrom", "MAILER-DAEMON\n"},
    {"bouncehost", "mail.example.org\n"},
    {"concurrencyincoming", "40\n"},
    {"concurrencylocal", "10\n"},
    {"concurrencyremote", "20\n"},
    {"databytes", "0\n"},
    {"defaultdelivery", "./Maildir/\n"},
    {"defaultdomain", "example.org\n"},
    {"defaulthost", "example.org\n"},
    {"doublebouncehost", "mail.example.org\n"},
    {"doublebounceto", "postmaster\n"},
    {"envnoathost", "mail.example.org\n"},
    {"helohost", "mail.example.org\n"},
    {"idhost", "mail.example.org\n"},
    {"localiphost", "mail.example.org\n"},
    {"locals", "localhost\nmail.example.org\nexample.org\n"},
    {"me", "mail.example.org\n"},
    {"morercpthosts", "example.com\n.example.com\n"},
    {"percenthack", "example.org\n"},
    {"plusdomain", "example.org\n"},
    {"qmqpservers", "192.0.2.1\n192.0.2.2\n"},
    {"queuelifetime", "604800\n"},
    {"rcpthosts", "localhost\nmail.example.org\nexample.org\n.example.org\n"},
    {"smtpgreeting", "mail.example.org\n"},
    {"smtpplugins", "# [helo]\n"
                    "# :bin/plugins/badhelo example.com spammers.example\n"
                    "# [rcpt]\n"
                    "# bin/plugins/rcptexists\n"},
    {"smtproutes", "# A relay for everything, with user and password in base64:\n"
                   "# :relay.example.com:587 am9l c2VjcmV0\n"
                   "# Another for one domain and what is below it; none for a third:\n"
                   "# example.net:relay.example.net\n"
                   "# .example.net:relay.example.net\n"
                   "# intern.example:\n"},
    {"timeoutconnect", "60\n"},
    {"timeoutremote", "1200\n"},
    {"timeoutsmtpd", "1200\n"},
    {"virtualdomains", "example.net:joe\n.example.net:joe\njane@example.com:jane\n"},
    // clang-format on
});
static_assert(std::ranges::equal(examples, control::table, {}, &Example::file, &Spec::file),
              "every control file needs an example");

}  // namespace

std::string describe_default(const Spec& spec) {
  if (spec.otherwise == Default::me) return "what control/me holds";
  if (spec.otherwise == Default::none) return "none";
  std::string text(spec.literal);
  if (!spec.unit.empty()) text.append(" ").append(spec.unit);
  return text;
}

std::string_view describe_form(Kind kind) {
  switch (kind) {
    case Kind::line:
      return "One line.\nThe rest of the file is not read.";
    case Kind::number:
      return "A whole number in the first line.\nThe rest of the file is not read.";
    case Kind::list:
      return "One entry a line.\nLines that begin with # are not read.";
    case Kind::map:
      return "A key, a colon and a value on each line; the last line of a key counts.\n"
             "Lines that begin with # are not read.";
    case Kind::cdb:
      return "One entry a line; run qmail-newmrh after every change.\n"
             "Lines that begin with # are not read.";
  }
  return {};
}

std::string_view sample_lines(const Spec& spec) {
  return std::ranges::find(examples, spec.file, &Example::file)->lines;
}

std::string format_sample(const Spec& spec) {
  std::string comment = "# control/" + std::string(spec.file) + ", read by ";
  comment.append(spec.readers).append(".\n# ").append(spec.meaning).append("\n# ");
  for (const char c : describe_form(spec.kind)) c == '\n' ? comment += "\n# " : comment += c;
  comment.append("\n# Absent: ");
  comment.append(describe_default(spec)).append(".\n");
  const bool is_single = spec.kind == Kind::line || spec.kind == Kind::number;
  const std::string lines(sample_lines(spec));
  return is_single ? lines + comment : comment + lines;
}

}  // namespace postern::admin
