// A whole qmail-send over a queue directory in which anything stands: files that lie, are cut short
// or have the wrong kind, spawns and a qmail-clean that say anything. It must neither crash nor
// stick, log one harmless line at a time, and leave when it is told to.
#include <gtest/gtest.h>

#include <chrono>

#include "base/ascii.h"
#include "base/integers.h"
#include "fuzz/support/input.h"
#include "unit/send/queue_world.h"

namespace postern::fuzz {
namespace {

using send::Channel;
using send::test::QueueWorld;
namespace fs = std::filesystem;

constexpr int most_turns = 200;

// Each line of the input is something that stands or happens: a letter, a number, a blank, bytes.
// "\n" in the bytes is written as such; a NUL too, as "\0".
struct Happening {
  char kind;
  wire::MessageId id;
  std::string bytes;
};

std::string unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape && (text[i + 1] == 'n' || text[i + 1] == '0')) {
      bytes += text[++i] == 'n' ? '\n' : '\0';
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

Happening parse(std::string_view line) {
  const char kind = line.front();
  line.remove_prefix(1);
  const std::string_view digits = line.substr(0, line.find(' '));
  return {kind, parse_decimal(digits).value_or(7) % 100,
          unescape(line.substr(std::min(digits.size() + 1, line.size())))};
}

class Run {
 public:
  void prepare(const Happening& event) {
    const auto& [kind, id, bytes] = event;
    switch (kind) {
      case 'm':
        return write(wire::mess_path(id), bytes);
      case 't':
        return write(wire::todo_path(id), bytes);
      case 'd':
        return write(wire::intd_path(id), bytes);
      case 'i':
        return write(wire::info_path(id), bytes);
      case 'l':
        return write(wire::local_path(id), bytes);
      case 'r':
        return write(wire::remote_path(id), bytes);
      case 'b':
        return write(wire::bounce_path(id), bytes);
      case 'o':  // as old as it may get
        return make_old(id);
      case 'D':  // a directory in the place of a file, unless that is there
        return make_directory(place_of(bytes, id));
      case 'F':  // a FIFO
        return (void)::mkfifo(place_of(bytes, id).c_str(), 0600);
      case 'v':
        world_.settings.rules.virtualdomains = control::HostMap({bytes});
        return;
      case 'p':
        world_.settings.rules.percenthack = control::HostSet({"me.example"});
        return;
      default:
        // A NUL within a report ends it, and what follows is taken for others.
        garbled_ = garbled_ || kind == 'R' || (kind == 'a' && bytes.contains('\0'));
        answers_.push_back(event);
    }
  }

  void run() {
    world_.answer = [this](Channel, const wire::DeliveryOrder&) { return next('a', "Kdone\n"); };
    world_.clean_answer = [this](const wire::CleanOrder&) { return next('c', "").substr(0, 1); };
    world_.start();
    for (const Happening& event : answers_) {
      if (event.kind == 'R') report(event);
      if (event.kind == 'A') world_.engine().handle_signal(SIGALRM);
      if (event.kind == 'w') world_.now += static_cast<std::int64_t>(event.id) * 100'000;
    }
    world_.run_until_quiet();
    // What a spawn has garbled is waited for as long as the spawn lives.
    if (garbled_) {
      for (const Channel channel : {Channel::local, Channel::remote}) world_.close_spawn(channel);
    }
    world_.stop();
    check_log(world_.log());
  }

 private:
  static std::string place_of(std::string_view kind, wire::MessageId id) {
    switch (kind.empty() ? 't' : kind.front()) {
      case 'm':
        return wire::mess_path(id);
      case 'i':
        return wire::info_path(id);
      case 'l':
        return wire::local_path(id);
      case 'b':
        return wire::bounce_path(id);
      default:
        return wire::todo_path(id);
    }
  }
  static void write(const std::string& path, const std::string& bytes) {
    if (!fs::exists(path)) QueueWorld::write(path, bytes);
  }
  static void make_directory(const std::string& path) {
    std::error_code not_made;
    fs::create_directories(path, not_made);
  }
  void make_old(wire::MessageId id) {
    for (const auto& path : {wire::info_path(id), wire::mess_path(id), wire::intd_path(id)}) {
      if (fs::is_regular_file(path)) QueueWorld::set_time(path, world_.now - 1'000'000);
    }
  }
  // What a spawn or qmail-clean says next: the input's word, then the usual one. Something it must
  // say: qmail-send waits for it as long as it lives.
  std::string next(char kind, std::string usual) {
    const auto found = std::ranges::find(answers_, kind, &Happening::kind);
    if (found == answers_.end()) return usual;
    std::string bytes = found->bytes;
    answers_.erase(found);
    return bytes.empty() ? usual : bytes;
  }
  // Bytes from a spawn that nobody has asked for.
  void report(const Happening& event) {
    world_.report_bytes(event.id % 2 == 0 ? Channel::local : Channel::remote, event.bytes);
    world_.engine().turn(nullptr, std::chrono::milliseconds{0});
  }
  static void check_log(std::string_view log) {
    require(is_printable(replace_all(log, '\n', ' ')), "the log holds nothing but lines of text");
    require(log.ends_with("status: exiting\n"), "it leaves when it is told to");
  }

  QueueWorld world_;
  std::vector<Happening> answers_;
  bool garbled_ = false;  // what a spawn says
};

}  // namespace

void try_input(Input input) {
  GTEST_FLAG_SET(break_on_failure, true);  // the stand-ins of the unit tests have claims too
  Run run;
  for (int lines = 0; !input.rest().empty() && lines < most_turns; ++lines) {
    if (const std::string_view line = input.line(); !line.empty()) run.prepare(parse(line));
  }
  run.run();
}

}  // namespace postern::fuzz
