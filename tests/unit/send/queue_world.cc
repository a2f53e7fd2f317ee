#include "unit/send/queue_world.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "posix/pipe.h"
#include "posix/signals.h"
#include "wire/trigger.h"

namespace postern::send::test {
namespace {

namespace fs = std::filesystem;

void make_queue() {
  for (const char* flat : {"queue/pid", "queue/intd", "queue/todo", "queue/bounce", "queue/lock"}) {
    fs::create_directories(flat);
  }
  for (const std::string split : {"queue/mess/", "queue/info/", "queue/local/", "queue/remote/"}) {
    for (wire::MessageId i = 0; i < wire::queue_split; ++i) {
      fs::create_directories(split + std::to_string(i));
    }
  }
  ::mkfifo("queue/lock/trigger", 0622);
}

std::pair<Fd, Link> make_link() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
  const int copy = ::fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
  auto link = Link::open(Fd(fds[0]), Fd(copy));
  (void)set_nonblocking(fds[1]);
  return {Fd(fds[1]), std::move(*link)};
}

std::string read_what_has_come(const Fd& fd) {
  std::string bytes;
  char piece[4096];
  for (;;) {
    const ssize_t count = fd ? ::read(fd.get(), piece, sizeof piece) : 0;
    if (count <= 0) return bytes;
    bytes.append(piece, static_cast<std::size_t>(count));
  }
}

}  // namespace

QueueWorld::QueueWorld() : now(::time(nullptr)), home_(directory_.path()) {
  ignore_signal(SIGPIPE);
  make_queue();
  fs::create_directory("bin");
  set_qmail_queue("exit 0");
  fs::current_path("queue");
  settings.home = home_;
  settings.bounces = {"MAILER-DAEMON", "me.example", "postmaster@me.example"};
  settings.lifetime = 604800;
  settings.rules.envnoathost = "me.example";
  settings.rules.locals = control::HostSet({"me.example"});
  auto pipe = make_pipe();
  log_read_ = std::move(pipe->read);
  log_write_ = std::move(pipe->write);
  (void)set_nonblocking(log_read_.get());
  ::fcntl(log_write_.get(), F_SETPIPE_SZ, 1 << 20);
}

void QueueWorld::write(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
}

std::string QueueWorld::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool QueueWorld::exists(const std::string& path) { return fs::exists(path); }

void QueueWorld::set_time(const std::string& path, std::int64_t time) {
  const timespec when{.tv_sec = time, .tv_nsec = 0};
  const timespec times[2] = {when, when};
  if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0) std::abort();
}

std::int64_t QueueWorld::time_of(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mtime : -1;
}

std::size_t QueueWorld::count_files(const std::string& directory) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) ++count;
  }
  return count;
}

wire::MessageId QueueWorld::put(const wire::Envelope& envelope, const std::string& message) {
  write("pid/new", message);
  struct stat info{};
  if (::stat("pid/new", &info) != 0) std::abort();
  const wire::MessageId id = info.st_ino;
  fs::rename("pid/new", wire::mess_path(id));
  write(wire::intd_path(id), wire::format_todo({1000, 4711, envelope}));
  fs::create_hard_link(wire::intd_path(id), wire::todo_path(id));
  return id;
}

wire::MessageId QueueWorld::put_preprocessed(const std::string& sender, const std::string& local,
                                             const std::string& remote, std::int64_t age) {
  const wire::MessageId id = put({sender, {}});
  fs::remove(wire::todo_path(id));
  fs::remove(wire::intd_path(id));
  write(wire::info_path(id), wire::format_info(sender));
  set_time(wire::info_path(id), now - age);
  for (const auto& [path, records] :
       {std::pair(wire::local_path(id), local), std::pair(wire::remote_path(id), remote)}) {
    if (records.empty()) continue;
    write(path, records);
    set_time(path, now - age);
  }
  return id;
}

void QueueWorld::start() {
  engine_.reset();
  auto [lspawn, to_lspawn] = make_link();
  auto [rspawn, to_rspawn] = make_link();
  auto [clean, to_clean] = make_link();
  spawns_[0] = std::move(lspawn);
  spawns_[1] = std::move(rspawn);
  clean_ = std::move(clean);
  for (auto& bytes : spawn_bytes_) bytes.clear();
  clean_bytes_.clear();
  engine_ = std::make_unique<Engine>(
      settings, counts, number_bytes,
      Engine::Links{std::move(to_lspawn), std::move(to_rspawn), std::move(to_clean)},
      log_write_.get(), [this] { return now; });
}

bool QueueWorld::serve() {
  bool served = serve_spawn(Channel::local);
  served = serve_spawn(Channel::remote) || served;
  return serve_clean() || served;
}

bool QueueWorld::serve_spawn(Channel channel) {
  std::string& bytes = spawn_bytes_[index_of(channel)];
  bytes += read_what_has_come(spawns_[index_of(channel)]);
  std::string_view rest = bytes;
  bool served = false;
  while (auto order = wire::take_order(rest, number_bytes)) {
    served = true;
    orders[index_of(channel)].push_back(*order);
    if (!answer) continue;
    if (const std::string text = answer(channel, *order); !text.empty()) {
      report(channel, order->number, text);
    }
  }
  bytes = std::string(rest);
  return served;
}

bool QueueWorld::serve_clean() {
  if (clean_is_busy) return false;
  clean_bytes_ += read_what_has_come(clean_);
  const std::size_t end = clean_bytes_.find('\0');
  if (end == std::string::npos) return false;
  EXPECT_EQ(end, clean_bytes_.size() - 1) << "an order was sent before the last was answered";
  const auto order = wire::parse_clean_order(clean_bytes_.substr(0, end));
  clean_bytes_.clear();
  EXPECT_TRUE(order);
  clean_orders.push_back(*order);
  std::string reply = clean_answer ? clean_answer(*order) : "";
  if (reply.empty()) {
    const bool is_todo = order->kind == wire::CleanOrder::Kind::todo;
    fs::remove(wire::intd_path(order->id));
    fs::remove(is_todo ? wire::todo_path(order->id) : wire::mess_path(order->id));
    reply = "+";
  }
  if (!clean_) return true;  // a test has closed it
  EXPECT_EQ(::write(clean_.get(), reply.data(), reply.size()), 1);
  return true;
}

void QueueWorld::run_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      FAIL() << "it did not happen; the log:\n" << log();
    }
    engine_->turn(nullptr, std::chrono::milliseconds(1));
    serve();
  }
}

void QueueWorld::run_until_logged(const std::string& text) {
  run_until([&] { return log().contains(text); });
}

void QueueWorld::run_until_quiet() {
  std::size_t logged = log().size();
  for (int quiet = 0; quiet < 20; ++quiet) {
    engine_->turn(nullptr, std::chrono::milliseconds(1));
    if (serve() || log().size() != logged) quiet = 0;
    logged = log().size();
  }
}

void QueueWorld::stop() {
  engine_->handle_signal(SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (engine_->turn(nullptr, std::chrono::milliseconds(1))) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << log();
    serve();
  }
  engine_->save();
  engine_.reset();
}

void QueueWorld::pull_trigger() { wire::pull_trigger(); }

void QueueWorld::report(Channel channel, unsigned number, const std::string& text) {
  report_bytes(channel, wire::format_report({number, text}, number_bytes));
}

void QueueWorld::report_bytes(Channel channel, const std::string& bytes) {
  const int fd = spawns_[index_of(channel)].get();
  // A full socket is emptied by the engine.
  while (::write(fd, bytes.data(), bytes.size()) < 0) {
    ASSERT_EQ(errno, EAGAIN);
    engine_->turn(nullptr, std::chrono::milliseconds(1));
  }
}

void QueueWorld::set_qmail_queue(const std::string& script) {
  const std::string path = home_ + "/bin/qmail-queue";
  write(path + ".new",
        "#!/bin/sh\n"
        "n=1; while ! mkdir queued.$n 2>/dev/null; do n=$((n+1)); done\n"
        "cat >queued.$n/message; cat <&1 >queued.$n/envelope\n" +
            script + "\n");
  fs::permissions(path + ".new", fs::perms::owner_all);
  fs::rename(path + ".new", path);
}

std::string QueueWorld::queued_message(int n) const {
  return read(home_ + "/queued." + std::to_string(n) + "/message");
}
std::string QueueWorld::queued_envelope(int n) const {
  return read(home_ + "/queued." + std::to_string(n) + "/envelope");
}

const std::string& QueueWorld::log() { return log_ += read_what_has_come(log_read_); }

std::size_t QueueWorld::count_logged(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = log().find(text); at != std::string::npos; at = log_.find(text, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace postern::send::test
