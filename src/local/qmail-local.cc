// qmail-local: delivers one message to one local address, as its .qmail file says. Runs as the
// recipient. Interface: qmail-local(8). Exits 0 delivered, 100 never, 111 not now.
#include "local/deliver.h"
#include "posix/program.h"

int main(int argc, char** argv) {
  return postern::program(
      {.name = "qmail-local", .out_of_memory_text = "Out of memory. (#4.3.0)\n"},
      [&] { return postern::local::run(std::span(argv, static_cast<std::size_t>(argc))); });
}
