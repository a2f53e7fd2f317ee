// A cdb file gives the same answers mapped and read piece by piece.
#include <gtest/gtest.h>

#include <fstream>

#include "control/cdb.h"
#include "support/temporary_directory.h"

namespace postern::control {
namespace {

class CdbAccess : public testing::TestWithParam<Cdb::Access> {
 protected:
  static void make(std::size_t records) {
    auto writer = CdbWriter::create("test.cdb", "test.tmp", 0644);
    ASSERT_TRUE(writer);
    for (std::size_t i = 0; i < records; ++i) {
      ASSERT_TRUE(writer->add("key" + std::to_string(i), std::string(i % 300, 'v')));
    }
    ASSERT_TRUE(writer->add("", "of the empty key"));
    ASSERT_TRUE(writer->commit());
  }
  test::TemporaryDirectory directory_;
};

TEST_P(CdbAccess, FindsEveryKeyAndNoOther) {
  make(2000);
  auto cdb = Cdb::open("test.cdb", GetParam());
  ASSERT_TRUE(cdb);
  for (std::size_t i = 0; i < 2000; ++i) {
    EXPECT_EQ(cdb->find("key" + std::to_string(i)).value(), std::string(i % 300, 'v'));
  }
  EXPECT_EQ(cdb->find("").value(), "of the empty key");
  EXPECT_EQ(cdb->find("key2000").value(), std::nullopt);
  EXPECT_EQ(cdb->find(std::string(100'000, 'k')).value(), std::nullopt);
}

TEST_P(CdbAccess, SurvivesAFileCutOrChangedAnywhere) {
  make(3);
  std::string whole;
  {
    std::ifstream file("test.cdb");
    whole.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto try_file = [&](const std::string& bytes) {
    std::ofstream("broken.cdb") << bytes;
    auto cdb = Cdb::open("broken.cdb", GetParam());
    if (!cdb) return;
    for (const auto* key : {"key0", "key1", "key2", "", "other"}) (void)cdb->find(key);
  };
  for (std::size_t length = 0; length < whole.size(); length += 31)
    try_file(whole.substr(0, length));
  // Every byte of the records and tables, and some of the header's 2048.
  for (std::size_t i = 0; i < whole.size(); i += i < 2048 ? 64 : 1) {
    std::string changed = whole;
    changed[i] = '\xff';
    try_file(changed);
  }
}

INSTANTIATE_TEST_SUITE_P(Both, CdbAccess,
                         testing::Values(Cdb::Access::mapped_if_it_fits, Cdb::Access::by_reading));

}  // namespace
}  // namespace postern::control
