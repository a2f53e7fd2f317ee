// qmail-smtpd: receives mail by SMTP on descriptors 0 and 1 and hands it to qmail-queue. Runs as
// qmaild under tcpserver, or under inetd through tcp-env. Its protocol: docs/wire/smtpd.md.
// Exits 0 after QUIT, 1 after a timeout, a lost client, a bare line feed, or trouble of its own.
#include "posix/program.h"
#include "smtpd/connection.h"
#include "smtpd/replies.h"

int main(int argc, char** argv) {
  return postern::program({.name = "qmail-smtpd",
                           .out_of_memory = 1,
                           .out_of_memory_text = postern::smtpd::reply::out_of_memory,
                           .out_of_memory_fd = 1},
                          [&] { return postern::smtpd::serve_smtp({argv + 1, argv + argc}); });
}
