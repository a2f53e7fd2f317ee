// inject [-r REPORT] [-p PID]... RULE... [-- COMMAND [ARGUMENT...]]: lets chosen system calls of
// chosen programs fail, be cut short, or be the moment at which their process is killed.
//
//   RULE = PROGRAM,CALL,N,ACTION   the Nth CALL (a name, or * for any) of all processes called
//   PROGRAM ACTION = kill     SIGKILL before the call does anything
//            short    the kernel is asked for one byte only: a short read or write as it happens
//            ERRNO    a number: the call is not made, and returns that error (close is made first:
//                     on Linux it gives the descriptor up whatever it returns)
//            list     every call is written to REPORT, none is changed; N is 0
//
// Follows COMMAND, or the processes named by -p, and all that they start. Ends with COMMAND, whose
// exit code it passes on, or at SIGTERM, when it lets go of everybody unharmed. REPORT gets a line
// for each rule that came true. strace can make calls fail too, but counts for each process apart,
// cannot tell one program's calls from another's, and has no short transfers.
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fault/syscall_names.h"

#ifndef __x86_64__
#error "the registers of system calls are known here for x86-64 only"
#endif

namespace {

enum class Action { kill, shorten, fail, list };

struct Rule {
  std::string program;
  std::string call;
  unsigned long when = 0;
  Action action = Action::kill;
  int code = 0;
  unsigned long count = 0;
};

struct Thread {
  std::string program;
  bool watched = false;
  int pending_error = 0;  // to be returned when the call that was entered ends
};

constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
constexpr int syscall_stop = SIGTRAP | 0x80;

std::vector<Rule> rules;
std::map<pid_t, Thread> threads;
int report_fd = -1;

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "inject: %s: %s\n", what.c_str(), std::strerror(errno));
  std::_Exit(125);
}

std::string read_small_file(const std::string& path) {
  char text[256];
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t size = fd < 0 ? -1 : ::read(fd, text, sizeof text);
  if (fd >= 0) ::close(fd);
  std::string found(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (found.ends_with('\n')) found.pop_back();
  return found;
}

std::string in_proc(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

pid_t process_of(pid_t thread) {
  const int fd = ::open(in_proc(thread, "status").c_str(), O_RDONLY | O_CLOEXEC);
  char text[512] = "";
  if (fd >= 0) (void)!::read(fd, text, sizeof text - 1);
  if (fd >= 0) ::close(fd);
  const char* tgid = std::strstr(text, "\nTgid:");
  return tgid != nullptr ? std::atoi(tgid + 6) : thread;
}

Rule parse_rule(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char byte : text) {
    byte == ',' ? (void)words.emplace_back() : words.back().push_back(byte);
  }
  errno = EINVAL;
  if (words.size() != 4) give_up(std::string(text));
  Rule rule{words[0], words[1], std::strtoul(words[2].c_str(), nullptr, 10), Action::fail, 0, 0};
  if (words[3] == "kill") {
    rule.action = Action::kill;
  } else if (words[3] == "short") {
    rule.action = Action::shorten;
  } else if (words[3] == "list") {
    rule.action = Action::list;
  } else {
    rule.code = std::atoi(words[3].c_str());
  }
  if (rule.action == Action::fail && rule.code <= 0) give_up(std::string(text));
  return rule;
}

void identify(pid_t pid) {
  Thread& thread = threads[pid];
  thread.program = read_small_file(in_proc(pid, "comm"));
  thread.watched = false;
  for (const Rule& rule : rules) {
    thread.watched = thread.watched || rule.program == thread.program;
  }
}

// Programs that no rule speaks of run at their full speed.
void resume(pid_t pid, int signal = 0) {
  ::ptrace(threads[pid].watched ? PTRACE_SYSCALL : PTRACE_CONT, pid, nullptr, signal);
}

// The text at an address of the process; for reports.
std::string text_at(pid_t pid, unsigned long address) {
  char text[80] = "";
  const iovec here{text, sizeof text - 1};
  const iovec there{reinterpret_cast<void*>(address), sizeof text - 1};
  if (::process_vm_readv(pid, &here, 1, &there, 1, 0) <= 0) return "";
  return text;
}

// What the call is about, for the people who read what failed.
std::string describe(pid_t pid, const user_regs_struct& registers) {
  switch (registers.orig_rax) {
    case SYS_open:
    case SYS_stat:
    case SYS_lstat:
    case SYS_unlink:
    case SYS_chdir:
    case SYS_execve:
    case SYS_access:
    case SYS_readlink:
      return text_at(pid, registers.rdi);
    case SYS_link:
    case SYS_rename:
      return text_at(pid, registers.rdi) + " " + text_at(pid, registers.rsi);
    case SYS_openat:
    case SYS_newfstatat:
    case SYS_unlinkat:
    case SYS_utimensat:
      return text_at(pid, registers.rsi);
    case SYS_linkat:
    case SYS_renameat:
    case SYS_renameat2:
      return text_at(pid, registers.rsi) + " " + text_at(pid, registers.r10);
    default:
      break;
  }
  const std::string fd = std::to_string(registers.rdi);
  char target[120];
  const auto size = ::readlink(in_proc(pid, "fd/" + fd).c_str(), target, sizeof target);
  if (size <= 0) return "";
  const std::string flags = read_small_file(in_proc(pid, "fdinfo/" + fd));
  const std::size_t octal = flags.find("flags:");
  const bool blocks = octal == std::string::npos ||
                      (std::strtoul(flags.c_str() + octal + 6, nullptr, 8) & O_NONBLOCK) == 0;
  return std::string(target, static_cast<std::size_t>(size)) + (blocks ? "" : " nonblocking");
}

void report(pid_t pid, const Rule& rule, const user_regs_struct& registers) {
  if (report_fd < 0) return;
  std::string line = rule.program + " " + syscall_name(registers.orig_rax) + " ";
  line += std::to_string(rule.count) + " " + describe(pid, registers);
  for (char& byte : line) byte = byte == '\n' ? '/' : byte;
  line += '\n';
  (void)!::write(report_fd, line.data(), line.size());
}

bool transfers_bytes(unsigned long call) {
  return call == SYS_read || call == SYS_write || call == SYS_pread64 || call == SYS_pwrite64 ||
         call == SYS_sendto || call == SYS_recvfrom;
}

// True: the process is being killed, and is not to be touched.
bool apply(pid_t pid, Thread& thread, Rule& rule, user_regs_struct& registers) {
  if (rule.action == Action::shorten) {
    if (!transfers_bytes(registers.orig_rax) || registers.rdx < 2) return false;
    registers.rdx = 1;
  } else if (rule.action == Action::fail) {
    thread.pending_error = rule.code;
    if (registers.orig_rax != SYS_close) registers.orig_rax = static_cast<unsigned long>(-1);
  }
  if (rule.action == Action::kill) ::kill(process_of(pid), SIGKILL);
  if (rule.action != Action::kill) ::ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
  return rule.action == Action::kill;
}

void at_entry(pid_t pid) {
  Thread& thread = threads[pid];
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
  const std::string name = syscall_name(registers.orig_rax);
  for (Rule& rule : rules) {
    if (rule.program != thread.program || (rule.call != "*" && rule.call != name)) continue;
    ++rule.count;
    if (rule.action == Action::list) report(pid, rule, registers);
    if (rule.action == Action::list || rule.count != rule.when) continue;
    report(pid, rule, registers);
    if (apply(pid, thread, rule, registers)) break;
  }
}

void at_exit(pid_t pid) {
  Thread& thread = threads[pid];
  if (thread.pending_error == 0) return;
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
  registers.rax = static_cast<unsigned long long>(-std::exchange(thread.pending_error, 0));
  ::ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
}

void at_syscall(pid_t pid) {
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return;
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) at_entry(pid);
  if (info.op == PTRACE_SYSCALL_INFO_EXIT) at_exit(pid);
}

void at_stop(pid_t pid, int status) {
  if (!threads.contains(pid)) identify(pid);
  const int event = status >> 16;
  const int signal = WSTOPSIG(status);
  if (signal == syscall_stop) {
    at_syscall(pid);
    return resume(pid);
  }
  if (event == PTRACE_EVENT_EXEC) identify(pid);
  if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
    ::ptrace(PTRACE_LISTEN, pid, nullptr, nullptr);  // stopped by SIGSTOP, and to stay so
    return;
  }
  resume(pid, event != 0 ? 0 : signal);
}

void follow(pid_t pid) {
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, options) != 0) give_up("ptrace " + std::to_string(pid));
  ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
}

void follow_all_threads(pid_t process) {
  DIR* const directory = ::opendir(in_proc(process, "task").c_str());
  if (directory == nullptr) give_up("process " + std::to_string(process));
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') follow(std::atoi(entry->d_name));
  }
  ::closedir(directory);
}

pid_t start(char** command) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::raise(SIGSTOP);  // until we follow it
    ::execvp(command[0], command);
    give_up(command[0]);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, WUNTRACED) != pid) give_up("fork");
  follow(pid);
  ::kill(pid, SIGCONT);
  return pid;
}

void let_go(int /*signal*/) { std::_Exit(0); }  // the kernel detaches whom we follow

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int watch(pid_t command) {
  for (int status = 0;;) {
    const pid_t pid = ::waitpid(-1, &status, __WALL);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return 0;  // nobody is left
    if (WIFSTOPPED(status)) {
      at_stop(pid, status);
    } else {
      threads.erase(pid);
      if (pid == command) return exit_code_of(status);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGTERM, let_go);
  std::vector<pid_t> processes;
  int used = 1;
  for (; used < argc && std::string_view(argv[used]) != "--"; ++used) {
    const std::string_view word = argv[used];
    if (word == "-r" && used + 1 < argc) {
      report_fd = ::open(argv[++used], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
      if (report_fd < 0) give_up(argv[used]);
    } else if (word == "-p" && used + 1 < argc) {
      processes.push_back(std::atoi(argv[++used]));
    } else {
      rules.push_back(parse_rule(word));
    }
  }
  for (const pid_t process : processes) follow_all_threads(process);
  const pid_t command = used + 1 < argc ? start(argv + used + 1) : 0;
  // Whoever started us may go on: the calls that come from now on are counted.
  if (command == 0) (void)!::write(1, "\n", 1);
  return watch(command);
}
