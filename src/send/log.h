// The log of qmail-send: the lines that log readers (qmailanalog, logwatch, isoqlog) take apart,
// and the descriptor they go to. Fields of existing lines are fixed; anything new is a new kind of
// line. Described in docs/wire/log.md.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"
#include "send/channel.h"

namespace postern::send {

/// The parts put together: log lines are made of many small ones.
std::string joined(std::initializer_list<std::string_view> parts);

/// How many deliveries run, of how many possible.
struct DeliveryCounts {
  struct OfChannel {
    unsigned running = 0;
    unsigned limit = 0;
  };
  OfChannel local;
  OfChannel remote;
  bool exiting = false;  // SIGTERM has come: none is started any more

  OfChannel& of(Channel channel) { return channel == Channel::local ? local : remote; }
};

struct NewMessage {
  wire::MessageId id = 0;
  std::int64_t bytes = 0;  // of the mess file, with qmail-queue's Received line
  std::string sender;
  std::uint64_t pid = 0;  // of qmail-queue
  std::uint64_t uid = 0;  // of its caller
};

// Without line ends. Everything a stranger had a hand in is made one harmless word.
std::string format_status(const DeliveryCounts& counts);
std::string format_new_message(wire::MessageId id);
std::string format_message_info(const NewMessage& message);
std::string format_start(std::uint64_t delivery, wire::MessageId id, Channel channel,
                         std::string_view address);
enum class Outcome { success, failure, deferral };
std::string format_outcome(std::uint64_t delivery, Outcome outcome, std::string_view text);
std::string format_mangled_report(std::uint64_t delivery);

/// Gathers lines; flush() writes them in one system call. A log that takes nothing (its reader is
/// stopped) stops us: mail that nobody can account for is not delivered.
class Log {
 public:
  explicit Log(int fd) : fd_(fd) {}
  void line(std::string_view text);
  void warning(std::initializer_list<std::string_view> parts);
  void alert(std::initializer_list<std::string_view> parts);
  void flush();

 private:
  int fd_;
  std::string lines_;
};

}  // namespace postern::send
