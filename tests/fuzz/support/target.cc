// libFuzzer's entry points, once for all targets.
#include <csignal>

#include "fuzz/support/input.h"
#include "posix/signals.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  postern::ignore_signal(SIGPIPE);  // as every program does that writes to others
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  postern::fuzz::try_input(postern::fuzz::Input({reinterpret_cast<const char*>(data), size}));
  return 0;
}
