#include "inject/outcome.h"

#include "base/ascii.h"
#include "posix/program.h"

namespace postern::inject {

Outcome permanent(const Error& error) { return {exit_code::permanent, describe(error)}; }
Outcome temporary(const Error& error) { return {exit_code::temporary, describe(error)}; }

Outcome finish_queueing(wire::QueueClient& client) {
  const auto reply = client.finish();
  if (reply.accepted()) return {};
  return {reply.permanent() ? exit_code::permanent : exit_code::temporary,
          std::string(trim_end(std::string_view(reply.problem).substr(1)))};
}

}  // namespace postern::inject
