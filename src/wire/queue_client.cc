#include "wire/queue_client.h"

#include "posix/environment.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "wire/descriptors.h"
#include "wire/queue_exit.h"

namespace postern::wire {
namespace {

constexpr std::size_t buffer_bytes = 65536;
constexpr std::size_t most_error_text = 255;  // bytes of custom text a caller reads

// Bytes of the custom text; a program that never closes descriptor 6 ends with its process.
std::string read_error_text(int fd) {
  std::string text;
  char chunk[most_error_text];
  for (;;) {
    const auto count = read_some(fd, chunk);
    if (!count || *count == 0) return text;
    text.append(chunk, std::min(*count, most_error_text - text.size()));
  }
}

bool is_custom_text(std::string_view text) {
  return text.size() > 2 && (text.front() == 'D' || text.front() == 'Z');
}

}  // namespace

Result<QueueClient> QueueClient::open(const std::string& qmail_home, int diagnostics) {
  auto message = make_pipe();
  if (!message) return std::unexpected(message.error());
  auto envelope = make_pipe();
  if (!envelope) return std::unexpected(envelope.error());
  auto error_text = make_pipe();
  if (!error_text) return std::unexpected(error_text.error());

  auto program = environment_variable("QMAILQUEUE");
  SpawnSpec spec;
  spec.argv = {program && !program->empty() ? *program : "bin/qmail-queue"};
  spec.directory = qmail_home;
  spec.fds = {{message->read.get(), queue_fd::message},
              {envelope->read.get(), queue_fd::envelope},
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
  client.qp_ = client.child_.pid();
  client.message_ = std::move(message->write);
  client.envelope_ = std::move(envelope->write);
  client.error_text_ = std::move(error_text->read);
  return client;
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

QueueReply QueueClient::finish() {
  if (start_failure_) return {std::string(queue_exit_text(static_cast<int>(*start_failure_))), 0};
  // Without the final NUL qmail-queue must throw the message away.
  if (!failed_) buffer_ += '\0';
  flush();
  message_.reset();
  envelope_.reset();
  const std::string text = read_error_text(error_text_.get());
  const auto status = child_.wait();
  if (!status) return {std::string(queue_wait_failed), qp_};
  if (status->crashed()) return {std::string(queue_crashed), qp_};
  const int code = status->code();
  if (code == static_cast<int>(QueueExit::custom_text) && is_custom_text(text)) return {text, qp_};
  if (code != 0) return {std::string(queue_exit_text(code)), qp_};
  if (failed_) return {std::string(queue_exit_text(static_cast<int>(QueueExit::read_error))), qp_};
  return {{}, qp_};
}

}  // namespace postern::wire
