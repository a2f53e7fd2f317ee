// A qmail home of a test's own, the current directory, with an empty control/.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_directory.h"

namespace postern::admin {

class ControlDirectory : public ::testing::Test {
 protected:
  ControlDirectory() { std::filesystem::create_directory("control"); }
  static void put(const std::string& file, const std::string& text) {
    std::ofstream("control/" + file) << text;
  }
  /// What a sound small site has.
  static void put_sound_site() {
    put("me", "mail.example.org\n");
    put("defaultdelivery", "./Maildir/\n");
    put("locals", "mail.example.org\nexample.org\n");
    put("rcpthosts", "mail.example.org\nexample.org\n");
  }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace postern::admin
