// qmail-remote: delivers one message to one host by SMTP. Runs as qmailr, started by qmail-rspawn.
// Protocol: docs/wire/remote.md. Exits 0 once it can report, whatever the report says.
#include "posix/program.h"
#include "remote/deliver.h"

int main(int argc, char** argv) {
  using namespace std::string_view_literals;
  return postern::program(
      {.name = "qmail-remote",
       .out_of_memory = 0,
       .out_of_memory_text = "ZOut of memory. (#4.3.0)\n\0"sv,
       .out_of_memory_fd = 1},
      [&] { return postern::remote::run(std::span(argv, static_cast<std::size_t>(argc))); });
}
