#include "spawn/own_remote.h"

#include <fcntl.h>

#include <algorithm>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/spawn.h"
#include "wire/remote_report.h"

namespace postern::spawning {
namespace {

constexpr std::size_t piece_bytes = 32768;
constexpr std::string_view elf_magic = "\177ELF";  // elf(5)

}  // namespace

// In pieces, each behind the end of the last: a program has megabytes, and fresh memory for all of
// it costs more than to look at it.
bool is_own_remote(const std::string& file) {
  constexpr std::string_view mark = wire::takes_several_mark;
  const auto fd = open_file(file, O_RDONLY);
  char piece[mark.size() + piece_bytes];
  std::size_t kept = 0;
  for (bool at_begin = true; fd; at_begin = false) {
    const auto count = read_full(fd->get(), std::span(piece).subspan(kept, piece_bytes));
    if (!count) return false;
    const std::string_view text(piece, kept + *count);
    if (at_begin && !text.starts_with(elf_magic)) return false;
    if (text.contains(mark)) return true;
    if (*count < piece_bytes) return false;
    kept = mark.size();
    std::copy_n(text.end() - kept, kept, piece);
  }
  return false;
}

const std::string& OwnRemote::find(const std::string& program) {
  std::string file = find_program(program, environment_variable("PATH").value_or(""));
  // A relative one is another file in the qmail home, where it would run.
  if (!file.starts_with('/')) file.clear();
  std::string seen = file + ":" + file_version(file);
  if (seen == seen_) return program_;
  program_ = is_own_remote(file) ? std::move(file) : "";
  seen_ = std::move(seen);
  return program_;
}

}  // namespace postern::spawning
