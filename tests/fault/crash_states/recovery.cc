// crash_recovery DIRECTORY LOCAL-DOMAIN...: what becomes of a queue that a crash has left.
//
// Reads states from descriptor 0, makes each one below DIRECTORY (paths /var/qmail/queue/... and
// /home/...), lets qmail-send's engine and qmail-clean's code work on it until nothing happens any
// more, then for another week and a half, and writes what was delivered, bounced and left over to
// descriptor 1. Everything is in this process, and nothing waits: thousands of states take seconds.
// Deliveries are made with qmail-local's code; bounces are kept instead of queued (bounces.h).
//
//   state:   number of files, line feed; for each: path, blank, length, line feed, bytes
//   outcome: records of kind, blank, name, blank, length, line feed, bytes; the last is "end  0"
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bounces.h"
#include "local/maildir.h"
#include "local/mbox.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/signals.h"
#include "queue/clean_server.h"
#include "send/engine.h"

// Without threads the engine's workers work at once, in its own thread: then a turn of the loop in
// which nothing happens means that nothing ever will.
extern "C" int pthread_create(pthread_t* /*thread*/, const pthread_attr_t* /*attributes*/,
                              void* (* /*main*/)(void*), void* /*argument*/) noexcept {
  return EAGAIN;
}

namespace postern::crash_states {
namespace {

namespace fs = std::filesystem;
using send::Channel;
using send::Engine;
using send::Link;

constexpr std::size_t number_bytes = 1;
constexpr int most_idle_turns = 4;
constexpr std::int64_t lifetime = 604800;
constexpr std::int64_t later = lifetime + 86400;

void record(const std::string& kind, const std::string& name, const std::string& bytes) {
  std::printf("%s %s %zu\n", kind.c_str(), name.c_str(), bytes.size());
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  if (!file.flush()) std::abort();
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string read_what_has_come(const Fd& fd) {
  std::string bytes;
  char piece[16384];
  for (;;) {
    const ssize_t count = ::read(fd.get(), piece, sizeof piece);
    if (count <= 0) return bytes;
    bytes.append(piece, static_cast<std::size_t>(count));
  }
}

struct Peer {
  Fd fd;
  std::string bytes;
};

Link connect(Peer& peer) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
  peer.fd = Fd(fds[1]);
  (void)set_nonblocking(fds[1]);
  return std::move(*Link::open(Fd(fds[0]), Fd(::fcntl(fds[0], F_DUPFD_CLOEXEC, 0))));
}

constexpr const char* users[] = {"alice", "bob", "carol"};

/// The directories of a queue and of the users' homes, and the state in them.
class Disk {
 public:
  explicit Disk(std::string root) : root_(std::move(root)) {
    for (const std::string flat : {"pid", "intd", "todo", "bounce"}) make(queue(flat));
    fs::create_directories(queue("lock"));
    ::mkfifo(queue("lock/trigger").c_str(), 0600);
    for (wire::MessageId i = 0; i < wire::queue_split; ++i) {
      for (const char* kind : {"mess", "info", "local", "remote"}) {
        fs::create_directories(queue(wire::split_directory(kind, i)));
      }
    }
    for (const std::string user : users) {
      make(home_of(user));
      for (const std::string part : {"tmp", "new", "cur"}) make(home_of(user) + "/Maildir/" + part);
    }
  }

  [[nodiscard]] std::string home() const { return root_ + "/var/qmail"; }
  [[nodiscard]] std::string queue(const std::string& path) const {
    return home() + "/queue/" + path;
  }
  [[nodiscard]] std::string home_of(const std::string& user) const {
    return root_ + "/home/" + user;
  }

  void put(const std::string& path, const std::string& bytes) {
    write_file(root_ + path, bytes);
    const auto id = wire::parse_message_id(path.substr(path.rfind('/') + 1));
    if (id && path.starts_with("/var/qmail/queue/")) splits_.insert(*id % wire::queue_split);
  }

  /// Calls `visit` with the path and the name within DIRECTORY of each file.
  template <typename Visit>
  void each_file(Visit visit) const {
    const auto look_into = [&](const std::string& directory) {
      for (const auto& entry : fs::directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        visit(entry.path().string(), entry.path().string().substr(root_.size()));
      }
    };
    for (const std::string& directory : directories_) look_into(directory);
    // A message's files stand in the directories of its number, and only there.
    for (const wire::MessageId split : splits_) {
      for (const char* kind : {"mess", "info", "local", "remote"}) {
        look_into(queue(wire::split_directory(kind, split)));
      }
    }
  }

  void clear() {
    each_file([](const std::string& path, const std::string&) { ::unlink(path.c_str()); });
    splits_.clear();
  }

 private:
  void make(const std::string& directory) {
    fs::create_directories(directory);
    directories_.push_back(directory);
  }

  std::string root_;
  std::vector<std::string> directories_;  // not of the split kinds
  std::set<wire::MessageId> splits_;      // in use
};

/// qmail-send at work on a state, and everything around it.
class Recovery {
 public:
  Recovery(const Disk& disk, const send::Settings& settings)
      : disk_(disk), now_(::time(nullptr)), names_{"host", 1, [this] { return now_; }, {}} {
    auto pipe = make_pipe();
    log_read_ = std::move(pipe->read);
    log_write_ = std::move(pipe->write);
    (void)set_nonblocking(log_read_.get());
    ::fcntl(log_write_.get(), F_SETPIPE_SZ, 1 << 20);
    Engine::Links links{connect(local_), connect(remote_), connect(clean_)};
    engine_ = std::make_unique<Engine>(
        settings, send::DeliveryCounts{.local = {0, 10}, .remote = {0, 20}}, number_bytes,
        std::move(links), log_write_.get(), [this] { return now_; });
  }

  void run() {
    work();
    engine_->handle_signal(SIGALRM);
    work();
    record_files("after");
    // What could not be delivered is given up now, and after that swept.
    for (int i = 0; i < 2 && has_queued_files(); ++i) {
      now_ += later;
      work();
    }
    record_files("left");
    record("log", "-", log_);
  }

 private:
  void work() {
    for (int idle = 0; idle < most_idle_turns; ++idle) {
      engine_->turn(nullptr, std::chrono::milliseconds{0});
      const std::string logged = read_what_has_come(log_read_);
      log_ += logged;
      bool busy = serve(local_, Channel::local);
      busy = serve(remote_, Channel::remote) || busy;
      if (serve_clean() || busy || !logged.empty()) idle = -1;
    }
  }

  bool serve(Peer& peer, Channel channel) {
    peer.bytes += read_what_has_come(peer.fd);
    std::string_view rest = peer.bytes;
    bool served = false;
    while (const auto order = wire::take_order(rest, number_bytes)) {
      served = true;
      const std::string report =
          wire::format_report({order->number, deliver(channel, *order)}, number_bytes);
      if (!write_all(peer.fd.get(), report)) std::abort();
    }
    peer.bytes = std::string(rest);
    return served;
  }

  std::string deliver(Channel channel, const wire::DeliveryOrder& order) {
    const auto message = open_file("mess/" + order.message, O_RDONLY);
    if (!message) return "Zqmail-spawn unable to open message. (#4.3.0)\n";
    const std::string name = order.recipient + " " + order.message;
    if (channel == Channel::local) {
      const std::string user = order.recipient.substr(0, order.recipient.find('@'));
      const std::string report = deliver_locally(user, order, message->get());
      record(report.front() == 'K' ? "local" : "failed", name, {});
      return report;
    }
    record("remote", name, content_of("mess/" + order.message));
    return "Ktaken\n";
  }

  std::string deliver_locally(const std::string& user, const wire::DeliveryOrder& order, int fd) {
    const auto message = local::Message::open(fd);
    const std::string head =
        "Return-Path: <" + order.sender + ">\nDelivered-To: " + order.recipient + "\n";
    local::Outcome outcome;
    if (user == "alice" || user == "carol") {
      outcome =
          local::deliver_to_maildir(disk_.home_of(user) + "/Maildir/", head, *message, names_);
    } else if (user == "bob") {
      outcome = local::deliver_to_mbox(disk_.home_of(user) + "/Mailbox",
                                       "From x Thu Jan  1 00:00:00 1970\n" + head, *message);
    } else {
      return "DSorry, no mailbox here by that name. (#5.1.1)\n";
    }
    return outcome ? "Kdid 1+0+0\n" : "Z" + outcome.error().text + "\n";
  }

  bool serve_clean() {
    clean_.bytes += read_what_has_come(clean_.fd);
    const std::size_t end = clean_.bytes.find('\0');
    if (end == std::string::npos) return false;
    const auto reply = static_cast<char>(queue::carry_out_clean_order(clean_.bytes.substr(0, end)));
    clean_.bytes.erase(0, end + 1);
    return write_all(clean_.fd.get(), {&reply, 1}).has_value();
  }

  [[nodiscard]] bool has_queued_files() const {
    bool found = false;
    disk_.each_file([&](const std::string& /*path*/, const std::string& name) {
      found = found || name.starts_with("/var/qmail/queue/");
    });
    return found;
  }

  void record_files(const std::string& kind) const {
    disk_.each_file([&](const std::string& path, const std::string& name) {
      record(kind, name, content_of(path));
    });
  }

  const Disk& disk_;
  std::int64_t now_;
  local::MaildirNames names_;
  Peer local_;
  Peer remote_;
  Peer clean_;
  Fd log_read_;
  Fd log_write_;
  std::string log_;
  std::unique_ptr<Engine> engine_;
};

void record_bounces() {
  for (const Bounce& bounce : take_bounces()) {
    record("envelope", "-", bounce.envelope);
    record("bounce", "-", bounce.text);
  }
}

// False: there are no more.
bool read_state(Disk& disk) {
  std::size_t files = 0;
  if (std::scanf("%zu", &files) != 1) return false;
  for (; files > 0; --files) {
    char path[512];
    std::size_t length = 0;
    if (std::scanf("%511s %zu", path, &length) != 2) std::abort();
    std::string bytes(length, '\0');
    if (std::getchar() != '\n' || std::fread(bytes.data(), 1, length, stdin) != length) {
      std::abort();
    }
    disk.put(path, bytes);
  }
  return true;
}

void serve(const std::string& directory, control::HostSet locals) {
  Disk disk(directory);
  fs::current_path(disk.queue(""));
  send::Settings settings;
  settings.home = disk.home();
  settings.bounces = {"MAILER-DAEMON", "mail.example.org", "postmaster@mail.example.org"};
  settings.lifetime = lifetime;
  settings.rules.envnoathost = "mail.example.org";
  settings.rules.locals = std::move(locals);
  for (disk.clear(); read_state(disk); disk.clear()) {
    Recovery(disk, settings).run();
    record_bounces();
    record("end", "-", {});
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace postern::crash_states

int main(int count, char** arguments) {
  using namespace postern;
  if (count < 2) return 2;
  ignore_signal(SIGPIPE);
  crash_states::serve(arguments[1], control::HostSet({arguments + 2, arguments + count}));
  return 0;
}
