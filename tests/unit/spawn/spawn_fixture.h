// A spawn over real pipes, for the tests of its loop and of both its channels.
#pragma once

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "posix/io.h"
#include "posix/pipe.h"
#include "spawn/remote_channel.h"
#include "spawn/server.h"
#include "support/temporary_directory.h"
#include "wire/report_reader.h"

namespace postern::spawning {

inline void make_program(const std::string& path, std::string_view script) {
  std::ofstream(path) << "#!/bin/sh\n" << script;
  std::filesystem::permissions(path, std::filesystem::perms{0755});
}

// A spawn in a process of its own, in queue/mess of a qmail home of its own.
class Spawn : public ::testing::Test {
 public:
  ~Spawn() override {
    if (pid_ > 0) (void)finish();
  }

 protected:
  Spawn() {
    std::filesystem::permissions(here_.path(), std::filesystem::perms{0755});
    for (const char* path : {"queue/mess/8", "queue/lock", "bin", "users"}) {
      std::filesystem::create_directories(path);
    }
    std::ofstream("queue/mess/8/100") << "the message\n";
  }

  template <class MakeChannel>
  void start(MakeChannel make_channel, std::size_t number_bytes = 1) {
    number_bytes_ = number_bytes;
    auto orders = make_pipe().value();
    auto reports = make_pipe().value();
    pid_ = ::fork();
    if (pid_ == 0) {
      orders.write.reset();
      reports.read.reset();
      std::filesystem::current_path("queue/mess");
      std::signal(SIGPIPE, SIG_IGN);
      auto channel = make_channel();
      ::_exit(Server({.orders = orders.read.get(),
                      .reports = reports.write.get(),
                      .number_bytes = number_bytes,
                      .limit = delivery_limit(number_bytes, 1024),
                      .message_owner = ::getuid()},
                     channel)
                  .run());
    }
    orders_ = std::move(orders.write);
    reports_ = std::move(reports.read);
    limit_ = take(number_bytes);
  }
  void start_remote(std::string_view script, std::size_t number_bytes = 1) {
    make_program("bin/remote", script);
    start(
        [&] {
          return RemoteChannel({.home = here_.path(), .program = here_.path() + "/bin/remote"});
        },
        number_bytes);
  }

  void order(unsigned number, const std::string& recipient, const std::string& message = "8/100") {
    ASSERT_TRUE(write_all(orders_.get(),
                          wire::format_order({number, message, "s@h", recipient}, number_bytes_)));
  }
  std::string take(std::size_t count) {
    while (received_.size() < count && receive()) {
    }
    std::string taken = received_.substr(0, count);
    received_.erase(0, taken.size());
    return taken;
  }
  // "3 Ktext" for the next report.
  std::string report() {
    if (!reader_) reader_.emplace(number_bytes_);
    while (waiting_.empty()) {
      for (auto& report : reader_->feed(std::exchange(received_, {}))) {
        waiting_.push_back(std::move(report));
      }
      if (waiting_.empty() && !receive()) return "no report";
    }
    const wire::DeliveryReport next = std::move(waiting_.front());
    waiting_.pop_front();
    return std::to_string(next.number) + " " + next.text;
  }
  // The exit code.
  int finish() {
    orders_.reset();
    while (receive()) {
    }
    int status = -1;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  test::TemporaryDirectory here_;
  std::size_t number_bytes_ = 1;
  Fd orders_;
  Fd reports_;
  std::string received_;
  std::optional<wire::ReportReader> reader_;
  std::deque<wire::DeliveryReport> waiting_;
  std::string limit_;
  pid_t pid_ = 0;

 private:
  bool receive() {
    char chunk[4096];
    const auto count = read_some(reports_.get(), chunk, Deadline::after(std::chrono::seconds(20)));
    if (!count || *count == 0) return false;
    received_.append(chunk, *count);
    return true;
  }
};

}  // namespace postern::spawning
