// qmail-start [default-delivery [logger [argument...]]]: starts the mail system. Runs as root.
// Its own process becomes qmail-send, so that a supervisor's signals reach that. 111: it could not.
#include "start/start_program.h"

#include <cstddef>

#include "posix/program.h"

int main(int argc, char* argv[]) {
  return postern::program({.name = "qmail-start"}, [&] {
    return postern::start::run_start_program({argv, static_cast<std::size_t>(argc)});
  });
}
