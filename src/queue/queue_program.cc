#include "queue/queue_program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "posix/clock.h"
#include "posix/files.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "queue/enqueue.h"
#include "queue/received_line.h"
#include "wire/home.h"
#include "wire/queue_orders.h"
#include "wire/time_limits.h"

namespace postern::queue {
namespace {

using wire::QueueExit;

constexpr std::size_t most_passwd_bytes = 16 << 20;

void exit_on_timeout(int /*signal*/) { ::_exit(static_cast<int>(QueueExit::timeout)); }
void exit_on_bug(int /*signal*/) { ::_exit(static_cast<int>(QueueExit::internal_bug)); }

// Signals as we want them, whatever the caller had ignored or blocked. Interrupts from a terminal
// do not end a message half way; a limit on file sizes is a write error, not a death.
void guard_signals() {
  for (const int signal :
       {SIGPIPE, SIGVTALRM, SIGPROF, SIGQUIT, SIGINT, SIGHUP, SIGXCPU, SIGXFSZ}) {
    ignore_signal(signal);
  }
  for (const int signal : {SIGILL, SIGABRT, SIGFPE, SIGBUS, SIGSEGV, SIGSYS}) {
    std::signal(signal, exit_on_bug);
  }
  std::signal(SIGALRM, exit_on_timeout);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

int refuse(QueueExit code, const Error& reason) {
  // Callers learn a number; the log they pass on by descriptor 2 gets the reason.
  if (!reason.what.empty()) warn(describe(reason));
  return static_cast<int>(code);
}

void limit_time() { ::alarm(static_cast<unsigned>(wire::queue_writer_deadline)); }

int enter_queue(const std::string& home) {
  if (const auto done = change_directory(home); !done) {
    return refuse(QueueExit::home_trouble, done.error());
  }
  if (const auto done = change_directory("queue"); !done) {
    return refuse(QueueExit::queue_directory_trouble,
                  {"unable to switch to " + home + "/queue", done.error().code});
  }
  return static_cast<int>(QueueExit::ok);
}

// The exit code for one message. The queue is entered for each: what is at its place now counts.
int queue_message(Submission& submission, Disk& disk, const std::string& home) {
  if (const int code = enter_queue(home); code != 0) return code;
  submission.now = unix_time();
  const auto queued = enqueue(submission, disk);
  return queued ? static_cast<int>(QueueExit::ok)
                : refuse(queued.error().code, queued.error().reason);
}

// Each is taken as if the program had been started for it: nothing of one is left when the next
// comes.
int serve_orders(Submission& submission, Disk& disk, const std::string& home) {
  auto orders = wire::QueueOrders::on_descriptor();
  for (;;) {
    const auto next = orders.next();
    if (!next) return refuse(QueueExit::read_error, next.error());
    const auto& order = *next;
    if (!order) return static_cast<int>(QueueExit::ok);
    limit_time();
    if (!wire::QueueOrders::say_taken(*order, submission.pid)) continue;
    submission.message_fd = order->message.get();
    submission.envelope_fd = order->envelope.get();
    // Code 0 is said when enqueue() has synced the message and its names, and not before.
    orders.say_done(*order, queue_message(submission, disk, home));
  }
}

// Asked for by an argument, because a setuid program heeds no variable; and not under another name:
// whoever stands in our place and runs us would not see the messages.
bool is_to_serve(std::span<char* const> arguments) {
  return arguments.size() == 2 && arguments[0] == wire::queue_program &&
         arguments[1] == wire::serving_argument;
}

}  // namespace

int run_queue_program(std::span<char* const> arguments) {
  guard_signals();
  ::umask(033);
  limit_time();
  Submission submission;
  submission.pid = ::getpid();
  submission.uid = ::getuid();
  // Without /etc/passwd the trace line says "by uid N", which is true of everybody.
  submission.invoker = describe_invoker(
      submission.uid, read_file("/etc/passwd", most_passwd_bytes).value_or(std::string{}));
  const std::string home = wire::home();
  Disk disk;
  if (is_to_serve(arguments)) return serve_orders(submission, disk, home);
  return queue_message(submission, disk, home);
}

}  // namespace postern::queue
