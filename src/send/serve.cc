#include "send/serve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "posix/clock.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/lock.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "send/engine.h"
#include "send/log.h"
#include "send/settings.h"
#include "wire/delivery_order.h"
#include "wire/queue_names.h"

namespace postern::send {
namespace {

// A spawn's first word: how many deliveries it can run.
Result<unsigned> read_limit(const Fd& from, std::size_t number_bytes) {
  std::string bytes;
  while (bytes.size() < number_bytes) {
    char byte = 0;
    const auto count = read_some(from.get(), {&byte, 1});
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return failure("the spawn has gone");
    bytes += byte;
  }
  return wire::parse_delivery_number(bytes, number_bytes);
}

unsigned limit_of(unsigned spawn_limit, std::uint64_t concurrency) {
  return static_cast<unsigned>(std::min<std::uint64_t>(spawn_limit, concurrency));
}

struct Ready {
  Settings settings;
  Fd mutex;
  DeliveryCounts counts;
  std::size_t number_bytes = 1;
  SignalFd signals;
};

// qmail's words for why it cannot start, after a line of our own with the cause.
std::unexpected<Error> refuse(Log& log, const Error& cause, std::string words) {
  log.alert({describe(cause)});
  return failure(std::move(words));
}

// Held for life: two of us in one queue would deliver everything twice.
Result<Fd> lock_queue(Log& log) {
  auto mutex = open_file(wire::lock_sendmutex, O_WRONLY | O_NONBLOCK);
  if (!mutex) return refuse(log, mutex.error(), "unable to open mutex");
  if (!try_lock(mutex->get())) return failure("qmail-send is already running");
  return mutex;
}

// Error: qmail's words.
Result<Ready> prepare(const std::string& home, const Descriptors& descriptors, Log& log) {
  ignore_signal(SIGPIPE);
  auto signals = SignalFd::watch({SIGTERM, SIGALRM, SIGHUP});
  if (!signals) return std::unexpected(signals.error());
  if (const auto done = change_directory(home); !done) {
    return refuse(log, done.error(), "unable to switch to home directory");
  }
  auto settings = read_settings(home);
  if (!settings) return refuse(log, settings.error(), "unable to read controls");
  if (const auto done = change_directory("queue"); !done) {
    return refuse(log, done.error(), "unable to switch to queue directory");
  }
  ::umask(077);
  auto mutex = lock_queue(log);
  if (!mutex) return std::unexpected(mutex.error());
  const std::size_t number_bytes = wire::delivery_number_bytes();
  const auto local = read_limit(descriptors.from_lspawn, number_bytes);
  const auto remote = read_limit(descriptors.from_rspawn, number_bytes);
  if (!local || !remote) return failure("hath the daemon spawn no fire?");
  DeliveryCounts counts;
  counts.local.limit = limit_of(*local, settings->concurrency_local);
  counts.remote.limit = limit_of(*remote, settings->concurrency_remote);
  return Ready{std::move(*settings), std::move(*mutex), counts, number_bytes, std::move(*signals)};
}

Result<Engine::Links> open_links(Descriptors& descriptors) {
  auto lspawn = Link::open(std::move(descriptors.to_lspawn), std::move(descriptors.from_lspawn));
  if (!lspawn) return std::unexpected(lspawn.error());
  auto rspawn = Link::open(std::move(descriptors.to_rspawn), std::move(descriptors.from_rspawn));
  if (!rspawn) return std::unexpected(rspawn.error());
  auto clean = Link::open(std::move(descriptors.to_clean), std::move(descriptors.from_clean));
  if (!clean) return std::unexpected(clean.error());
  return Engine::Links{std::move(*lspawn), std::move(*rspawn), std::move(*clean)};
}

// qmail-queue, which we run for bounces, has no business with our pipes; a copy of one would also
// hide its end from the process at the other side.
void keep_from_children(const Descriptors& descriptors) {
  for (const Fd* fd :
       {&descriptors.log, &descriptors.to_lspawn, &descriptors.from_lspawn, &descriptors.to_rspawn,
        &descriptors.from_rspawn, &descriptors.to_clean, &descriptors.from_clean}) {
    ::fcntl(fd->get(), F_SETFD, FD_CLOEXEC);
  }
}

int cannot_start(Log& log, const Error& why) {
  log.alert({"cannot start: ", describe(why)});
  return exit_code::temporary;
}

}  // namespace

int serve(const std::string& home, Descriptors descriptors) {
  keep_from_children(descriptors);
  Log log(descriptors.log.get());
  auto ready = prepare(home, descriptors, log);
  if (!ready) return cannot_start(log, ready.error());
  auto links = open_links(descriptors);
  if (!links) return cannot_start(log, links.error());
  Engine engine(std::move(ready->settings), ready->counts, ready->number_bytes, std::move(*links),
                descriptors.log.get(), unix_time);
  engine.run(ready->signals);
  // Not back through the destructors: they would wait for a qmail-queue that never ends.
  ::_exit(exit_code::ok);
}

}  // namespace postern::send
