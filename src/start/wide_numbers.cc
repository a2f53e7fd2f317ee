#include "start/wide_numbers.h"

#include <algorithm>

#include "control/read.h"
#include "posix/files.h"
#include "posix/spawn.h"
#include "wire/delivery_order.h"

namespace postern::start {
namespace {

constexpr std::size_t most_program_bytes = 64 << 20;

bool exceeds_one_byte(control::FileName file) {
  const auto number = control::read_number(file.spec());
  return number && *number > wire::most_deliveries(1);
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
