// What a spawn does with one delivery: which processes it starts, and what it makes of their
// output. The local and the remote spawn differ in this alone; spawn/server.h is the same for both.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "posix/fd.h"
#include "posix/spawn.h"
#include "wire/delivery_order.h"

namespace postern::spawning {

/// What one worker is to deliver: qmail-send has ordered it, and the message has been opened.
struct Delivery {
  std::vector<wire::DeliveryOrder> orders;  // of one message, as the channel allows
  Fd message{};                             // at offset 0

  [[nodiscard]] const wire::DeliveryOrder& order() const { return orders.front(); }
};

/// A process that works on a delivery, and the end of the pipe its output comes from. No copy of
/// the other end may stay open in the spawn.
struct Worker {
  Child child;
  Fd output;
  unsigned stage = 0;       // the channel's own: what this one does
  Fd stays{};               // where it says that it stays for another delivery, if it may
  std::string kind{};       // and what makes it as good as another one for that
  unsigned deliveries = 0;  // that it has stayed after
  std::chrono::steady_clock::time_point first_stay{};  // when that was for the first time
};

/// What a worker has made of its delivery, all of its output there.
struct Finished {
  ExitStatus status;
  std::string output;
  bool too_long = false;  // it wrote more than the channel keeps; `output` is the first part
  bool stays = false;     // the worker waits for another delivery; `status` is what it has said
};

/// What follows: a worker to wait for, or the reports that end the delivery (letter and text), one
/// for all of its orders or one for each.
using Next = std::variant<Worker, std::string, std::vector<std::string>>;

class Channel {
 public:
  virtual ~Channel() = default;
  /// The most output of a worker that is kept, in bytes.
  [[nodiscard]] virtual std::size_t most_output(const Delivery& delivery) const = 0;
  /// Orders have arrived together: what is looked up now holds for all of them.
  virtual void look_around() {}
  /// What orders must have in common for one worker to deliver them together. Empty: it delivers
  /// this one alone.
  virtual std::string common_to(const wire::DeliveryOrder& /*order*/) { return {}; }
  virtual Next begin(const Delivery& delivery) = 0;
  /// The delivery's worker of this stage has finished.
  virtual Next proceed(const Delivery& delivery, unsigned stage, Finished finished) = 0;

  /// A worker that was given a `stays` has ended its delivery and waits there for another.
  virtual void keep(Worker /*worker*/) {}
  /// Looks after the workers that wait; after a SIGCHLD, one of them may have ended. The
  /// milliseconds until it is to be called again; -1: not before something happens.
  virtual int tidy(bool /*child_ended*/) { return -1; }
};

}  // namespace postern::spawning
