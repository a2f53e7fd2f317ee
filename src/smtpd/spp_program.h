// The plugins of qmail-spp as programs: a path, or ':' and a command for /bin/sh -c. No part of
// such a command is ever the client's; what he has said is in the environment.
#pragma once

#include "smtpd/run_program.h"
#include "smtpd/services.h"

namespace postern::smtpd {

class SppProgram : public PluginPrograms {
 public:
  /// More than this is no list of commands.
  static constexpr std::size_t most_output_bytes = 65536;

  explicit SppProgram(std::chrono::milliseconds longest = longest_program_run)
      : longest_(longest) {}
  Result<std::string> run(const std::string& plugin) override;
  void set(const std::string& name, std::string_view value) override;
  void unset(const std::string& name) override;

 private:
  std::chrono::milliseconds longest_;
};

}  // namespace postern::smtpd
