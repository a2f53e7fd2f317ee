#include "wire/own_program.h"

#include <fcntl.h>

#include <algorithm>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/spawn.h"

namespace postern::wire {
namespace {

constexpr std::size_t piece_bytes = 4096;
constexpr std::string_view elf_magic = "\177ELF";  // elf(5)

}  // namespace

// In small pieces, each behind the end of the last: a daemon keeps the memory that it has once
// touched. Opening anything else than a file could block a spawn.
bool is_own_program(const std::string& file, std::string_view mark) {
  const auto fd = open_file(file, O_RDONLY | O_NONBLOCK);
  if (!fd) return false;
  if (const auto info = stat_open_file(fd->get()); !info || !S_ISREG(info->st_mode)) return false;
  std::string piece(mark.size() + piece_bytes, '\0');
  std::size_t kept = 0;
  for (bool at_begin = true;; at_begin = false) {
    const auto count = read_full(fd->get(), std::span(piece).subspan(kept, piece_bytes));
    if (!count) return false;
    const std::string_view text(piece.data(), kept + *count);
    if (at_begin && !text.starts_with(elf_magic)) return false;
    if (text.contains(mark)) return true;
    if (*count < piece_bytes) return false;
    kept = mark.size();
    std::copy_n(text.end() - kept, kept, piece.begin());
  }
}

bool OwnProgram::is(const std::string& file) {
  std::string seen = file + ":" + file_version(file);
  if (seen != seen_) {
    own_ = is_own_program(file, mark_);
    seen_ = std::move(seen);
  }
  return own_;
}

std::string OwnProgram::find(const std::string& program) {
  std::string file = find_program(program, environment_variable("PATH").value_or(""));
  // A relative one is another file in the qmail home, where it would run.
  if (!file.starts_with('/') || !is(file)) file.clear();
  return file;
}

}  // namespace postern::wire
