// control-samples samples [manual]: writes a sample of every control file into the directory
// `samples`, and makes the generated parts of the pages in the directory `manual` anew. Run when
// the sources are built, for their folders control/ and man/; not installed.
#include <fcntl.h>

#include <filesystem>

#include "admin/control_sample.h"
#include "admin/manual_parts.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"

namespace {

using namespace postern;

constexpr std::size_t most_page_bytes = 1 << 20;

void write_text(const std::string& path, std::string_view text) {
  const auto fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!fd) die(exit_code::temporary, fd.error());
  const auto written = write_all(fd->get(), text);
  if (!written) die(exit_code::temporary, written.error());
}

void write_samples(const std::string& directory) {
  for (const auto& spec : control::table) {
    write_text(std::string(directory).append("/").append(spec.file), admin::format_sample(spec));
  }
}

void fill_pages(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string path = entry.path();
    const auto page = read_file(path, most_page_bytes);
    if (!page) die(exit_code::temporary, page.error());
    const auto filled = admin::fill_page(*page);
    if (!filled) die(exit_code::permanent, path + ", " + filled.error().what);
    if (*filled != *page) write_text(path, *filled);
  }
}

}  // namespace

int main(int argc, char* argv[]) {
  return program({.name = "control-samples"}, [&] {
    if (argc != 2 && argc != 3) {
      die(exit_code::permanent, "usage: control-samples samples [manual]");
    }
    write_samples(argv[1]);
    if (argc == 3) fill_pages(argv[2]);
    return exit_code::ok;
  });
}
