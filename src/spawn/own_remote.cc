#include "spawn/own_remote.h"

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/spawn.h"
#include "wire/remote_report.h"

namespace postern::spawning {
namespace {

constexpr std::size_t most_program_bytes = 64 << 20;
constexpr std::string_view elf_magic = "\177ELF";  // elf(5)

}  // namespace

bool is_own_remote(const std::string& file) {
  const auto bytes = read_file(file, most_program_bytes);
  return bytes && bytes->starts_with(elf_magic) && bytes->contains(wire::takes_several_mark);
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
