// The order of things is all there is to this file. A message is accepted by one operation, the
// link of intd/N as todo/N; before it nobody looks at the files, after it qmail-send may do so at
// any moment. So what the link speaks of is durable before the link is made (else a power cut could
// leave a message in todo with half its text), and the link itself is durable before the caller is
// told (else it could be forgotten). On Linux a name is durable once its directory is synced.
#include "queue/enqueue.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <span>

#include "posix/buffer.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/lock.h"
#include "queue/received_line.h"
#include "wire/envelope.h"
#include "wire/queue_names.h"
#include "wire/trigger.h"

namespace postern::queue {
namespace {

using wire::QueueExit;
using Step = std::expected<void, Refusal>;

constexpr std::size_t piece_bytes = 65536;  // what a pipe holds
constexpr mode_t file_mode = 0644;
constexpr int most_pid_names = 9;

std::unexpected<Refusal> refuse(QueueExit code, Error reason = {}) {
  return std::unexpected(Refusal{code, std::move(reason)});
}

// A full disk is a full disk, whichever step meets it: callers have a reply of its own for that.
std::unexpected<Refusal> refuse_creation(QueueExit code, const Error& reason) {
  const bool full = reason.code == ENOSPC || reason.code == EDQUOT;
  return refuse(full ? QueueExit::write_error : code, reason);
}

class Enqueuer {
 public:
  // All the memory that a message takes, however large, before there is a file to leave behind.
  Enqueuer(const Submission& submission, Disk& disk) : submission_(submission), disk_(disk) {
    make_room(piece_, piece_bytes);
    records_.reserve(2 * piece_bytes);
  }

  Step run() {
    using Method = Step (Enqueuer::*)();
    constexpr std::array<Method, 7> steps = {&Enqueuer::create_mess,   &Enqueuer::copy_message,
                                             &Enqueuer::create_intd,   &Enqueuer::copy_envelope,
                                             &Enqueuer::sync_contents, &Enqueuer::link_todo,
                                             &Enqueuer::sync_todo};
    for (const Method step : steps) {
      if (const Step done = (this->*step)(); !done) {
        withdraw();
        return done;
      }
    }
    wire::pull_trigger();
    return {};
  }

 private:
  // S1 to S2. The name in pid/ is only there because a file needs a name before it has a number.
  Step create_mess() {
    if (const Step created = create_pid_file(); !created) return created;
    const auto number = disk_.number(mess_.get());
    if (!number) return refuse(QueueExit::pid_file_trouble, number.error());
    id_ = *number;
    if (const auto linked = link_file(pid_path_, wire::mess_path(id_)); !linked) {
      return refuse_creation(QueueExit::mess_file_trouble, linked.error());
    }
    has_mess_ = true;
    if (const auto removed = unlink_file(pid_path_); !removed) {
      return refuse(QueueExit::pid_file_trouble, removed.error());
    }
    pid_path_.clear();
    return remove_leftovers();
  }

  // The number is ours now. Names of an earlier message of that number can only have come back
  // after a power cut, or from a backup: todo/N would send this text to that one's recipients.
  Step remove_leftovers() {
    if (const auto removed = remove_file(wire::todo_path(id_)); !removed) {
      return refuse(QueueExit::todo_file_trouble, removed.error());
    }
    if (const auto removed = remove_file(wire::intd_path(id_)); !removed) {
      return refuse(QueueExit::intd_file_trouble, removed.error());
    }
    return {};
  }

  Step create_pid_file() {
    const std::string stem =
        "pid/" + std::to_string(submission_.pid) + "." + std::to_string(submission_.now) + ".";
    for (int sequence = 1;; ++sequence) {
      const std::string path = stem + std::to_string(sequence);
      auto fd = create_new_file(path, file_mode);
      if (fd) {
        mess_ = std::move(*fd);
        pid_path_ = path;
        hold_lock();
        return {};
      }
      if (fd.error().code != EEXIST || sequence == most_pid_names) {
        return refuse_creation(QueueExit::pid_file_trouble, fd.error());
      }
    }
  }

  // Until we end, so that qmail-send never takes the file for debris, whatever the clocks say.
  // Where there are no locks, only its age protects it.
  void hold_lock() const { (void)try_lock(mess_.get()); }

  Step copy_message() {
    const std::string trace =
        format_received_line(submission_.pid, submission_.invoker, submission_.now);
    std::size_t used = trace.copy(piece_.data(), piece_.size());
    for (;;) {
      const auto count = read_some(submission_.message_fd, std::span(piece_).subspan(used));
      if (!count) return refuse(QueueExit::read_error, count.error());
      used += *count;
      if (*count != 0 && used < piece_.size()) continue;
      if (const Step written = write(mess_, std::string_view(piece_).substr(0, used)); !written) {
        return written;
      }
      used = 0;
      if (*count == 0) break;
    }
    // While the caller is still busy with the envelope. Both files then share a commit.
    return checked(start_writing_out(mess_.get(), wire::mess_path(id_)));
  }

  // S2 to S3.
  Step create_intd() {
    auto fd = create_new_file(wire::intd_path(id_), file_mode);
    if (!fd) return refuse_creation(QueueExit::intd_file_trouble, fd.error());
    intd_ = std::move(*fd);
    return {};
  }

  Step copy_envelope() {
    using State = wire::EnvelopeParser::State;
    wire::EnvelopeParser parser;
    records_ +=
        wire::format_todo_head(submission_.uid, static_cast<std::uint64_t>(submission_.pid));
    for (State state = State::unfinished; state != State::complete;) {
      const auto count = read_some(submission_.envelope_fd, piece_);
      if (!count) return refuse(QueueExit::read_error, count.error());
      // Without the final NUL the caller has died, or has thought better of it.
      if (*count == 0) return refuse(QueueExit::read_error);
      state = parser.feed(std::string_view(piece_).substr(0, *count), records_);
      if (state == State::too_long) return refuse(QueueExit::address_too_long);
      if (state == State::malformed) return refuse(QueueExit::bad_envelope);
      if (state == State::complete || records_.size() >= piece_bytes) {
        if (const Step written = write(intd_, records_); !written) return written;
        records_.clear();
      }
    }
    return {};
  }

  // The text and the envelope, and the name mess/N. The data of both is there before the first
  // sync, so that one journal commit covers all three. The name intd/N need not survive: todo/N
  // will be another name of the same file.
  Step sync_contents() {
    const Step written = checked(write_out(intd_.get(), wire::intd_path(id_)));
    if (!written) return written;
    const std::string directory = wire::split_directory("mess", id_);
    const auto names = open_directory(directory);
    if (!names) return refuse(QueueExit::mess_file_trouble, names.error());
    const OpenFile files[] = {{mess_.get(), wire::mess_path(id_)},
                              {intd_.get(), wire::intd_path(id_)},
                              {names->get(), directory}};
    return checked(disk_.sync(files));
  }

  // S3 to S4.
  Step link_todo() {
    // Whatever can go wrong without harm must do so before the link.
    auto directory = open_directory("todo");
    if (!directory) return refuse(QueueExit::todo_file_trouble, directory.error());
    todo_directory_ = std::move(*directory);
    const auto linked = link_file(wire::intd_path(id_), wire::todo_path(id_));
    if (!linked) return refuse_creation(QueueExit::todo_file_trouble, linked.error());
    has_todo_ = true;
    return {};
  }

  // The name todo/N. Only after this may the caller forget the message.
  Step sync_todo() {
    const OpenFile names[] = {{todo_directory_.get(), "todo"}};
    return checked(disk_.sync(names));
  }

  static Result<Fd> open_directory(const std::string& path) {
    return open_file(path, O_RDONLY | O_DIRECTORY);
  }

  static Step checked(const Status& synced) {
    if (synced) return {};
    return refuse(QueueExit::write_error, synced.error());
  }

  Step write(const Fd& fd, std::string_view bytes) {
    const auto written = write_all(fd.get(), bytes);
    if (written) return {};
    return refuse(QueueExit::write_error,
                  {"unable to write " + (intd_ ? wire::intd_path(id_) : wire::mess_path(id_)),
                   written.error().code});
  }

  // Truncating frees the space even where a name will not go. mess/N may be somebody else's: the
  // files of a queue restored from a backup have other inode numbers than names.
  void withdraw() {
    if (has_todo_) {
      // Once todo/N has been there the message is qmail-send's, which may have read it already and
      // needs mess/N. Without todo/N it is either delivered (and the caller, told to try again,
      // makes it a second copy) or swept as debris.
      (void)remove_file(wire::todo_path(id_));
      return;
    }
    if (intd_) discard(intd_, wire::intd_path(id_));
    if (has_mess_) discard(mess_, wire::mess_path(id_));
    if (!pid_path_.empty()) discard(mess_, pid_path_);
  }

  static void discard(const Fd& fd, const std::string& path) {
    [[maybe_unused]] const int truncated = ::ftruncate(fd.get(), 0);
    (void)remove_file(path);
  }

  const Submission& submission_;
  Disk& disk_;
  std::string piece_;    // what has been read
  std::string records_;  // of the envelope, to be written
  wire::MessageId id_ = 0;
  Fd mess_;
  Fd intd_;
  Fd todo_directory_;
  std::string pid_path_;   // while the message has a name in pid/
  bool has_mess_ = false;  // mess/N is ours
  bool has_todo_ = false;
};

}  // namespace

std::expected<void, Refusal> enqueue(const Submission& submission, Disk& disk) {
  return Enqueuer(submission, disk).run();
}

}  // namespace postern::queue
