#include "wire/queue_client.h"

#include <poll.h>

#include <algorithm>

#include "posix/environment.h"
#include "posix/io.h"
#include "posix/packets.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "wire/descriptors.h"
#include "wire/kept_worker.h"
#include "wire/queue_exit.h"

namespace postern::wire {
namespace {

constexpr std::size_t buffer_bytes = 65536;
constexpr std::size_t most_error_text = 255;  // bytes of custom text a caller reads

// Where there are no sockets, it works once.
void offer_to_stay(SpawnSpec& spec, PacketPair& sockets) {
  auto made = make_packet_pair();
  if (!made) return;
  sockets = std::move(*made);
  spec.argv.emplace_back(kept_queue_argument);
  spec.fds.push_back({sockets.theirs.get(), kept_worker_fd});
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
  return start(std::move(*pipes), qmail_home, diagnostics, nullptr);
}

Result<QueueClient> QueueClient::open(KeptQueue& kept) {
  auto pipes = Pipes::make();
  if (!pipes) return std::unexpected(pipes.error());
  QueueClient client;
  if (client.hand_over(*pipes, kept)) return client;
  auto started = start(std::move(*pipes), home(), 2, &kept);
  kept.wanted = true;
  return started;
}

Result<QueueClient> QueueClient::start(Pipes pipes, const std::string& qmail_home, int diagnostics,
                                       KeptQueue* kept) {
  auto error_text = make_pipe();
  if (!error_text) return std::unexpected(error_text.error());
  auto program = environment_variable("QMAILQUEUE");
  SpawnSpec spec;
  spec.argv = {program && !program->empty() ? *program : std::string(queue_program)};
  spec.directory = qmail_home;
  spec.fds = {{pipes.message.read.get(), queue_fd::message},
              {pipes.envelope.read.get(), queue_fd::envelope},
              {error_text->write.get(), queue_fd::error_text},
              {error_text->write.get(), queue_fd::older_error_text}};
  if (diagnostics != 2) spec.fds.push_back({diagnostics, 2});
  PacketPair sockets;
  if (kept != nullptr && kept->wanted && spec.argv.front() == queue_program) {
    offer_to_stay(spec, sockets);
  }
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
  client.use(std::move(pipes), std::move(*child));
  client.error_text_ = std::move(error_text->read);
  client.socket_ = std::move(sockets.ours);
  client.kept_ = kept;
  return client;
}

// False: there is none, or it has gone.
bool QueueClient::hand_over(Pipes& pipes, KeptQueue& kept) {
  if (!kept.socket) return false;
  Child child = std::move(kept.child);
  socket_ = std::move(kept.socket);
  const int descriptors[] = {pipes.message.read.get(), pipes.envelope.read.get()};
  if (!send_packet(socket_.get(), kept_queue_order, descriptors)) {
    socket_.reset();
    (void)child.wait();
    return false;
  }
  use(std::move(pipes), std::move(child));
  kept_ = &kept;
  handed_over_ = true;
  return true;
}

void QueueClient::use(Pipes pipes, Child child) {
  child_ = std::move(child);
  qp_ = child_.pid();
  message_ = std::move(pipes.message.write);
  envelope_ = std::move(pipes.envelope.write);
}

QueueClient::~QueueClient() {
  if (child_.pid() <= 0) return;
  message_.reset();
  envelope_.reset();
  socket_.reset();
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

// Until qmail-queue says that it stays, which it does when a message is queued and durable; or has
// ended, which the end of its error text shows (of a program that does not close descriptor 6, the
// end of its process), or the end of the socket if the text's pipe was for an earlier message.
bool QueueClient::waits_for_more(std::string& text) {
  while (error_text_ || socket_) {
    pollfd polled[] = {{error_text_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
    if (::poll(polled, std::size(polled), -1) < 0 && errno != EINTR) return false;
    if (polled[1].revents != 0) {
      char said = 0;
      const auto count = read_some(socket_.get(), {&said, 1});
      if (count && *count == 1) return true;
      socket_.reset();
    } else if (polled[0].revents != 0 && !read_error_text(text)) {
      return false;
    }
  }
  return false;
}

// False at its end.
bool QueueClient::read_error_text(std::string& text) {
  char chunk[most_error_text];
  const auto count = read_some(error_text_.get(), chunk);
  if (!count || *count == 0) return false;
  text.append(chunk, std::min(*count, most_error_text - text.size()));
  return true;
}

QueueReply QueueClient::finish() {
  if (start_failure_) return {std::string(queue_exit_text(static_cast<int>(*start_failure_))), 0};
  // Without the final NUL qmail-queue must throw the message away.
  if (!failed_) buffer_ += '\0';
  flush();
  message_.reset();
  envelope_.reset();
  std::string text;
  if (waits_for_more(text) && !failed_) {
    kept_->child = std::move(child_);
    kept_->socket = std::move(socket_);
    return {{}, qp_};
  }
  socket_.reset();
  const auto status = child_.wait();
  if (!status) return {std::string(queue_wait_failed), qp_};
  if (status->crashed()) return {std::string(queue_crashed), qp_};
  const int code = status->code();
  if (code == static_cast<int>(QueueExit::custom_text) && is_custom_text(text)) return {text, qp_};
  if (code != 0) return {std::string(queue_exit_text(code)), qp_};
  if (handed_over_) return {std::string(queue_crashed), qp_};
  if (failed_) return {std::string(queue_exit_text(static_cast<int>(QueueExit::read_error))), qp_};
  return {{}, qp_};
}

}  // namespace postern::wire
