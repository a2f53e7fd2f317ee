// qmail-queue: puts one message into the queue. The one setuid program: runs as qmailq for anybody.
// Message on descriptor 0, envelope on 1. Protocol and exit codes: docs/wire/queue.md.
#include "posix/program.h"
#include "queue/queue_program.h"
#include "wire/queue_exit.h"

int main(int argc, char** argv) {
  constexpr int out_of_memory = static_cast<int>(postern::wire::QueueExit::out_of_memory);
  return postern::program({.name = "qmail-queue", .out_of_memory = out_of_memory}, [&] {
    return postern::queue::run_queue_program(std::span(argv, static_cast<std::size_t>(argc)));
  });
}
