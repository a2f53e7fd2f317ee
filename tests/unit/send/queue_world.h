// A queue in a temporary directory, with the engine in it and stand-ins for the processes around:
// spawns that a test answers for, a qmail-clean that unlinks, a qmail-queue that is a shell script.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "send/engine.h"
#include "support/temporary_directory.h"
#include "wire/envelope.h"

namespace postern::send::test {

class QueueWorld {
 public:
  QueueWorld();

  // The queue, before or while the engine runs.
  wire::MessageId put(const wire::Envelope& envelope, const std::string& message = "hello\n");
  /// As put(), but preprocessed already, `age` seconds ago.
  wire::MessageId put_preprocessed(const std::string& sender, const std::string& local,
                                   const std::string& remote, std::int64_t age = 0);
  static void write(const std::string& path, const std::string& bytes);
  static std::string read(const std::string& path);
  static bool exists(const std::string& path);
  static void set_time(const std::string& path, std::int64_t time);
  static std::int64_t time_of(const std::string& path);
  /// How many files there are below queue/info, queue/mess and so on.
  static std::size_t count_files(const std::string& directory);

  // The engine.
  Settings settings;
  DeliveryCounts counts{.local = {0, 10}, .remote = {0, 20}};
  std::size_t number_bytes = 1;
  std::int64_t now;
  void start();
  Engine& engine() { return *engine_; }
  /// Turns of the loop until `condition` holds; fails the test when it does not within seconds.
  void run_until(const std::function<bool()>& condition);
  void run_until_logged(const std::string& text);
  /// Turns of the loop until nothing has happened for some of them. Only to show that something
  /// does not happen: what needs the disk may take longer.
  void run_until_quiet();
  /// Ends the engine as SIGTERM does, and saves.
  void stop();
  void pull_trigger();

  // The processes around it.
  std::vector<wire::DeliveryOrder> orders[2];  // by channel, as they came
  /// Answers orders at once where it gives a text; else a test does, with report().
  std::function<std::string(Channel, const wire::DeliveryOrder&)> answer;
  void report(Channel channel, unsigned number, const std::string& text);
  void report_bytes(Channel channel, const std::string& bytes);
  /// qmail-clean's byte for an order; nothing: does what is asked.
  std::function<std::string(const wire::CleanOrder&)> clean_answer;
  std::vector<wire::CleanOrder> clean_orders;
  bool clean_is_busy = false;  // orders wait, unread
  void close_spawn(Channel channel) { spawns_[index_of(channel)].reset(); }
  void close_clean() { clean_.reset(); }
  /// What qmail-queue does after it has stored the message: lines of shell.
  void set_qmail_queue(const std::string& script);
  /// The n-th message given to qmail-queue (from 1), and its envelope.
  std::string queued_message(int n) const;
  std::string queued_envelope(int n) const;

  /// All that has been logged.
  const std::string& log();
  std::size_t count_logged(const std::string& text);

  const std::string& home() const { return home_; }

 private:
  bool serve();
  bool serve_spawn(Channel channel);
  bool serve_clean();

  postern::test::TemporaryDirectory directory_;
  std::string home_;
  std::unique_ptr<Engine> engine_;
  Fd spawns_[2];
  std::string spawn_bytes_[2];
  Fd clean_;
  std::string clean_bytes_;
  Fd log_read_;
  Fd log_write_;
  std::string log_;
};

}  // namespace postern::send::test
