#include "local/outcome.h"

namespace postern::local {

std::unexpected<Failure> defer_for(std::string_view what, int code, std::string_view status) {
  return defer(describe({std::string(what), code}).append(". ").append(status));
}

}  // namespace postern::local
