// The one table of control files: what each is called, what it holds when it is absent, who reads
// it. Readers, qmail-showctl, the samples in control/ and the manual are loops over it.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace postern::control {

enum class Kind {
  line,    // the first line
  number,  // the first line, a decimal number
  list,    // one entry a line; '#' begins a comment line
  map,     // key:value lines; the last line of a key wins
  cdb,     // a constant database, key to empty value
};

/// What stands for a file that is absent.
enum class Default {
  none,     // nothing at all: an empty list, no limit
  literal,  // the text in the table
  me,       // control/me
};

struct Spec {
  std::string_view file;
  Kind kind;
  Default otherwise;
  std::string_view literal;  // with Default::literal
  std::string_view unit;     // of a number
  std::string_view readers;  // the programs that read it
  std::string_view meaning;  // a sentence
};

inline constexpr std::array table = std::to_array<Spec>({
    // clang-format off
    {"authsenders", Kind::map, Default::none, "", "", "qmail-remote",
     "Relays, with credentials, chosen by the envelope sender: sender:relay[:port]|user|password."},
    {"badmailfrom", Kind::list, Default::none, "", "", "qmail-smtpd",
     "Envelope senders (or @domains) whose recipients are all refused."},
    {"badrcptto", Kind::list, Default::none, "", "", "qmail-smtpd",
     "Envelope recipients (or @domains) that are refused."},
    {"bouncefrom", Kind::line, Default::literal, "MAILER-DAEMON", "", "qmail-send",
     "User name in the From field of bounces."},
    {"bouncehost", Kind::line, Default::me, "bouncehost", "", "qmail-send",
     "Host name in the From field of bounces."},
    {"concurrencyincoming", Kind::number, Default::none, "", "connections", "run scripts",
     "Most SMTP connections served at a time."},
    {"concurrencylocal", Kind::number, Default::literal, "10", "deliveries",
     "qmail-send qmail-start", "Most local deliveries at a time; 0 stops local deliveries."},
    {"concurrencyremote", Kind::number, Default::literal, "20", "deliveries",
     "qmail-send qmail-start", "Most remote deliveries at a time; 0 stops remote deliveries."},
    {"databytes", Kind::number, Default::literal, "0", "bytes", "qmail-smtpd qmail-qmtpd",
     "Largest message accepted; 0 means no limit."},
    {"defaultdelivery", Kind::line, Default::none, "", "", "rc",
     "What to do with mail for a user who has no .qmail file."},
    {"defaultdomain", Kind::line, Default::me, "defaultdomain", "", "qmail-inject",
     "Added to a host name without a dot."},
    {"defaulthost", Kind::line, Default::me, "defaulthost", "", "qmail-inject",
     "Added to an address without a host name."},
    {"doublebouncehost", Kind::line, Default::me, "doublebouncehost", "", "qmail-send",
     "Host name of the address that double bounces go to."},
    {"doublebounceto", Kind::line, Default::literal, "postmaster", "", "qmail-send",
     "User name of the address that double bounces go to."},
    {"envnoathost", Kind::line, Default::me, "envnoathost", "", "qmail-send",
     "Added to an envelope recipient without a host name."},
    {"helohost", Kind::line, Default::me, "helohost", "", "qmail-remote",
     "The name this host gives itself in HELO and EHLO."},
    {"idhost", Kind::line, Default::me, "idhost", "", "qmail-inject",
     "Host name in a Message-ID."},
    {"localiphost", Kind::line, Default::me, "localiphost", "", "qmail-smtpd",
     "Stands for this host's address in brackets, in a recipient."},
    {"locals", Kind::list, Default::me, "locals", "", "qmail-send",
     "Host names whose mail is delivered here."},
    {"me", Kind::line, Default::none, "", "", "everything",
     "The name of this host, and the default of many other files."},
    {"morercpthosts", Kind::cdb, Default::none, "", "", "qmail-smtpd qmail-qmtpd",
     "More of rcpthosts, compiled into morercpthosts.cdb by qmail-newmrh."},
    {"percenthack", Kind::list, Default::none, "", "", "qmail-send",
     "Host names for which user%host in the local part is routed on to host."},
    {"plusdomain", Kind::line, Default::me, "plusdomain", "", "qmail-inject",
     "Added to a host name that ends in a plus sign."},
    {"qmqpservers", Kind::list, Default::none, "", "", "qmail-qmqpc",
     "Addresses of the QMQP servers a null client hands its mail to."},
    {"queuelifetime", Kind::number, Default::literal, "604800", "seconds", "qmail-send",
     "How long delivery is tried before a message is returned."},
    {"rcpthosts", Kind::list, Default::none, "", "", "qmail-smtpd qmail-qmtpd",
     "Domains that mail is accepted for from strangers; absent, control/me alone."},
    {"smtpgreeting", Kind::line, Default::me, "smtpgreeting", "", "qmail-smtpd",
     "The greeting; its first word should be this host's name."},
    {"smtpplugins", Kind::list, Default::none, "", "", "qmail-smtpd",
     "Plugins of qmail-spp, in sections [connection] [helo] [mail] [rcpt] [data] [auth]; read where $ENABLE_SPP is set."},
    {"smtproutes", Kind::map, Default::none, "", "", "qmail-remote",
     "Relays by recipient domain: domain:relay[:port], with credentials where the relay wants them."},
    {"timeoutconnect", Kind::number, Default::literal, "60", "seconds", "qmail-remote",
     "How long to wait for a connection to be accepted."},
    {"timeoutremote", Kind::number, Default::literal, "1200", "seconds", "qmail-remote",
     "How long to wait for each answer of a remote server."},
    {"timeoutsmtpd", Kind::number, Default::literal, "1200", "seconds", "qmail-smtpd",
     "How long to wait for each piece of a client's input."},
    {"virtualdomains", Kind::map, Default::none, "", "", "qmail-send",
     "Domains, hosts or addresses given to a local user: domain:user."},
    // clang-format on
});
static_assert(std::ranges::is_sorted(table, {}, &Spec::file));

/// A control file's name as a template argument: one that is not in the table does not compile.
struct FileName {
  std::size_t index;
  // NOLINTNEXTLINE(google-explicit-constructor): read<"me">() is the whole point.
  consteval FileName(const char* name) : index(table.size()) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table[i].file == name) index = i;
    }
    if (index == table.size()) throw "no such control file";  // ends the compilation, never runs
  }
  [[nodiscard]] constexpr const Spec& spec() const { return table[index]; }
};

}  // namespace postern::control
