#include "fsck/fsck.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "base/integers.h"
#include "fsck/guard.h"
#include "fsck/mender.h"
#include "fsck/owner.h"
#include "fsck/places.h"
#include "fsck/stray.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "wire/home.h"

namespace postern::fsck {
namespace {

constexpr MessageId most_split = 10000;
constexpr std::chrono::seconds patience_with_writers{30};

class Check {
 public:
  Check(const Options& options, const SuiteIds& ids, std::int64_t now,
        const std::function<void(std::string_view)>& print)
      : options_(options),
        rules_{options.split, ids.queue, ids.send, now},
        places_(queue_places(options.split, ids)),
        print_(print) {}
  Result<int> run();

 private:
  Status check_places();
  Status examine();
  Result<int> say_what_is_wrong();
  Status prepare();
  Result<int> repair();
  Status put_places_right();
  Status carry_out();
  Status check_file_system() const;
  void print(const Finding& finding) const;
  void print_findings() const;

  const Options& options_;
  Rules rules_;
  std::vector<Place> places_;
  const std::function<void(std::string_view)>& print_;
  Fd lock_;
  std::vector<Finding> place_findings_;
  Diagnosis diagnosis_;
};

Result<int> Check::run() {
  auto lock = lock_queue();
  if (!lock) return std::unexpected(lock.error());
  lock_ = std::move(*lock);
  if (auto checked = check_places(); !checked) return std::unexpected(checked.error());
  if (is_unfinished()) {
    place_findings_.push_back({"a repair was cut short here; the queue is closed", "ended"});
    if (options_.repair) return repair();
    print_findings();
    print_("what else is wrong cannot be said before it has ended: qmail-queue-fsck --repair\n");
    return exit_code::unsound;
  }
  if (auto examined = examine(); !examined) return std::unexpected(examined.error());
  const bool is_sound = place_findings_.empty() && diagnosis_.findings.empty();
  return options_.repair && !is_sound ? repair() : say_what_is_wrong();
}

Status Check::check_places() {
  for (const auto& place : places_) {
    const auto finding = check_place(place);
    if (!finding) return std::unexpected(finding.error());
    if (*finding) place_findings_.push_back(**finding);
  }
  return {};
}

Status Check::examine() {
  const auto snapshot = take_snapshot();
  if (!snapshot) return std::unexpected(snapshot.error());
  diagnosis_ = diagnose(*snapshot, rules_);
  return {};
}

Result<int> Check::say_what_is_wrong() {
  print_findings();
  const std::size_t wrong = place_findings_.size() + diagnosis_.findings.size();
  const std::string messages = "messages: " + std::to_string(diagnosis_.messages);
  if (wrong == 0) {
    print_(messages + ", nothing is wrong\n");
    return exit_code::sound;
  }
  print_(messages + ", problems: " + std::to_string(wrong) +
         "; qmail-queue-fsck --repair mends them\n");
  return exit_code::unsound;
}

void Check::print(const Finding& finding) const {
  std::string line = finding.what;
  if (options_.repair)
    line += finding.mend.empty() ? " [left as it is]" : " [" + finding.mend + "]";
  // A name may hold anything.
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = '?';
  }
  print_(line + "\n");
}

void Check::print_findings() const {
  for (const auto& finding : place_findings_) print(finding);
  for (const auto& finding : diagnosis_.findings) print(finding);
}

// Files are renamed from one directory to another, which must not end in the middle.
Status Check::check_file_system() const {
  const auto top = stat_file(".");
  if (!top) return std::unexpected(top.error());
  for (const auto& place : places_) {
    const auto info = stat_file(place.path);
    if (info && info->st_dev != top->st_dev) {
      return failure(place.path +
                     " is on another file system than the queue: nothing was repaired");
    }
  }
  return {};
}

// Up to here nothing in the queue has been moved, and on failure it opens again.
Status Check::prepare() {
  if (auto checked = check_file_system(); !checked) return checked;
  for (const auto& place : places_) {
    const bool is_needed =
        place.path == "lock" || place.path == exit_lock || place.path == entrance;
    if (!is_needed || (lock_ && place.path == exit_lock)) continue;
    if (auto done = put_right(place); !done) return done;
  }
  if (!lock_) {
    auto lock = lock_queue();
    if (!lock) return std::unexpected(lock.error());
    lock_ = std::move(*lock);
  }
  const bool was_closed = is_unfinished();
  auto closed = close_queue(lock_.get());
  if (closed) closed = wait_for_writers(Deadline::after(patience_with_writers));
  if (!closed && !was_closed) (void)open_queue(places_);
  return closed;
}

Status Check::put_places_right() {
  for (const auto& place : places_) {
    if (place.path == entrance || place.path == exit_lock) continue;  // they stay closed
    if (auto done = put_right(place); !done) return done;
  }
  return {};
}

Status Check::carry_out() {
  for (const auto& [path, uid, mode] : diagnosis_.repossessions) {
    if (auto done = own(path, S_IFREG, uid, std::nullopt, mode); !done) return done;
  }
  for (const auto& path : diagnosis_.strays) {
    if (auto done = keep_stray(path); !done) return done;
  }
  for (const auto& aside : diagnosis_.asides) {
    if (auto done = keep_message(aside); !done) return done;
  }
  if (auto done = finish_asides(); !done) return done;
  if (auto done = move_files(diagnosis_.moves, options_.split); !done) return done;
  for (const auto& path : diagnosis_.emptied) (void)::rmdir(path.c_str());
  return {};
}

Result<int> Check::repair() {
  if (auto done = prepare(); !done) return std::unexpected(done.error());
  Status done = put_places_right();
  if (done) done = resume_placing(options_.split);
  if (done) done = examine();
  if (done) print_findings();
  if (done) done = carry_out();
  const std::uint64_t messages = diagnosis_.messages;
  const std::uint64_t kept = diagnosis_.kept;
  if (done) done = examine();
  if (done) done = open_queue(places_);
  if (!done) {
    return failure(done.error().what + "; the queue stays closed until a --repair has ended",
                   done.error().code);
  }
  if (diagnosis_.findings.empty()) {
    print_("messages: " + std::to_string(messages) + ", in the queue: " + std::to_string(kept) +
           "; mended\n");
    return exit_code::mended;
  }
  print_("what is left needs somebody to look at it:\n");
  place_findings_.clear();
  print_findings();
  return exit_code::unsound;
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, const std::string& home) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--repair") {
      options.repair = true;
    } else if (word == "--split" && i + 1 < argc) {
      const auto split = parse_decimal(argv[++i]);
      if (!split || *split == 0 || *split > most_split) return std::nullopt;
      options.split = *split;
    } else if (word.starts_with('-') || word.empty() || !options.queue.empty()) {
      return std::nullopt;
    } else {
      options.queue = word;
    }
  }
  if (options.queue.empty()) options.queue = home + "/queue";
  return options;
}

Result<int> check_queue(const Options& options, const SuiteIds& ids, std::int64_t now,
                        const std::function<void(std::string_view)>& print) {
  return Check(options, ids, now, print).run();
}

int run_fsck(int argc, const char* const* argv) {
  const auto options = parse_options(argc, argv, wire::home());
  if (!options) {
    die(postern::exit_code::permanent,
        "usage: qmail-queue-fsck [--repair] [--split NUMBER] [QUEUE]");
  }
  if (::geteuid() != 0) {
    die(postern::exit_code::temporary, "must be run as root, since the queue has several owners");
  }
  // Neither a closed terminal nor `| head` is a reason to stop halfway.
  ignore_signal(SIGHUP);
  ignore_signal(SIGPIPE);
  const auto ids = read_suite_ids();
  if (!ids) die(postern::exit_code::temporary, ids.error());
  if (const auto entered = change_directory(options->queue); !entered) {
    die(postern::exit_code::temporary, entered.error());
  }
  BufferedOutput output(1);
  const auto done = check_queue(*options, *ids, unix_time(),
                                [&](std::string_view line) { (void)output.put(line); });
  const auto written = output.flush();
  if (!done) die(postern::exit_code::temporary, done.error());
  if (!written && !options->repair) die(postern::exit_code::temporary, written.error());
  return *done;
}

}  // namespace postern::fsck
