#include "local/deliver.h"

#include <sys/stat.h>

#include <csignal>

#include "local/command.h"
#include "local/dot_qmail.h"
#include "local/forward.h"
#include "local/maildir.h"
#include "local/mbox.h"
#include "local/message.h"
#include "local/quota.h"
#include "local/recipient.h"
#include "local/search.h"
#include "posix/clock.h"
#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/signals.h"
#include "wire/home.h"
#include "wire/kept_worker.h"

namespace postern::local {
namespace {

void say(int fd, std::string_view text) { (void)write_all(fd, text); }

std::expected<CommandEnd, Failure> go_on_after(const Outcome& outcome) {
  if (!outcome) return std::unexpected(outcome.error());
  return CommandEnd::done;
}

// All that the .qmail files say about this message.
struct Plan {
  DotQmail dot_qmail;
  std::string new_sender;  // of what is forwarded
};

class LocalDelivery {
 public:
  LocalDelivery(Arguments arguments, MaildirNames& names, const Streams& streams, Message message)
      : arguments_(std::move(arguments)),
        names_(names),
        streams_(streams),
        message_(std::move(message)),
        now_(unix_time()),
        delivered_to_(format_delivered_to(to())),
        return_path_(format_return_path(to().sender)) {}

  Outcome run();
  [[nodiscard]] bool started_programs() const { return programs_ > 0 || !forwards_.empty(); }

 private:
  [[nodiscard]] const Recipient& to() const { return arguments_.recipient; }

  Outcome check_home() const;
  Outcome check_loop() const;
  std::expected<Plan, Failure> make_plan() const;
  std::expected<DotQmail, Failure> read_instructions() const;
  Outcome follow(const Plan& plan);
  void count(const Instruction& instruction);
  void show(const Instruction& instruction) const;
  std::expected<CommandEnd, Failure> perform(const Instruction& instruction);
  void report() const;

  Arguments arguments_;
  MaildirNames& names_;
  Streams streams_;
  Message message_;
  std::int64_t now_;
  std::string delivered_to_;
  std::string return_path_;
  unsigned files_ = 0;
  unsigned programs_ = 0;
  std::vector<std::string> forwards_;
  pid_t qp_ = 0;
};

Outcome LocalDelivery::run() {
  if (auto checked = check_home(); !checked) return checked;
  if (auto checked = check_loop(); !checked) return checked;
  for (const auto& [name, value] : format_variables(to(), now_)) {
    set_environment_variable(std::string(name).c_str(), value);
  }
  const auto plan = make_plan();
  if (!plan) return std::unexpected(plan.error());
  set_environment_variable("NEWSENDER", plan->new_sender);
  return follow(*plan);
}

Outcome LocalDelivery::check_home() const {
  if (const auto changed = change_directory(to().home); !changed) {
    return defer_for("Unable to switch to " + to().home, changed.error().code);
  }
  const auto info = stat_file(".");
  if (!info) return defer_for("Unable to stat home directory", info.error().code);
  if ((info->st_mode & writable_by_others) != 0) {
    return defer("Uh-oh: home directory is writable. (#4.7.0)");
  }
  if ((info->st_mode & S_ISVTX) == 0) return {};
  if (arguments_.deliver) {
    return defer("Home directory is sticky: user is editing his .qmail file. (#4.2.1)");
  }
  say(streams_.problems, "Warning: home directory is sticky.\n");
  return {};
}

Outcome LocalDelivery::check_loop() const {
  const auto looping = has_header_line(message_, delivered_to_);
  if (!looping) return defer(std::string(unreadable_message));
  if (!*looping) return {};
  return bounce("This message is looping: it already has my Delivered-To line. (#5.4.6)");
}

std::expected<Plan, Failure> LocalDelivery::make_plan() const {
  auto dot_qmail = read_instructions();
  if (!dot_qmail) return std::unexpected(dot_qmail.error());
  CurrentDirectory home;
  auto new_sender = find_new_sender(home, to());
  if (!new_sender) return std::unexpected(new_sender.error());
  return Plan{std::move(*dot_qmail), std::move(*new_sender)};
}

std::expected<DotQmail, Failure> LocalDelivery::read_instructions() const {
  CurrentDirectory home;
  const auto found = find_dot_qmail(home, to());
  if (!found) return std::unexpected(found.error());
  unset_environment_variable("DEFAULT");
  if (!*found) {
    if (!to().dash.empty()) return bounce("Sorry, no mailbox here by that name. (#5.1.1)");
    return parse_dot_qmail(to().default_delivery, false);
  }
  const DotQmailFile& file = **found;
  if (file.default_part) set_environment_variable("DEFAULT", *file.default_part);
  const auto text = read_to_end(file.file.fd.get(), most_dot_qmail_bytes);
  if (!text) return defer_for("Unable to read " + file.name, text.error().code);
  if (text->empty()) return parse_dot_qmail(to().default_delivery, false);
  return parse_dot_qmail(*text, (file.file.mode & S_IXUSR) != 0);
}

Outcome LocalDelivery::follow(const Plan& plan) {
  bool stopped = false;
  for (const auto& instruction : plan.dot_qmail.instructions) {
    count(instruction);
    if (!arguments_.deliver) {
      show(instruction);
      continue;
    }
    const auto end = perform(instruction);
    if (!end) return std::unexpected(end.error());
    stopped = *end == CommandEnd::done_stop;
    if (stopped) break;
  }
  if (!stopped && plan.dot_qmail.problem) return std::unexpected(*plan.dot_qmail.problem);
  if (!forwards_.empty() && arguments_.deliver) {
    const auto qp =
        forward_message({plan.new_sender, forwards_}, delivered_to_, message_, wire::home());
    if (!qp) return std::unexpected(qp.error());
    qp_ = *qp;
  }
  report();
  return {};
}

void LocalDelivery::count(const Instruction& instruction) {
  switch (instruction.kind) {
    case Instruction::Kind::maildir:
    case Instruction::Kind::mbox:
      ++files_;
      return;
    case Instruction::Kind::program:
      ++programs_;
      return;
    case Instruction::Kind::forward:
      forwards_.push_back(instruction.text);
      return;
  }
}

void LocalDelivery::show(const Instruction& instruction) const {
  say(streams_.report,
      std::string(name_of(instruction.kind)).append(" ").append(instruction.text).append("\n"));
}

std::expected<CommandEnd, Failure> LocalDelivery::perform(const Instruction& instruction) {
  const std::string head = return_path_ + delivered_to_;
  switch (instruction.kind) {
    case Instruction::Kind::maildir:
      return go_on_after(deliver_within_quota(instruction.text, head, message_, names_));
    case Instruction::Kind::mbox:
      return go_on_after(
          deliver_to_mbox(instruction.text, format_from_line(to().sender, now_) + head, message_));
    case Instruction::Kind::program:
      return run_command(instruction.text, message_);
    case Instruction::Kind::forward:
      return CommandEnd::done;  // all together, at the end
  }
  bug("unknown kind of instruction");
}

void LocalDelivery::report() const {
  std::string text = "did " + std::to_string(files_) + "+" + std::to_string(forwards_.size()) +
                     "+" + std::to_string(programs_) + "\n";
  if (qp_ != 0) text += "qp " + std::to_string(qp_) + "\n";
  say(streams_.report, text);
}

}  // namespace

Ending deliver(std::span<const std::string> arguments, MaildirNames& names,
               const Streams& streams) {
  ::umask(077);
  ignore_signal(SIGPIPE);
  const auto fail = [&](int code, std::string_view text) {
    if (!text.empty()) say(streams.problems, std::string(text) + "\n");
    return Ending{code, false};
  };
  const auto parsed = parse_arguments(arguments);
  if (!parsed) {
    return fail(exit_code::permanent,
                "qmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender "
                "defaultdelivery");
  }
  auto message = Message::open(streams.message);
  if (!message) {
    const bool pipe = message.error().code == ESPIPE;
    return fail(exit_code::temporary,
                pipe ? "Unable to rewind message. (#4.3.0)" : unreadable_message);
  }
  LocalDelivery delivery(*parsed, names, streams, std::move(*message));
  if (const Outcome outcome = delivery.run(); !outcome) {
    return fail(outcome.error().code, outcome.error().text);
  }
  return {exit_code::ok, delivery.started_programs()};
}

int run(std::span<char* const> arguments) {
  if (arguments.empty()) return exit_code::permanent;
  auto worker = wire::KeptWorker::from_environment(arguments.front(), wire::local_program);
  auto names = MaildirNames::of_this_process();
  Fd message(0);
  const auto rest = arguments.subspan(1);
  Ending ending = deliver(std::vector<std::string>(rest.begin(), rest.end()), names);
  while (ending.code == exit_code::ok && !ending.left_behind) {
    message.reset();  // the text may be large, and as a file without a name still hold its number
    auto order = worker.next(ending.code);
    if (!order) {
      say(Streams{}.problems, "Unable to take another message. (#4.3.0)\n");
      return exit_code::temporary;
    }
    if (!*order) break;
    message = std::move((*order)->message);
    ending = deliver((*order)->arguments, names, {.message = message.get()});
  }
  return ending.code;
}

}  // namespace postern::local
