// qmail-pop3d: gives a client, on descriptors 0 and 1, the messages of the Maildir named by its
// argument. Runs as the mailbox's owner, started by a checker that qmail-popup runs. Its protocol:
// docs/wire/pop3.md. Exits 0 whatever happens, as qmail's does, so that qmail-popup does not tell
// the client that its login has failed; 1 for root.
#include "pop3/connection.h"
#include "pop3/replies.h"
#include "posix/program.h"

int main(int argc, char** argv) {
  return postern::program({.name = "qmail-pop3d",
                           .out_of_memory = 0,
                           .out_of_memory_text = postern::pop3::reply::out_of_memory,
                           .out_of_memory_fd = 1},
                          [&] { return postern::pop3::serve_pop3({argv + 1, argv + argc}); });
}
