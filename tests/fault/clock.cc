// clock FILE COMMAND [ARGUMENT...]: runs a command, and all that it starts, by a clock that is
// wrong by as many seconds as the number in FILE says, at the moment at which they ask. No FILE: it
// is right.
//
// The command takes this process's place, as its supervisor expects, and is traced from a process
// beside it. Programs read the clock from memory that the kernel shares with them (the vDSO),
// without a system call; the tracer hides that memory from every program that starts. Then they ask
// the kernel, and a filter stops them there: only there, so that they run at nearly their full
// speed. Times of files are still the kernel's.
#include <elf.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>

#ifndef __x86_64__
#error "the registers of system calls are known here for x86-64 only"
#endif

namespace {

constexpr long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                         PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP;

const char* offset_file = nullptr;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "clock: %s: %s\n", what, std::strerror(errno));
  std::_Exit(125);
}

std::int64_t offset_in_seconds() {
  char text[32] = "";
  const int fd = ::open(offset_file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  (void)!::read(fd, text, sizeof text - 1);
  ::close(fd);
  return std::strtoll(text, nullptr, 10);
}

// Stops at time(), gettimeofday() and clock_gettime() of the clocks that can be set; nowhere else.
void install_filter() {
  constexpr std::uint32_t number = offsetof(seccomp_data, nr);
  constexpr std::uint32_t first_argument = offsetof(seccomp_data, args);
  constexpr auto go_on = std::uint32_t{SECCOMP_RET_ALLOW};
  constexpr auto stop = std::uint32_t{SECCOMP_RET_TRACE};
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_time, 6, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, first_argument),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLOCK_REALTIME, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLOCK_REALTIME_COARSE, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, go_on),
      BPF_STMT(BPF_RET | BPF_K, stop),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  // As root, without no_new_privs, which would take its rights from qmail-queue.
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) give_up("seccomp");
}

template <typename T>
bool copy_in(pid_t pid, unsigned long address, T& object) {
  const iovec here{&object, sizeof object};
  const iovec there{reinterpret_cast<void*>(address), sizeof object};
  return ::process_vm_readv(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(sizeof object);
}

template <typename T>
bool copy_out(pid_t pid, unsigned long address, T object) {
  const iovec here{&object, sizeof object};
  const iovec there{reinterpret_cast<void*>(address), sizeof object};
  return ::process_vm_writev(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(sizeof object);
}

// A program that has just been started finds on its stack: the count of its arguments, they and a
// null, the environment and a null, then pairs, one of which tells where the vDSO is.
void hide_shared_clock(pid_t pid) {
  user_regs_struct registers{};
  unsigned long word = 0;
  if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
  unsigned long at = registers.rsp;
  if (!copy_in(pid, at, word)) return;
  at += (word + 2) * sizeof word;
  do {
    if (!copy_in(pid, at, word)) return;
    at += sizeof word;
  } while (word != 0);
  for (Elf64_auxv_t pair{}; copy_in(pid, at, pair) && pair.a_type != AT_NULL; at += sizeof pair) {
    if (pair.a_type == AT_SYSINFO_EHDR) copy_out(pid, at, std::uint64_t{AT_IGNORE});
  }
}

// Answers in the kernel's stead.
void tell_time(pid_t pid) {
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += offset_in_seconds();
  registers.rax = 0;
  bool told = true;
  switch (registers.orig_rax) {
    case SYS_clock_gettime:
      told = copy_out(pid, registers.rsi, now);
      break;
    case SYS_gettimeofday:
      told = registers.rdi == 0 ||
             copy_out(pid, registers.rdi, timeval{now.tv_sec, now.tv_nsec / 1000});
      break;
    case SYS_time:
      told = registers.rdi == 0 || copy_out(pid, registers.rdi, now.tv_sec);
      registers.rax = static_cast<unsigned long>(now.tv_sec);
      break;
    default:
      return;
  }
  if (!told) registers.rax = static_cast<unsigned long>(-EFAULT);
  registers.orig_rax = static_cast<unsigned long>(-1);  // the call is not made
  ::ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
}

void at_stop(pid_t pid, int status) {
  const int event = status >> 16;
  const int signal = WSTOPSIG(status);
  if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
    ::ptrace(PTRACE_LISTEN, pid, nullptr, nullptr);  // stopped by SIGSTOP, and to stay so
    return;
  }
  if (event == PTRACE_EVENT_EXEC) hide_shared_clock(pid);
  if (event == PTRACE_EVENT_SECCOMP) tell_time(pid);
  ::ptrace(PTRACE_CONT, pid, nullptr, event != 0 ? 0 : signal);
}

// Until nobody is left.
[[noreturn]] void trace(pid_t command, int ready) {
  if (::ptrace(PTRACE_SEIZE, command, nullptr, options) != 0) give_up("ptrace");
  (void)!::write(ready, "", 1);
  ::close(ready);
  for (int status = 0;;) {
    const pid_t pid = ::waitpid(-1, &status, __WALL);
    if (pid < 0 && errno != EINTR) std::_Exit(0);
    if (pid > 0 && WIFSTOPPED(status)) at_stop(pid, status);
  }
}

// The tracer is nobody's child, or the command would wait for it.
void start_tracer() {
  const pid_t command = ::getpid();
  int ready[2];
  if (::pipe(ready) != 0) give_up("pipe");
  const pid_t between = ::fork();
  if (between == 0) {
    if (::fork() != 0) std::_Exit(0);
    ::setsid();
    ::close(ready[0]);
    trace(command, ready[1]);
  }
  ::close(ready[1]);
  char byte = 0;
  ::waitpid(between, nullptr, 0);
  if (between < 0 || ::read(ready[0], &byte, 1) != 1) give_up("no tracer");
  ::close(ready[0]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: clock FILE COMMAND [ARGUMENT...]\n", stderr);
    return 125;
  }
  offset_file = argv[1];
  start_tracer();
  install_filter();
  ::execvp(argv[2], argv + 2);
  give_up(argv[2]);
}
