#include "inject/settings.h"

#include "base/ascii.h"
#include "control/read.h"
#include "posix/files.h"

namespace postern::inject {
namespace {

constexpr std::size_t most_mft_bytes = 16 << 20;  // of the file QMAILMFTFILE names

using Names = std::initializer_list<const char*>;

// The first of the variables that is set. An empty user or host is no user or host.
std::optional<std::string> first_of(const Environment& environment, Names names) {
  for (const char* name : names) {
    auto value = environment(name);
    if (value && !value->empty()) return value;
  }
  return std::nullopt;
}

// The first that is set, even if it is empty: QMAILNAME="" asks for no name.
std::optional<std::string> personal_name(const Environment& environment) {
  for (const char* name : {"QMAILNAME", "MAILNAME", "NAME"}) {
    if (auto value = environment(name)) {
      if (value->empty()) return std::nullopt;
      return value;
    }
  }
  return std::nullopt;
}

void set_letters(Settings& settings, std::string_view letters) {
  settings.address_comment_style = letters.contains('c');
  settings.ignore_return_path = letters.contains('s');
  settings.delete_from = letters.contains('f');
  settings.delete_message_id = letters.contains('i');
  settings.recipient_verp = letters.contains('r');
  settings.message_verp = letters.contains('m');
}

Result<std::vector<std::string>> read_mailing_lists(const Environment& environment) {
  std::vector<std::string> lists;
  const auto path = environment("QMAILMFTFILE");
  if (!path || path->empty()) return lists;
  const auto text = read_file(*path, most_mft_bytes);
  if (!text) {
    if (text.error().code == ENOENT) return lists;
    return std::unexpected(text.error());
  }
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, end));
    if (!line.empty() && !line.starts_with('#')) lists.emplace_back(line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return lists;
}

// A control file, unless the environment overrides it.
template <control::FileName file>
Status read_control(std::string& value, const Environment& environment, const char* variable) {
  if (auto override = environment(variable)) {
    value = *std::move(override);
    return {};
  }
  auto read = control::read<file>();
  if (!read) return std::unexpected(read.error());
  value = *std::move(read);
  return {};
}

Status read_controls(Settings& settings, const Environment& environment) {
  auto& defaults = settings.defaults;
  auto done = read_control<"defaultdomain">(defaults.domain, environment, "QMAILDEFAULTDOMAIN");
  if (done) done = read_control<"defaulthost">(defaults.host, environment, "QMAILDEFAULTHOST");
  if (done) done = read_control<"plusdomain">(defaults.plus_domain, environment, "QMAILPLUSDOMAIN");
  if (done) done = read_control<"idhost">(settings.id_host, environment, "QMAILIDHOST");
  return done;
}

// What is asked for may come from strangers, such as a web form's "your address" through
// sendmail -f. A line end in it would begin a header field of its own.
Environment without_line_ends(const Environment& environment) {
  return [&environment](const char* name) {
    auto value = environment(name);
    if (value) value = replace_all(replace_all(*value, '\n', ' '), '\r', ' ');
    return value;
  };
}

Status take_option(Arguments& taken, char letter) {
  switch (letter) {
    case 'a':
      taken.recipients = Recipients::arguments;
      return {};
    case 'A':
      taken.recipients = Recipients::arguments_or_header;
      return {};
    case 'h':
      taken.recipients = Recipients::header;
      return {};
    case 'H':
      taken.recipients = Recipients::both;
      return {};
    case 'n':
      taken.print = true;
      return {};
    case 'N':
      taken.print = false;
      return {};
    default:
      return failure("usage: qmail-inject [ -nNaAhH ] [ -fsender ] [ recip ... ]");
  }
}

}  // namespace

Result<Arguments> parse_arguments(std::span<const char* const> arguments) {
  Arguments taken;
  std::size_t i = 0;
  for (; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (word == "--") {
      ++i;
      break;
    }
    if (word.size() < 2 || word.front() != '-') break;
    for (word.remove_prefix(1); !word.empty(); word.remove_prefix(1)) {
      if (word.front() == 'f' && (word.size() > 1 || i + 1 < arguments.size())) {
        taken.sender = word.size() > 1 ? word.substr(1) : arguments[++i];
        break;
      }
      if (auto known = take_option(taken, word.front()); !known) {
        return std::unexpected(known.error());
      }
    }
  }
  taken.addresses.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
  return taken;
}

Result<Settings> read_settings(Arguments arguments, const Environment& raw_environment,
                               const std::string& qmail_home) {
  const Environment environment = without_line_ends(raw_environment);
  Settings settings;
  settings.arguments = std::move(arguments);
  auto lists = read_mailing_lists(environment);
  if (!lists) return std::unexpected(lists.error());
  settings.mailing_lists = *std::move(lists);

  if (auto moved = change_directory(qmail_home); !moved) return std::unexpected(moved.error());
  if (auto done = read_controls(settings, environment); !done) {
    return std::unexpected(done.error());
  }
  settings.user =
      first_of(environment, {"QMAILUSER", "MAILUSER", "USER", "LOGNAME"}).value_or("anonymous");
  const auto host = first_of(environment, {"QMAILHOST", "MAILHOST"});
  settings.host = mail::complete_host(host.value_or(settings.defaults.host), settings.defaults);
  settings.name = personal_name(environment);
  settings.sender_user = first_of(environment, {"QMAILSUSER"}).value_or(settings.user);
  settings.sender_host = mail::complete_host(
      first_of(environment, {"QMAILSHOST"}).value_or(settings.host), settings.defaults);
  set_letters(settings, environment("QMAILINJECT").value_or(""));
  return settings;
}

}  // namespace postern::inject
