// qmail-qmqpd: receives mail by QMQP on descriptors 0 and 1 and hands it to qmail-queue. Runs as
// qmaild under tcpserver. Its protocol: docs/wire/qmqp.md. Exits 0 when the client has gone, 100
// when what it says is not QMQP, 111 when it takes too long, says too much, or after trouble of its
// own.
#include "posix/program.h"
#include "qmtp/serve.h"

int main() { return postern::program({.name = "qmail-qmqpd"}, postern::qmtp::serve_qmqp); }
