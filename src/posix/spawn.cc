#include "posix/spawn.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "posix/io.h"
#include "posix/pipe.h"

namespace postern {
namespace {

enum class Step : char { descriptors = 'd', directory = 'c', identity = 'i', exec = 'e' };

struct FailedStep {
  Step step;
  int code;
};

// All that the child needs, built before fork: between fork and exec nothing may allocate.
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

}  // namespace

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
  auto report = make_pipe();
  if (!report) return std::unexpected(report.error());
  // The report pipe must not stand where the child's descriptors go.
  const int report_fd =
      ::fcntl(report->write.get(), F_DUPFD_CLOEXEC, std::max(prepared.highest_target + 1, 3));
  if (report_fd < 0) return system_failure("unable to make a pipe");
  report->write.reset(report_fd);

  const pid_t pid = ::fork();
  if (pid < 0) return system_failure("unable to fork");
  if (pid == 0) {
    const FailedStep failed = become_program(spec, prepared);
    [[maybe_unused]] auto written = ::write(report_fd, &failed, sizeof failed);
    ::_exit(111);
  }
  report->write.reset();
  FailedStep failed{};
  const auto count =
      read_some(report->read.get(), {reinterpret_cast<char*>(&failed), sizeof failed});
  Child child(pid);
  if (count && *count == 0) return child;
  // Whether it runs cannot be said: then it must not, or it would wait for us while we wait for it.
  if (!count) ::kill(pid, SIGKILL);
  (void)child.wait();
  return std::unexpected(explain(spec, failed));
}

Error execute(const SpawnSpec& spec) {
  Prepared prepared = prepare(spec);
  return explain(spec, become_program(spec, prepared));
}

}  // namespace postern
