// A server for a socket pair: says its lines one after another, each after what it waits for.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <thread>
#include <vector>

#include "posix/fd.h"
#include "posix/io.h"
#include "posix/pipe.h"

namespace postern::remote {

class ScriptedServer {
 public:
  struct Step {
    std::string await;  // what the client must have sent, after what the last step awaited
    std::string say;
    std::chrono::milliseconds pause{0};  // before that
  };

  /// Closes its end after the last step, unless `wait_for_end`: then it reads until the client has
  /// closed.
  explicit ScriptedServer(std::vector<Step> steps, bool wait_for_end = true) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    client_.reset(ends[0]);
    EXPECT_TRUE(set_nonblocking(client_.get()));
    thread_ = std::thread([this, server = Fd(ends[1]), steps = std::move(steps), wait_for_end] {
      for (const Step& step : steps) {
        if (!await(server.get(), step.await)) return;
        std::this_thread::sleep_for(step.pause);
        if (!write_all(server.get(), step.say, Deadline::after(patience))) return;
      }
      while (wait_for_end && read(server.get())) {
      }
    });
  }
  ~ScriptedServer() {
    client_.reset();
    if (thread_.joinable()) thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] int client() const { return client_.get(); }
  Fd take_client() { return std::move(client_); }
  /// Everything the client has sent; to be called when the client is done.
  const std::string& received() {
    client_.reset();
    if (thread_.joinable()) thread_.join();
    return received_;
  }

 private:
  static constexpr auto patience = std::chrono::seconds{20};

  bool read(int fd) {
    char bytes[65536];
    const auto count = read_some(fd, bytes, Deadline::after(patience));
    if (!count || *count == 0) return false;
    received_.append(bytes, *count);
    return true;
  }
  bool await(int fd, const std::string& text) {
    std::size_t found = std::string::npos;
    while ((found = received_.find(text, seen_)) == std::string::npos) {
      if (!read(fd)) return false;
    }
    seen_ = found + text.size();
    return true;
  }

  Fd client_;
  std::string received_;
  std::size_t seen_ = 0;
  std::thread thread_;
};

}  // namespace postern::remote
