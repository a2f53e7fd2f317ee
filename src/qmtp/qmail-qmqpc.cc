// qmail-qmqpc: qmail-queue of a host without a queue. Message on descriptor 0, envelope on 1; hands
// both to a QMQP server of control/qmqpservers. Protocol: docs/wire/qmqp.md; exit codes:
// docs/wire/queue.md.
#include "posix/program.h"
#include "qmtp/null_client.h"
#include "wire/queue_exit.h"

int main() {
  constexpr int out_of_memory = static_cast<int>(postern::wire::QueueExit::out_of_memory);
  return postern::program({.name = "qmail-qmqpc", .out_of_memory = out_of_memory},
                          [] { return postern::qmtp::run_null_client(); });
}
