#include "posix/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

namespace postern {
namespace {

// The one piece of state that is global: a new-handler has no argument to be given it by.
constinit Program current;

// Nothing here may allocate.
[[noreturn]] void out_of_memory() {
  const auto say = [](std::string_view text) {
    [[maybe_unused]] auto written = ::write(current.out_of_memory_fd, text.data(), text.size());
  };
  if (!current.out_of_memory_text.empty()) {
    say(current.out_of_memory_text);
  } else {
    say(current.name);
    say(": fatal: out of memory\n");
  }
  ::_exit(current.out_of_memory);
}

void say(std::string_view kind, std::string_view what) {
  std::string line = std::string(current.name).append(": ").append(kind);
  line.append(what).append("\n");
  [[maybe_unused]] auto written = ::write(2, line.data(), line.size());
}

void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is fd itself. What the caller closed must read as empty and take
    // nothing, so the wrong direction is opened: using it is an error, as it was before.
    [[maybe_unused]] const int opened = ::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace

void start_program(const Program& program) {
  current = program;
  std::set_new_handler(out_of_memory);
  open_standard_descriptors();
}

void die(int code, std::string_view what) {
  say("fatal: ", what);
  std::exit(code);
}

void die(int code, const Error& error) { die(code, describe(error)); }

void warn(std::string_view what) { say("warning: ", what); }

std::string_view program_name() { return current.name; }

}  // namespace postern
