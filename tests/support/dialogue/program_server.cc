// The dialogue with the real program, over a socket pair; a stand-in plays the programs it runs.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/signals.h"
#include "posix/spawn.h"
#include "support/dialogue/server.h"

namespace postern::test {
namespace {

constexpr std::chrono::seconds patience{30};  // used up only when something is broken

std::optional<std::string> read_if_there(const std::string& path) {
  auto text = read_file(path, 1 << 30);
  if (!text) return std::nullopt;
  return std::move(*text);
}

std::string plugin_name(std::size_t index) { return "plugin-" + std::to_string(index + 1); }

// Orders for the stand-in: what it does when it is run under each of its names.
void write_orders(const Roles& roles) {
  std::ofstream("checker.orders") << roles.checker << "\n";
  std::ofstream logins("checker.logins");
  for (const auto& login : roles.logins) logins << login.user << "\t" << login.secret << "\n";
  std::ofstream("queue.orders") << roles.queue << " " << roles.queue_exit << "\n";
  std::ofstream("queue.text") << roles.queue_text;
  for (std::size_t i = 0; i < roles.plugins.size(); ++i) {
    const Roles::Plugin& plugin = roles.plugins[i];
    const std::string name = plugin_name(i);
    std::ofstream(name + ".orders") << plugin.how << " " << plugin.exit << "\n";
    std::ofstream(name + ".text") << plugin.output;
  }
  std::ofstream("rcptcheck.orders") << roles.recipients << " " << roles.recipients_exit << "\n";
}

void place_stand_ins(const Roles& roles, const std::string& stand_in) {
  std::filesystem::create_directory("bin");
  if (roles.queue != "unstarted") std::filesystem::create_symlink(stand_in, "bin/qmail-queue");
  if (roles.recipients != "unstarted") std::filesystem::create_symlink(stand_in, "rcptcheck");
  std::filesystem::create_symlink(stand_in, "checker");
  for (std::size_t i = 0; i < roles.plugins.size(); ++i) {
    if (roles.plugins[i].how == "unstarted") continue;
    std::filesystem::create_symlink(stand_in, plugin_name(i));
  }
}

class ProgramServer : public Server {
 public:
  ProgramServer(const Stage& stage, const std::string& program, const std::string& stand_in) {
    ignore_signal(SIGPIPE);
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // what ctest has left open is not for the program
    const std::string home = std::filesystem::current_path();
    set_environment_variable("QMAILHOME", home);
    set_environment_variable("STAND_IN_HOME", home);
    write_orders(stage.roles);
    place_stand_ins(stage.roles, stand_in);

    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) bug("no socket pair");
    socket_.reset(ends[0]);
    const Fd theirs(ends[1]);
    const auto log = open_file("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    SpawnSpec spec;
    spec.argv = {"qmail-smtpd"};
    spec.argv.insert(spec.argv.end(), stage.arguments.begin(), stage.arguments.end());
    spec.path = program;
    spec.fds = {{theirs.get(), 0}, {theirs.get(), 1}, {log->get(), 2}};
    if (stage.most_files) {
      // prlimit(1) sets the limit between fork and exec.
      spec.path = "/usr/bin/prlimit";
      spec.argv[0] = program;
      spec.argv.insert(spec.argv.begin(),
                       {"prlimit", "--nofile=" + std::to_string(*stage.most_files) + ":64"});
    }
    auto child = spawn(spec);
    if (!child) bug(describe(child.error()));
    child_ = std::move(*child);
  }

  void send(std::string_view bytes) override {
    sent_at_ = std::chrono::steady_clock::now();
    (void)write_all(socket_.get(), bytes, Deadline::after(patience));
  }
  void hang_up() override { ::shutdown(socket_.get(), SHUT_WR); }
  void be_silent() override {}

  std::optional<std::string> read_line() override {
    while (!input_.contains("\r\n") && receive()) {
    }
    const std::size_t end = input_.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string line = input_.substr(0, end);
    input_.erase(0, end + 2);
    return line;
  }

  std::optional<int> end() override {
    while (receive()) {
    }
    if (!input_.empty()) return std::nullopt;
    socket_.reset();  // as a client does when the server has closed
    const auto status = child_.wait();
    if (!status || status->crashed()) return std::nullopt;
    return status->code();
  }

  std::chrono::milliseconds pause() override { return pause_; }

  Seen seen() override {
    return {.message = read_if_there("seen/message"),
            .envelope = read_if_there("seen/envelope"),
            .checked = read_if_there("seen/checked"),
            .environment = read_if_there("seen/environment"),
            .recipient_check = read_if_there("seen/recipient-check"),
            .log = read_if_there("log").value_or("")};
  }

 private:
  bool receive() {
    char chunk[4096];
    const auto count = read_some(socket_.get(), chunk, Deadline::after(patience));
    if (!count || *count == 0) return false;
    input_.append(chunk, *count);
    pause_ = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - sent_at_);
    return true;
  }

  Fd socket_;
  Child child_;
  std::string input_;
  std::chrono::steady_clock::time_point sent_at_;
  std::chrono::milliseconds pause_{0};
};

}  // namespace

std::unique_ptr<Server> start_program(const Stage& stage, const std::string& program,
                                      const std::string& stand_in) {
  return std::make_unique<ProgramServer>(stage, program, stand_in);
}

}  // namespace postern::test
