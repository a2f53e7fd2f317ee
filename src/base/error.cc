#include "base/error.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace postern {

std::string describe(const Error& error) {
  if (error.code == 0) return error.what;
  char buffer[128];
  return error.what + ": " + strerror_r(error.code, buffer, sizeof buffer);
}

bool is_temporary(int code) {
  switch (code) {
    case EINTR:
    case ENOMEM:
    case ETXTBSY:
    case EIO:
    case ETIMEDOUT:
    case EWOULDBLOCK:
    case EDEADLK:
    case EBUSY:
    case ENFILE:
    case EMFILE:
    case EFBIG:
    case ENOSPC:
    case ENETDOWN:
    case ENETUNREACH:
    case ENETRESET:
    case ECONNABORTED:
    case ECONNRESET:
    case ENOBUFS:
    case ETOOMANYREFS:
    case ECONNREFUSED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EUSERS:
    case EDQUOT:
    case ESTALE:
    case ENOLCK:
      return true;
    default:
      return false;
  }
}

void bug(std::string_view what) {
  std::string line = "bug: ";
  line += what;
  line += '\n';
  [[maybe_unused]] auto written = ::write(2, line.data(), line.size());
  std::abort();
}

}  // namespace postern
