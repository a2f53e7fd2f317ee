// Finding new mail: the trigger, the scans of todo, and the entries that are to be left alone for
// a while because something is wrong with them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "send/log.h"
#include "send/queue_file.h"
#include "wire/time_limits.h"
#include "wire/trigger.h"

namespace postern::send {

class TodoScan {
 public:
  explicit TodoScan(Log& log) : log_(log) {}

  /// Readable when the trigger has been pulled; -1 while there is no trigger.
  [[nodiscard]] int trigger_fd() const { return pulled_ ? -1 : trigger_.fd(); }
  void pulled() { pulled_ = true; }

  /// The next message to be preprocessed; begins a scan when one is due. Nothing: not now.
  std::optional<wire::MessageId> next(std::int64_t now);
  /// Leaves an entry alone until so many seconds have passed.
  void postpone(wire::MessageId id, std::int64_t now,
                std::int64_t pause = wire::system_failure_pause);
  /// Leaves nothing alone any longer: the administrator says that the trouble is over.
  void make_all_due(std::int64_t now);

  /// A scan is going on.
  [[nodiscard]] bool scanning() const { return ids_.has_value(); }
  /// When a scan is due although the trigger is silent.
  [[nodiscard]] std::int64_t next_scan() const { return next_scan_; }
  /// How long a pulled trigger must wait; nothing: it has not been pulled.
  [[nodiscard]] std::optional<std::chrono::milliseconds> pull_waits() const;

 private:
  bool begin(std::int64_t now);

  Log& log_;
  wire::TriggerReader trigger_;
  bool pulled_ = false;
  std::int64_t next_scan_ = 0;
  std::chrono::steady_clock::time_point last_begin_{};
  int seen_ = 0;  // entries, by the last scan
  std::optional<IdsInDirectory> ids_;
  std::unordered_map<wire::MessageId, std::int64_t> postponed_;  // until when
};

}  // namespace postern::send
