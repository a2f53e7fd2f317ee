#include "smtpd/spp_program.h"

#include "posix/environment.h"
#include "wire/queue_exit.h"

namespace postern::smtpd {

Result<std::string> SppProgram::run(const std::string& plugin) {
  SpawnSpec spec;
  if (plugin.starts_with(':')) {
    spec.argv = {"/bin/sh", "-c", plugin.substr(1)};
  } else {
    spec.argv = {plugin};
  }
  auto output = run_for_output(std::move(spec), most_output_bytes, longest_);
  if (!output) return std::unexpected(output.error());
  if (output->status.crashed()) return failure("it crashed");
  if (output->status.code() == static_cast<int>(wire::QueueExit::exec_failed)) {
    return failure("it could not be run (exit 120)");
  }
  return std::move(output->text);
}

void SppProgram::set(const std::string& name, std::string_view value) {
  // A NUL, which a client may send, ends a variable.
  set_environment_variable(name.c_str(), std::string(value.substr(0, value.find('\0'))));
}

void SppProgram::unset(const std::string& name) { unset_environment_variable(name.c_str()); }

}  // namespace postern::smtpd
