// qmail-queue-fsck on a queue in which anything stands: a check changes nothing, a repair keeps
// every file, and what it has called mended is sound.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <vector>

#include "base/integers.h"
#include "fsck/fsck.h"
#include "fsck/mender.h"
#include "fsck/places.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "support/temporary_directory.h"

namespace postern::fuzz {
namespace {

namespace fs = std::filesystem;
using fsck::Kind;

constexpr int most_files = 60;
constexpr std::int64_t now = 2'000'000'000;
constexpr std::size_t most_bytes = 100'000;

SuiteIds my_ids() {
  const uid_t uid = ::geteuid();
  return {.queue = uid, .remote = uid, .send = uid, .qmail = ::getegid()};
}

// Every file of the queue by its inode number: where it is, and what it holds.
struct Stands {
  std::string path;
  std::string bytes;
  bool operator==(const Stands&) const = default;
};
using Tree = std::map<ino_t, Stands>;

Tree look() {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(".")) {
    struct stat info{};
    if (::lstat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    tree[info.st_ino] = {entry.path().string(), read_file(entry.path(), most_bytes).value_or("?")};
  }
  return tree;
}

// A line makes a file: the kind's letter, a number, a blank, bytes. Capital letters put it where it
// does not belong: into the directory of another split (S), into a repair that was cut short (G,
// P), under a name that is none (X), or make a directory in a file's place (D).
void put(std::string_view line) {
  const std::string_view letters = "mtdilrb";
  const std::string_view wrong = "SGPXD";
  const char letter = line.front();
  const std::string_view digits = line.substr(1, line.find(' ') - 1);
  const std::string bytes(line.substr(std::min(digits.size() + 2, line.size())));
  const fsck::MessageId number = parse_decimal(digits).value_or(7) % 1000;
  const Kind kind = static_cast<Kind>(letters.find(letter) % fsck::kind_count);
  std::string path = fsck::place_of(kind, number, wire::queue_split);
  switch (wrong.find(letter)) {
    case 0:
      path = fsck::place_of(Kind::info, number, 7);
      break;
    case 1:
    case 2:
      path = letter == 'G' ? fsck::gathering : fsck::placing;
      fs::create_directories(path);
      path += "/" + fsck::format_passage({Kind::local, number, number + bytes.size()});
      break;
    case 3:
      path = "mess/x" + std::to_string(number);
      break;
    case 4:
      if (!fs::exists(path)) fs::create_directories(path);
      return;
    default:
      if (letters.find(letter) == std::string_view::npos) return;
  }
  if (fs::exists(path)) return;
  if (kind == Kind::mess && number % 2 == 0 && letter == 'm') {
    // A text under its own number, as most are.
    write_file("mess/new", bytes);
    const auto info = stat_file("mess/new");
    fs::rename("mess/new", fsck::place_of(Kind::mess, info->st_ino, wire::queue_split));
    return;
  }
  fs::create_directories(fs::path(path).parent_path());
  write_file(path, bytes);
}

Result<int> run(bool repair, std::string& said) {
  return fsck::check_queue({.repair = repair}, my_ids(), now,
                           [&](std::string_view line) { said += line; });
}

// One queue for all inputs, since its directories take longer to make than all else: back to how
// it was when it was new.
class Queue {
 public:
  Queue() {
    for (const auto& place : places_) require(make(place), "a queue can be made");
  }
  void clear() {
    for (const auto& entry : fs::directory_iterator(".")) {
      if (!is_place(entry.path())) fs::remove_all(entry.path());
    }
    std::vector<fs::path> extra;
    for (const auto& entry : fs::recursive_directory_iterator(".")) {
      if (!is_place(entry.path())) extra.push_back(entry.path());
    }
    for (const auto& path : extra) fs::remove_all(path);
    for (const auto& place : places_) require(make(place), "a queue can be made again");
  }

 private:
  static bool make(const fsck::Place& place) { return fsck::put_right(place).has_value(); }
  [[nodiscard]] bool is_place(const fs::path& path) const {
    const std::string name = path.lexically_normal().string();
    return std::ranges::find(places_, name, &fsck::Place::path) != places_.end();
  }
  test::TemporaryDirectory directory_;
  std::vector<fsck::Place> places_ = fsck::queue_places(wire::queue_split, my_ids());
};

void check_that_all_is_kept(const Tree& before) {
  const Tree after = look();
  for (const auto& [inode, file] : before) {
    const auto found = after.find(inode);
    require(found != after.end(), "a repair removes no file");
    require(found->second.bytes == file.bytes, "a repair changes no file");
  }
}

}  // namespace

void try_input(Input input) {
  static Queue queue;
  queue.clear();
  for (int files = 0; !input.rest().empty() && files < most_files; ++files) {
    if (const std::string_view line = input.line(); !line.empty()) put(line);
  }
  const Tree before = look();
  std::string said;
  const auto found = run(false, said);
  require(look() == before, "a check changes nothing");
  const auto mended = run(true, said);
  check_that_all_is_kept(before);
  if (!mended) return;
  require(!found || *found != fsck::exit_code::sound || *mended == fsck::exit_code::sound,
          "what is sound needs no repair");
  if (*mended == fsck::exit_code::unsound) return;
  require(run(false, said).value_or(-1) == fsck::exit_code::sound, "what has been mended is sound");
}

}  // namespace postern::fuzz
