#include "start/wide_numbers.h"

#include <unistd.h>

#include <algorithm>

#include "control/read.h"
#include "posix/files.h"
#include "wire/delivery_order.h"

namespace postern::start {
namespace {

constexpr std::size_t most_program_bytes = 64 << 20;

bool exceeds_one_byte(control::FileName file) {
  const auto number = control::read_number(file.spec());
  return number && *number > wire::most_deliveries(1);
}

// The first executable of that name; empty: none.
std::string find_program(std::string_view name, std::string_view path) {
  for (;;) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    std::string file = directory.empty() ? "." : std::string(directory);
    file.append("/").append(name);
    if (::access(file.c_str(), X_OK) == 0) return file;
    if (colon == std::string_view::npos) return {};
    path.remove_prefix(colon + 1);
  }
}

}  // namespace

bool wants_wide_numbers() {
  return exceeds_one_byte("concurrencylocal") || exceeds_one_byte("concurrencyremote");
}

bool all_know_wide_numbers(std::span<const std::string_view> programs, std::string_view path) {
  return std::ranges::all_of(programs, [&](std::string_view name) {
    const auto bytes = read_file(find_program(name, path), most_program_bytes);
    return bytes && bytes->contains(wire::wide_numbers_variable);
  });
}

}  // namespace postern::start
