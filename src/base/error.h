// What went wrong, as a value: what was being done, and the system's reason where there is one.
// Functions that the world can refuse return Result<T> or Status; nothing here throws.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>

namespace postern {

struct Error {
  std::string what;  // "unable to open control/me", no line end
  int code = 0;      // errno; 0 where the system gave no reason
};

template <class T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

/// "unable to open control/me: Permission denied".
std::string describe(const Error& error);

inline std::unexpected<Error> failure(std::string what, int code = 0) {
  return std::unexpected(Error{std::move(what), code});
}

/// As failure(), with the errno of the system call that has just failed.
inline std::unexpected<Error> system_failure(std::string what) {
  return failure(std::move(what), errno);
}

/// Whether trying again later may help, although the call failed (qmail's error_temp).
bool is_temporary(int code);

/// Our own mistake, not the world's: says so on descriptor 2 and aborts.
[[noreturn]] void bug(std::string_view what);

}  // namespace postern
