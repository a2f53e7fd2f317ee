#include "wire/home.h"

#include <cstdlib>

namespace postern::wire {

std::string home() {
  const char* moved = secure_getenv("QMAILHOME");
  return moved != nullptr && *moved != '\0' ? moved : default_home;
}

}  // namespace postern::wire
