// qmail-clean: unlinks queue files that qmail-send has finished with. Runs as qmailq.
// Protocol: docs/wire/clean.md. Exits 0 when qmail-send closes descriptor 0, 111 if it cannot go
// on.
#include "posix/program.h"
#include "queue/clean_server.h"

int main() { return postern::program({.name = "qmail-clean"}, postern::queue::run_clean_program); }
