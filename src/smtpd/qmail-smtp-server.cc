// qmail-smtp-server [options] address port [argument...]: tcpserver and qmail-smtpd in one program,
// for a host on which starting a program for each connection costs too much. Options are those of
// tcpserver, arguments those of qmail-smtpd. Root starts it; it gives root up before it takes a
// connection.
#include "posix/program.h"
#include "smtpd/server_program.h"

int main(int argc, char** argv) {
  return postern::program({.name = "qmail-smtp-server"},
                          [&] { return postern::smtpd::run_smtp_server({argv, argv + argc}); });
}
