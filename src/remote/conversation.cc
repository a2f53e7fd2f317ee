#include "remote/conversation.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "posix/buffer.h"
#include "posix/io.h"

namespace postern::remote {
namespace {

constexpr std::size_t piece_bytes = 65536;
constexpr std::size_t input_bytes = 16384;

constexpr std::string_view unable_to_read = "ZUnable to read message. (#4.3.0)\n";
constexpr std::string_view partial_line =
    "DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n";

}  // namespace

void Conversation::run(int message, std::chrono::milliseconds timeout) {
  message_ = message;
  timeout_ = timeout;
  begin_.reset();
  deadline_ = Deadline::after(timeout_);
  while (!session_.finished()) {
    if (written_ == output_.size()) {
      output_ = session_.take_output();
      written_ = 0;
      if (output_.empty() && session_.wants_message()) fill_from_message();
    }
    if (!session_.finished()) step();
  }
}

bool Conversation::may_go_on() const {
  pollfd item{socket_, POLLIN, 0};
  return session_.is_open() && !left_over_ && written_ == output_.size() &&
         ::poll(&item, 1, 0) == 0;
}

// A courtesy, whose reply nobody needs: it must not wait, nor may half a command be finished.
void Conversation::quit() {
  session_.quit();
  const std::string farewell = session_.take_output();
  if (written_ != output_.size()) return;
  [[maybe_unused]] const ssize_t sent =
      ::send(socket_, farewell.data(), farewell.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// A short message goes out with its end in one piece.
void Conversation::fill_from_message() {
  if (!encoder_ && !begin_message()) return session_.on_message_failure(unable_to_read);
  std::string piece;
  make_room(piece, piece_bytes);
  while (output_.size() < piece_bytes) {
    const auto count = read_some(message_, piece);
    if (!count) return session_.on_message_failure(unable_to_read);
    if (*count == 0) return end_message();
    encoder_->encode(std::string_view(piece).substr(0, *count), output_);
  }
}

// A message that is no file cannot be sent twice, and then its session does not ask for it.
bool Conversation::begin_message() {
  encoder_.emplace();
  if (begin_) return ::lseek(message_, *begin_, SEEK_SET) >= 0;
  const off_t at = ::lseek(message_, 0, SEEK_CUR);
  begin_ = std::max<off_t>(at, 0);
  return true;
}

void Conversation::end_message() {
  if (!encoder_->at_line_start()) return session_.on_message_failure(partial_line);
  encoder_.reset();
  output_ += end_of_message;
  session_.message_ending();
}

void Conversation::step() {
  if (written_ < output_.size() && write_what_fits()) return;
  if (session_.finished()) return;
  const bool writing = written_ < output_.size();
  pollfd item{socket_, static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0};
  const int ready = ::poll(&item, 1, deadline_.poll_timeout());
  if (ready < 0 && errno == EINTR) return;
  if (ready == 0) return session_.on_timeout();
  if (ready < 0) return session_.on_connection_lost();
  if ((item.revents & ~POLLOUT) != 0) read_replies();
}

// Whether there may be more to write, or to do, before waiting.
bool Conversation::write_what_fits() {
  const ssize_t count = ::send(socket_, output_.data() + written_, output_.size() - written_,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count >= 0) {
    written_ += static_cast<std::size_t>(count);
    deadline_ = Deadline::after(timeout_);
    if (written_ == output_.size() && session_.is_ending_message()) session_.message_sent();
    return session_.wants_message();
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return false;
  // The server may have said why before it closed.
  while (!session_.finished() && read_replies()) {
  }
  if (!session_.finished()) session_.on_connection_lost();
  return false;
}

// False: there was nothing to read.
bool Conversation::read_replies() {
  char bytes[input_bytes];
  const ssize_t count = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
  if (count > 0) {
    feed({bytes, static_cast<std::size_t>(count)});
  } else {
    session_.on_connection_lost();
  }
  return true;
}

void Conversation::feed(std::string_view bytes) {
  using State = mail::SmtpReplyParser::State;
  while (!bytes.empty() && !session_.finished()) {
    switch (parser_.feed(bytes)) {
      case State::unfinished:
        return;
      case State::malformed:
        return session_.on_malformed_reply(parser_.text());
      case State::complete:
        deadline_ = Deadline::after(timeout_);
        session_.on_reply(parser_.take_reply());
    }
  }
  left_over_ = !bytes.empty();
}

}  // namespace postern::remote
