// qmail-popup: asks a POP3 client who it is, on descriptors 0 and 1, and lets a checker, which has
// the password on descriptor 3, run qmail-pop3d as that user. Runs as root under tcpserver.
// Its protocol: docs/wire/pop3.md. Exits 0 after QUIT or a session, 1 after anything else.
#include "pop3/popup.h"
#include "pop3/replies.h"
#include "posix/program.h"

int main(int argc, char** argv) {
  return postern::program({.name = "qmail-popup",
                           .out_of_memory = 1,
                           .out_of_memory_text = postern::pop3::reply::out_of_memory,
                           .out_of_memory_fd = 1},
                          [&] { return postern::pop3::serve_popup({argv + 1, argv + argc}); });
}
