// qmail-inject: makes the header of a message whole and hands it to qmail-queue. Runs as whoever
// calls it. qmail-inject(8). Exits 0, 100 for misuse, a message that makes no sense or a permanent
// refusal, 111 for temporary trouble.
#include "inject/inject.h"
#include "posix/program.h"

int main(int argc, char** argv) {
  using namespace postern;
  return program({.name = "qmail-inject"}, [&] {
    const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
    const auto outcome = inject::run_inject(arguments.subspan(arguments.empty() ? 0 : 1));
    if (!outcome.problem.empty()) die(outcome.exit_code, outcome.problem);
    return outcome.exit_code;
  });
}
