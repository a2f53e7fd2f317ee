// control-samples directory: writes a sample of every control file into a directory. Run when the
// sources are built, for their folder control/; not installed.
#include <fcntl.h>

#include "admin/control_sample.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"

int main(int argc, char* argv[]) {
  using namespace postern;
  return program({.name = "control-samples"}, [&] {
    if (argc != 2) die(exit_code::permanent, "usage: control-samples directory");
    for (const auto& spec : control::table) {
      const std::string path = std::string(argv[1]).append("/").append(spec.file);
      const auto fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
      if (!fd) die(exit_code::temporary, fd.error());
      const auto written = write_all(fd->get(), admin::format_sample(spec));
      if (!written) die(exit_code::temporary, written.error());
    }
    return exit_code::ok;
  });
}
