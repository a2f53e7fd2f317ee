#include "wire/queue_client.h"

#include <algorithm>

#include "posix/environment.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "wire/descriptors.h"
#include "wire/queue_exit.h"
#include "wire/queue_orders.h"

namespace postern::wire {
namespace {

constexpr std::size_t buffer_bytes = 65536;
constexpr std::size_t most_error_text = 255;  // bytes of custom text a caller reads

std::optional<std::string> program_in_its_place() {
  auto program = environment_variable("QMAILQUEUE");
  return program && !program->empty() ? program : std::nullopt;
}

bool is_custom_text(std::string_view text) {
  return text.size() > 2 && (text.front() == 'D' || text.front() == 'Z');
}

}  // namespace

struct QueueClient::Pipes {
  Pipe message;
  Pipe envelope;

  static Result<Pipes> make() {
    auto message = make_pipe();
    if (!message) return std::unexpected(message.error());
    auto envelope = make_pipe();
    if (!envelope) return std::unexpected(envelope.error());
    return Pipes{std::move(*message), std::move(*envelope)};
  }
};

Result<QueueClient> QueueClient::open(const std::string& qmail_home, int diagnostics) {
  auto pipes = Pipes::make();
  if (!pipes) return std::unexpected(pipes.error());
  return start(std::move(*pipes), qmail_home, diagnostics);
}

Result<QueueClient> QueueClient::open(KeptQueue& kept) {
  QueueClient client;
  if (!program_in_its_place() && client.order(kept)) return client;
  kept.wanted = true;
  // Not the same pipes: whoever may have got them finds a message cut off, and none beside ours.
  return open(home(), 2);
}

Result<QueueClient> QueueClient::start(Pipes pipes, const std::string& qmail_home,
                                       int diagnostics) {
  auto error_text = make_pipe();
  if (!error_text) return std::unexpected(error_text.error());
  SpawnSpec spec;
  spec.argv = {program_in_its_place().value_or(std::string(queue_program))};
  spec.directory = qmail_home;
  spec.fds = {{pipes.message.read.get(), queue_fd::message},
              {pipes.envelope.read.get(), queue_fd::envelope},
              {error_text->write.get(), queue_fd::error_text},
              {error_text->write.get(), queue_fd::older_error_text}};
  if (diagnostics != 2) spec.fds.push_back({diagnostics, 2});
  QueueClient client;
  auto child = spawn(spec);
  if (!child) {
    // qmail's callers tell "could not fork" apart from "the program cannot be run", which the
    // sender of the message learns as an exit code of qmail-queue.
    if (child.error().what.starts_with("unable to fork")) return std::unexpected(child.error());
    client.start_failure_ = child.error().what.starts_with("unable to switch")
                                ? QueueExit::home_trouble
                                : QueueExit::exec_failed;
    return client;
  }
  client.child_ = std::move(*child);
  client.error_text_ = std::move(error_text->read);
  client.use(std::move(pipes), client.child_.pid());
  return client;
}

// False: the message needs a program of its own.
bool QueueClient::order(KeptQueue& kept) {
  if (!kept.orders && kept.wanted && !kept.works_once) {
    auto server = start_queue_server(home());
    if (server && waits_for_orders(*server)) {
      kept.orders = std::move(server->orders);
      kept.child = std::move(server->child);
    } else {
      kept.works_once = server.has_value();
    }
  }
  if (!kept.orders) return false;
  auto pipes = Pipes::make();
  if (!pipes) return false;
  auto taken = give_order(kept.orders.get(), pipes->message.read.get(), pipes->envelope.read.get());
  if (!taken) {
    kept.orders.reset();
    if (kept.child.pid() > 0) (void)kept.child.wait();
    return false;
  }
  use(std::move(*pipes), taken->qp);
  taken_ = std::move(taken);
  return true;
}

void QueueClient::use(Pipes pipes, pid_t qp) {
  qp_ = qp;
  message_ = std::move(pipes.message.write);
  envelope_ = std::move(pipes.envelope.write);
}

QueueClient::~QueueClient() {
  if (child_.pid() <= 0) return;
  message_.reset();
  envelope_.reset();
  (void)child_.wait();
}

void QueueClient::put(int fd, std::string_view bytes) {
  if (failed_ || fd < 0) return;
  if (!write_all(fd, bytes)) failed_ = true;
}

void QueueClient::flush() {
  put(message_ ? message_.get() : envelope_.get(), buffer_);
  buffer_.clear();
}

// The buffer never outgrows its size: qmail-smtpd may have two megabytes for everything.
void QueueClient::write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > buffer_bytes) flush();
  if (bytes.size() > buffer_bytes) return put(message_.get(), bytes);
  buffer_ += bytes;
}

void QueueClient::sender(std::string_view address) {
  flush();
  message_.reset();
  buffer_ += 'F';
  buffer_ += address;
  buffer_ += '\0';
}

void QueueClient::recipient(std::string_view address) {
  if (buffer_.size() + address.size() + 2 > buffer_bytes) flush();
  buffer_ += 'T';
  buffer_ += address;
  buffer_ += '\0';
}

// To its end, which is that of the program, or of a program that closes descriptor 6 early.
std::string QueueClient::read_error_text() {
  std::string text;
  char chunk[most_error_text];
  for (;;) {
    const auto count = read_some(error_text_.get(), chunk);
    if (!count || *count == 0) return text;
    text.append(chunk, std::min(*count, most_error_text - text.size()));
  }
}

QueueReply QueueClient::judge(std::optional<int> exit_code, const std::string& text) const {
  if (!exit_code) return {std::string(queue_crashed), qp_};
  const int code = *exit_code;
  if (code == static_cast<int>(QueueExit::custom_text) && is_custom_text(text)) return {text, qp_};
  if (code != 0) return {std::string(queue_exit_text(code)), qp_};
  if (failed_) return {std::string(queue_exit_text(static_cast<int>(QueueExit::read_error))), qp_};
  return {{}, qp_};
}

QueueReply QueueClient::finish() {
  if (start_failure_) return {std::string(queue_exit_text(static_cast<int>(*start_failure_))), 0};
  // Without the final NUL qmail-queue must throw the message away.
  if (!failed_) buffer_ += '\0';
  flush();
  message_.reset();
  envelope_.reset();
  if (taken_) return judge(read_exit_code(*taken_), {});
  const std::string text = read_error_text();
  const auto status = child_.wait();
  if (!status) return {std::string(queue_wait_failed), qp_};
  return judge(status->crashed() ? std::nullopt : std::optional(status->code()), text);
}

}  // namespace postern::wire
