// Starting programs: what to run is described as data, and a failed exec comes back as an errno.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "posix/identity.h"

namespace postern {

/// How a process ended.
class ExitStatus {
 public:
  explicit ExitStatus(int wait_status) : status_(wait_status) {}
  static ExitStatus of_code(unsigned char code) { return ExitStatus(code << 8); }
  [[nodiscard]] bool crashed() const;  // ended by a signal
  [[nodiscard]] int code() const;      // exit code; meaningless when crashed

 private:
  int status_;
};

/// A process we started. Not killed and not waited for by the destructor.
class Child {
 public:
  Child() = default;
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&& other) noexcept {
    pid_ = std::exchange(other.pid_, -1);
    return *this;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Waits until it has ended.
  Result<ExitStatus> wait();
  /// Nothing while it is still running.
  Result<std::optional<ExitStatus>> try_wait();

 private:
  pid_t pid_ = -1;
};

/// In the child, descriptor `to` becomes a copy of our descriptor `from` (from -1: closed).
struct FdMapping {
  int from;
  int to;
};

struct SpawnSpec {
  std::vector<std::string> argv{};  // argv[0] is also the program unless path is given
  std::string path{};               // program file, if not argv[0]
  bool search_path = false;         // look in $PATH if the program has no '/'
  std::optional<std::vector<std::string>> environment{};  // NAME=VALUE; absent: ours
  std::vector<FdMapping> fds{};        // others are passed on unless close-on-exec
  std::string directory{};             // "" stays where we are
  std::optional<Identity> identity{};  // who to become, after the directory change
  std::optional<mode_t> umask{};
  int niceness = 0;  // nice(2): added to ours, where the system allows that
};

/// The file that runs when `name` is looked for in `path`, directories with ':' between them: the
/// first executable one. Empty: there is none.
std::string find_program(std::string_view name, std::string_view path);

/// Starts a program. In the child every signal is unblocked and SIGPIPE has its default again.
/// The Error's `what` names the step that failed (fork, directory, identity, exec), its code the
/// errno, and no child is left behind.
Result<Child> spawn(const SpawnSpec& spec);

/// Replaces this process by the program; returns only with the Error. Signals as in spawn().
Error execute(const SpawnSpec& spec);

}  // namespace postern
