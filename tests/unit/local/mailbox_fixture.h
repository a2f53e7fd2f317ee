// A directory of its own and messages as files, as qmail-local gets them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "local/message.h"
#include "posix/files.h"
#include "support/temporary_directory.h"

namespace postern::local {

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Mailboxes : public ::testing::Test {
 protected:
  Message message(const std::string& text) {
    const std::string name = "message-" + std::to_string(files_.size());
    std::ofstream(name, std::ios::binary) << text;
    files_.push_back(open_for_reading(name).value());
    return Message::open(files_.back().get()).value();
  }
  static std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  test::TemporaryDirectory here_;
  std::vector<Fd> files_;
};

}  // namespace postern::local
