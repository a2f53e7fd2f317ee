// What is in the queue, as qmail-qread and qmail-qstat show it. The current directory is
// HOME/queue.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "wire/queue_names.h"

namespace postern::admin {

/// A message that qmail-send delivers.
struct QueuedMessage {
  wire::MessageId id = 0;
  std::int64_t since = 0;   // seconds since 1970
  std::uint64_t bytes = 0;  // of its text
  std::string sender;
  bool bounces = false;  // a bounce of it is being gathered
};
/// "15 Nov 1996 06:17:30 GMT  #33475  1304  <joe@x> " and a line feed; "bouncing" at the end of the
/// line where it is.
std::string format_message(const QueuedMessage& message);
/// "\tremote\tjoe@x" for every recipient of a local or remote file, "  done" before those that need
/// nothing more. Error: a record that is none; what came before it is in `lines`.
Status format_recipients(std::string_view kind, std::string_view records, std::string& lines);

/// Gives every message's lines to `print`. A message that ends meanwhile is left out or cut short;
/// a file that makes no sense or cannot be read goes to `complain`. Error: the queue cannot be
/// read.
Status list_queue(const std::function<void(std::string_view)>& print,
                  const std::function<void(const Error&)>& complain);

struct QueueCounts {
  std::uint64_t messages = 0;     // all of them
  std::uint64_t unprocessed = 0;  // those that qmail-send has yet to take up
};
Result<QueueCounts> count_queue();
/// The two lines that monitoring programs read.
std::string format_counts(const QueueCounts& counts);

/// Makes HOME/queue the current directory. The Error of somebody who may not read it says who may.
Status enter_queue();

}  // namespace postern::admin
