// Whatever else has a parse_ of its own and belongs to one program: what is understood is written
// and parsed again, and an error is one line that names what it is about.
#include <array>
#include <functional>
#include <vector>

#include "admin/more_hosts.h"
#include "base/ascii.h"
#include "control/access_rules.h"
#include "fsck/fsck.h"
#include "fsck/queue_files.h"
#include "fuzz/support/input.h"
#include "inet/route.h"
#include "pop3/command.h"
#include "qmtp/null_client.h"
#include "remote/auth.h"
#include "smtpd/server_options.h"
#include "smtpd/spp_commands.h"
#include "smtpd/spp_config.h"
#include "spawn/passwd_assign.h"
#include "start/start_plan.h"
#include "wire/kept_worker.h"
#include "wire/layout.h"
#include "wire/maildirsize.h"
#include "wire/mailusers.h"
#include "wire/tcp_environment.h"

namespace postern::fuzz {
namespace {

std::vector<std::string> lines_of(std::string_view bytes) {
  std::vector<std::string> lines;
  for (Input input(bytes); !input.rest().empty();) lines.emplace_back(input.line());
  return lines;
}

// A line each, as a program gets them: without NULs.
class Arguments {
 public:
  explicit Arguments(std::string_view bytes) : words_(lines_of(bytes)) {
    for (std::string& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  [[nodiscard]] std::span<char* const> span() const {
    return std::span(pointers_).first(words_.size());
  }
  [[nodiscard]] char* const* argv() const { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

void kept_order(std::string_view bytes) {
  const auto words = wire::parse_kept_order(bytes);
  if (words) require(wire::format_kept_order(*words) == bytes, "an order is spelt one way");
}

void layout(std::string_view bytes) {
  const auto entries = wire::parse_layout(bytes, "/home");
  if (!entries) return require(!entries.error().what.empty(), "an error says something");
  for (const auto& entry : *entries) {
    require(entry.path.starts_with('/'), "every path of a layout is whole");
  }
}

void maildir_quota(std::string_view bytes) {
  const auto quota = wire::parse_maildir_quota(bytes);
  if (!quota) return;
  const auto again = wire::parse_maildir_quota(wire::format_maildir_quota(*quota));
  require(again && *again == *quota, "a quota comes back");
}

void more_hosts(std::string_view bytes) {
  const auto names = admin::parse_more_hosts(bytes);
  if (!names) return require(names.error().starts_with("line "), "an error names the line");
  for (const auto& name : *names) {
    require(!name.empty() && lower(name) == name && !name.contains('\n'), "names are names");
  }
}

void passage(std::string_view bytes) {
  const auto passage = fsck::parse_passage(bytes);
  if (!passage) return;
  const auto again = fsck::parse_passage(fsck::format_passage(*passage));
  require(again && *again == *passage, "a passage comes back");
}

void route(std::string_view bytes) {
  const auto route = inet::parse_route(bytes);
  if (route && route->credentials) require(!route->relay.empty(), "credentials are for a relay");
  if (!route) require(!route.error().what.contains('\n'), "an error is one line");
}

void secret(std::string_view bytes) {
  const auto secret = wire::parse_secret(bytes);
  if (!secret) return require(!secret.error().what.empty(), "an error says something");
  const auto again = wire::parse_secret(wire::format_secret(*secret));
  require(again && *again == *secret, "a secret comes back");
}

void servers(std::string_view bytes) {
  const auto lines = lines_of(bytes);
  require(qmtp::parse_servers(lines).size() <= lines.size(), "a line is one server at most");
}

void spp_config(std::string_view bytes) {
  const auto config = smtpd::parse_spp_config(lines_of(bytes), "control/smtpplugins");
  if (config) return;
  require(config.error().what.contains("control/smtpplugins"), "an error names the file");
}

void spp_output(std::string_view bytes) {
  for (const auto& command : smtpd::parse_spp_output(bytes)) {
    require(!command.text.contains('\n'), "a command is a line");
    require(command.text.empty() ||
                (command.text.data() >= bytes.data() &&
                 command.text.data() + command.text.size() <= bytes.data() + bytes.size()),
            "its text is a part of the output");
  }
}

void extensions(std::string_view bytes) { (void)remote::parse_extensions(bytes); }

void pop3_command(std::string_view bytes) {
  const auto command = pop3::parse_command(bytes);
  require(!command.verb.contains(' ') && !command.argument.starts_with(' '),
          "a command is split at its first blanks");
}

void assign_options(std::string_view bytes) {
  (void)spawning::parse_assign_options(Arguments(bytes).span());
}

void fsck_options(std::string_view bytes) {
  const Arguments arguments(bytes);
  const auto count = static_cast<int>(arguments.span().size());
  const auto options = fsck::parse_options(count, arguments.argv(), "/var/qmail");
  if (options) require(!options->queue.empty() && options->split > 0, "options are whole");
}

void start_arguments(std::string_view bytes) {
  const Arguments arguments(bytes);
  const auto parsed = start::parse_start_arguments(arguments.span());
  require(parsed.logger.size() <= arguments.span().size(), "the logger is a part of them");
}

void access_rule(std::string_view bytes) {
  for (const auto& setting : control::parse_access_rule(bytes).settings) {
    require(setting.value && !setting.name.contains('='), "a rule sets a variable that has a name");
  }
}

void setting(std::string_view bytes) {
  require(wire::format_setting(wire::parse_setting(bytes)) == bytes, "a setting is spelt one way");
}

void server_options(std::string_view bytes) {
  const auto lines = lines_of(bytes);
  const auto options = smtpd::parse_server_options(lines);
  if (!options) return;
  require(options->most_sessions > 0 && options->most_clients > 0, "somebody is served");
  require(options->session.size() + 2 <= lines.size(), "arguments come behind the port");
}

constexpr std::array<void (*)(std::string_view), 18> parsers = {
    kept_order,     layout,       maildir_quota,   more_hosts,  passage,    route,
    secret,         servers,      spp_config,      spp_output,  extensions, pop3_command,
    assign_options, fsck_options, start_arguments, access_rule, setting,    server_options};

}  // namespace

void try_input(Input input) {
  const auto parse = parsers[input.choose(parsers.size())];
  parse(input.rest());
}

}  // namespace postern::fuzz
