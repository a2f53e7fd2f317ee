// The dialogue with the session object, in this process.
#include <algorithm>
#include <map>

#include "base/ascii.h"
#include "base/integers.h"
#include "smtpd/session.h"
#include "support/dialogue/server.h"
#include "wire/envelope.h"
#include "wire/queue_exit.h"

namespace postern::test {
namespace {

using namespace smtpd;

class Checker : public PasswordChecker {
 public:
  Checker(const Stage& stage, Seen& seen) : stage_(stage), seen_(seen) {}

  Verdict check(const std::string& bytes) override {
    seen_.checked = bytes;
    if (!program_is_there()) return Verdict::unstarted;
    const std::string& how = stage_.roles.checker;
    if (how == "crash") return Verdict::failed;
    if (how == "no-pipe") return Verdict::no_pipe;
    if (how == "unwritten") return Verdict::unwritten;
    return accepts(stage_.roles, bytes) ? Verdict::accepted : Verdict::rejected;
  }
  bool accepts_anybody() override {
    const bool open = stage_.roles.checker == "anybody";
    if (open) seen_.log += "qmail-smtpd: warning: AUTH is off: the checker accepts anybody\n";
    return open;
  }
  void announce(std::string_view, Mechanism) override {}

 private:
  // The scripts name the stand-in "./checker", and a checker that is missing otherwise.
  bool program_is_there() const { return std::ranges::count(stage_.arguments, "./checker") > 0; }
  const Stage& stage_;
  Seen& seen_;
};

class Message : public OutgoingMessage {
 public:
  Message(const Roles& roles, Seen& seen) : roles_(roles), seen_(seen) {}
  void write(std::string_view bytes) override { message_ += bytes; }
  void sender(std::string_view address) override { envelope_.sender = address; }
  void recipient(std::string_view address) override { envelope_.recipients.emplace_back(address); }
  wire::QueueReply finish() override {
    if (roles_.queue == "crash") return {std::string(wire::queue_crashed), 4711};
    if (roles_.queue == "text") return {roles_.queue_text, 4711};
    if (roles_.queue == "unstarted") return {std::string(wire::queue_exit_text(120)), 0};
    if (roles_.queue == "exit" && roles_.queue_exit != 0) {
      return {std::string(wire::queue_exit_text(roles_.queue_exit)), 4711};
    }
    seen_.message = message_;
    seen_.envelope = wire::format_envelope(envelope_);
    return {"", 4711};
  }

 private:
  const Roles& roles_;
  Seen& seen_;
  std::string message_;
  wire::Envelope envelope_;
};

class Queue : public MessageQueue {
 public:
  Queue(const Roles& roles, Seen& seen) : roles_(roles), seen_(seen) {}
  Result<std::unique_ptr<OutgoingMessage>> open() override {
    if (roles_.queue == "no-fork") return failure("unable to fork", EAGAIN);
    return std::make_unique<Message>(roles_, seen_);
  }

 private:
  const Roles& roles_;
  Seen& seen_;
};

class Recipients : public RecipientCheck {
 public:
  Recipients(const Roles& roles, Seen& seen) : roles_(roles), seen_(seen) {}
  Verdict check(const std::string& sender, const std::string& recipient) override {
    seen_.recipient_check = sender + " " + recipient;
    if (roles_.recipients != "exit" || roles_.recipients_exit == 120) return Verdict::broken;
    if (roles_.recipients_exit == 100) return Verdict::no_mailbox;
    return roles_.recipients_exit == 111 ? Verdict::try_later : Verdict::accept;
  }

 private:
  const Roles& roles_;
  Seen& seen_;
};

class Plugins : public PluginPrograms {
 public:
  Plugins(const Roles& roles, Seen& seen) : roles_(roles), seen_(seen) {}
  Result<std::string> run(const std::string& plugin) override {
    const auto index = parse_decimal<std::size_t>(std::string_view(plugin).substr(9));  // ./plugin-
    const Roles::Plugin& role = roles_.plugins.at(index.value_or(0) - 1);
    if (role.how == "crash") return failure("it crashed");
    if (role.how == "unstarted") return failure("unable to run " + plugin, ENOENT);
    if (role.how == "exit" && role.exit == 120) return failure("it could not be run (exit 120)");
    seen_.environment = "";
    for (const auto& [name, value] : variables_) {
      seen_.environment->append(name).append("=").append(value).append(1, '\0');
    }
    return role.output;
  }
  void set(const std::string& name, std::string_view value) override { variables_[name] = value; }
  void unset(const std::string& name) override { variables_.erase(name); }

 private:
  const Roles& roles_;
  Seen& seen_;
  std::map<std::string, std::string> variables_;
};

class Addresses : public HostAddresses {
 public:
  explicit Addresses(const Roles& roles) : roles_(roles) {}
  Result<bool> are_named_by(std::string_view literal) override {
    if (!roles_.addresses_known) return failure("unable to list our network addresses", EMFILE);
    return literal == "[127.0.0.1]";
  }

 private:
  const Roles& roles_;
};

class SessionServer : public Server {
 public:
  explicit SessionServer(const Stage& stage)
      : stage_(stage),
        checker_(stage_, seen_),
        queue_(stage_.roles, seen_),
        recipients_(stage_.roles, seen_),
        plugins_(stage_.roles, seen_),
        addresses_(stage_.roles) {
    auto settings = read_settings(stage_.arguments);
    if (!settings) {
      seen_.log = "qmail-smtpd: warning: " + describe(settings.error()) + "\n";
      take({.text = format_reply(reply::no_controls), .exit = 1});
      return;
    }
    session_ =
        std::make_unique<Session>(std::move(*settings), Services{.checker = checker_,
                                                                 .queue = queue_,
                                                                 .recipient_check = recipients_,
                                                                 .plugins = plugins_,
                                                                 .addresses = addresses_,
                                                                 .now = [] { return 1048235800; },
                                                                 .pid = 21936});
    take(session_->greet());
  }

  void send(std::string_view bytes) override {
    input_ += bytes;
    while (!exit_ && !input_.empty() && step()) {
    }
  }
  void hang_up() override {
    if (!exit_) exit_ = 1;
  }
  void be_silent() override { take(Session::time_out()); }

  std::optional<std::string> read_line() override {
    const std::size_t end = output_.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string line = output_.substr(0, end);
    output_.erase(0, end + 2);
    return line;
  }
  std::optional<int> end() override { return output_.empty() ? exit_ : std::nullopt; }
  std::chrono::milliseconds pause() override { return pause_; }
  Seen seen() override { return seen_; }

 private:
  // As the connection does it; false when a line is not whole yet.
  bool step() {
    if (session_->in_data()) {
      const auto taken = session_->feed_data(input_);
      input_.erase(0, taken.bytes);
      take(taken.answer);
      return true;
    }
    const std::size_t end = input_.find('\n');
    if (end == std::string::npos) return false;
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    const bool fits = line.size() <= Session::most_line_bytes + 1;
    take(fits ? session_->feed_line(line) : session_->line_too_long());
    return true;
  }

  void take(const Answer& answer) {
    output_ += answer.text;
    if (!answer.text.empty()) pause_ = answer.pause;
    if (answer.exit) exit_ = answer.exit;
    if (!answer.log.empty()) seen_.log += "qmail-smtpd: warning: " + answer.log + "\n";
  }

  const Stage& stage_;
  Seen seen_;
  Checker checker_;
  Queue queue_;
  Recipients recipients_;
  Plugins plugins_;
  Addresses addresses_;
  std::unique_ptr<Session> session_;
  std::string input_;
  std::string output_;
  std::chrono::milliseconds pause_{0};
  std::optional<int> exit_;
};

}  // namespace

std::unique_ptr<Server> start_session(const Stage& stage) {
  return std::make_unique<SessionServer>(stage);
}

}  // namespace postern::test
