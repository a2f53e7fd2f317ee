// qmail-smtpd: receives mail by SMTP on descriptors 0 and 1 and hands it to qmail-queue. Runs as
// qmaild under tcpserver, or under inetd through tcp-env. Its protocol: docs/wire/smtpd.md.
// Exits 0 after QUIT, 1 after a timeout, a lost client, a bare line feed, or trouble of its own.
#include "posix/program.h"
#include "smtpd/connection.h"

int main(int argc, char** argv) {
  return postern::program(postern::smtpd::smtpd_program, [&] {
    postern::wire::QueueProgram queue;
    return postern::smtpd::serve_smtp({argv + 1, argv + argc}, queue).exit_code;
  });
}
