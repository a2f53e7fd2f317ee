#include "posix/spawn.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

namespace postern {
namespace {

enum class Step : char { descriptors, directory, identity, exec };

struct FailedStep {
  Step step;
  int code;
};

// All that the child needs, built beforehand: another thread of ours may hold the allocator's lock.
struct Prepared {
  std::vector<std::string> candidates;  // program files to try, in order
  std::vector<const char*> argv;
  std::vector<const char*> environment;
  std::vector<FdMapping> fds;
  int highest_target = -1;
};

std::vector<std::string> program_files(const SpawnSpec& spec) {
  const std::string& program = spec.path.empty() ? spec.argv.front() : spec.path;
  if (!spec.search_path || program.contains('/')) return {program};
  const char* value = std::getenv("PATH");
  std::string_view path = value != nullptr ? value : "/bin:/usr/bin";
  std::vector<std::string> files;
  for (;;) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    files.push_back((directory.empty() ? "." : std::string(directory)) + "/" + program);
    if (colon == std::string_view::npos) return files;
    path.remove_prefix(colon + 1);
  }
}

Prepared prepare(const SpawnSpec& spec) {
  if (spec.argv.empty()) bug("a program without a name");
  Prepared prepared{
      .candidates = program_files(spec), .argv = {}, .environment = {}, .fds = spec.fds};
  for (const auto& argument : spec.argv) prepared.argv.push_back(argument.c_str());
  prepared.argv.push_back(nullptr);
  if (spec.environment) {
    for (const auto& entry : *spec.environment) prepared.environment.push_back(entry.c_str());
  } else {
    for (char** entry = environ; *entry != nullptr; ++entry) prepared.environment.push_back(*entry);
  }
  prepared.environment.push_back(nullptr);
  for (const auto& [from, to] : spec.fds) {
    prepared.highest_target = std::max(prepared.highest_target, to);
  }
  return prepared;
}

// First every source is copied above all targets, so that no dup2 overwrites one still needed.
bool place_descriptors(std::vector<FdMapping>& fds, int highest_target) {
  for (auto& mapping : fds) {
    if (mapping.from < 0) continue;
    mapping.from = ::fcntl(mapping.from, F_DUPFD_CLOEXEC, highest_target + 1);
    if (mapping.from < 0) return false;
  }
  for (const auto& mapping : fds) {
    if (mapping.from < 0) {
      ::close(mapping.to);
    } else if (::dup2(mapping.from, mapping.to) < 0) {
      return false;
    }
  }
  return true;
}

void restore_signals() {
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Tries each file as execvp would; the most telling errno wins over ENOENT.
int exec_first(const Prepared& prepared) {
  int code = ENOENT;
  for (const auto& file : prepared.candidates) {
    ::execve(file.c_str(), const_cast<char* const*>(prepared.argv.data()),
             const_cast<char* const*>(prepared.environment.data()));
    if (errno != ENOENT && errno != ENOTDIR) code = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  return code;
}

// Everything that happens in the child, or in a process about to be replaced.
FailedStep become_program(const SpawnSpec& spec, Prepared& prepared) {
  restore_signals();
  if (!place_descriptors(prepared.fds, prepared.highest_target)) return {Step::descriptors, errno};
  if (!spec.directory.empty() && ::chdir(spec.directory.c_str()) != 0) {
    return {Step::directory, errno};
  }
  if (spec.umask) ::umask(*spec.umask);
  if (spec.niceness != 0) {
    // While we are still who may do that. Without it all works, if more slowly.
    [[maybe_unused]] const int now = ::nice(spec.niceness);
  }
  if (spec.identity && !become_in_child(*spec.identity)) return {Step::identity, errno};
  return {Step::exec, exec_first(prepared)};
}

Error explain(const SpawnSpec& spec, FailedStep failed) {
  const std::string& program = spec.path.empty() ? spec.argv.front() : spec.path;
  switch (failed.step) {
    case Step::descriptors:
      return {"unable to arrange the descriptors of " + program, failed.code};
    case Step::directory:
      return {"unable to switch to " + spec.directory, failed.code};
    case Step::identity:
      return {"unable to give up privilege for " + program, failed.code};
    case Step::exec:
      return {"unable to run " + program, failed.code};
  }
  bug("unknown step of a spawn");
}

// The child runs in our memory, while we wait, until it has become its program or has failed: page
// tables need not be copied, which is most of what fork would cost, and what failed it can simply
// tell us. It has descriptors, a directory, a umask and an identity of its own, and writes to no
// variable of ours but `prepared` and `failed`. No signal may run a handler of ours in it, so no
// program that starts others has any: they read their signals from descriptors. A program that asks
// for an identity has no threads either: the C library would have them all follow.
//
// Not inlined: vfork returns twice, and nobody's variables but these are on this frame.
// NOLINTBEGIN(bugprone-unsafe-functions,clang-analyzer-*)
[[gnu::noinline]] pid_t start_in_our_memory(const SpawnSpec& spec, Prepared& prepared,
                                            std::optional<FailedStep>& failed) {
  const pid_t pid = ::vfork();
  if (pid == 0) {
    failed = become_program(spec, prepared);
    ::_exit(111);
  }
  return pid;
}
// NOLINTEND(bugprone-unsafe-functions,clang-analyzer-*)

}  // namespace

std::string find_program(std::string_view name, std::string_view path) {
  for (;;) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    std::string file = directory.empty() ? "." : std::string(directory);
    file.append("/").append(name);
    if (::access(file.c_str(), X_OK) == 0) return file;
    if (colon == std::string_view::npos) return {};
    path.remove_prefix(colon + 1);
  }
}

bool ExitStatus::crashed() const { return WIFSIGNALED(status_); }
int ExitStatus::code() const { return WEXITSTATUS(status_); }

Result<ExitStatus> Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return system_failure("unable to wait for a child");
  }
  pid_ = -1;
  return ExitStatus(status);
}

Result<std::optional<ExitStatus>> Child::try_wait() {
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended < 0) return system_failure("unable to wait for a child");
  if (ended == 0) return std::nullopt;
  pid_ = -1;
  return ExitStatus(status);
}

Result<Child> spawn(const SpawnSpec& spec) {
  Prepared prepared = prepare(spec);
  std::optional<FailedStep> failed;
  Child child(start_in_our_memory(spec, prepared, failed));
  if (child.pid() < 0) return system_failure("unable to fork");
  if (!failed) return child;
  (void)child.wait();
  return std::unexpected(explain(spec, *failed));
}

Error execute(const SpawnSpec& spec) {
  Prepared prepared = prepare(spec);
  return explain(spec, become_program(spec, prepared));
}

}  // namespace postern
