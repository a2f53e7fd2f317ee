#include "wire/tcpto.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "posix/files.h"

namespace postern::wire {
namespace {

using namespace std::string_literals;

const std::string v4 = "\xc0\0\2\1"s;
const std::string other_v4 = "\xc0\0\2\2"s;
const std::string v6 = "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"s;
constexpr std::uint64_t moment = 1'700'000'000;
constexpr std::uint64_t shortest_penalty = 3840;  // for process ids that are multiples of 32
constexpr std::uint64_t longest_penalty = 5824;   // for those one less

std::string applied(std::string bytes, const std::optional<TcptoUpdate>& update) {
  if (update) bytes.replace(update->offset, update->record.size(), update->record);
  return bytes;
}

std::string empty(const TcptoFormat& format) {
  return std::string(tcpto_records * format.record_bytes, '\0');
}

TEST(Tcpto, WritesTheRecordsOfQmail) {
  const auto update = note_timeout(tcpto_v4, empty(tcpto_v4), v4, 0x01020304);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->offset, 0U);
  EXPECT_EQ(update->record, v4 + "\1\0\0\0"s + "\4\3\2\1"s + "\0\0\0\0"s);
}

TEST(Tcpto, WritesTimesBeyond2106ForIpv6) {
  const auto update = note_timeout(tcpto_v6, empty(tcpto_v6), v6, 0x0102030405060708);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->record, v6 + "\1\0\0\0\0\0\0\0"s + "\x08\7\6\5\4\3\2\1"s);
}

TEST(Tcpto, SkipsAnAddressAfterTwoTimeoutsForAboutAnHour) {
  std::string bytes = applied(empty(tcpto_v4), note_timeout(tcpto_v4, empty(tcpto_v4), v4, moment));
  EXPECT_FALSE(is_in_penalty(tcpto_v4, bytes, v4, moment + 1, 0));
  bytes = applied(bytes, note_timeout(tcpto_v4, bytes, v4, moment + 120));
  const std::uint64_t last = moment + 120;
  EXPECT_TRUE(is_in_penalty(tcpto_v4, bytes, v4, last, 0));
  EXPECT_TRUE(is_in_penalty(tcpto_v4, bytes, v4, last + shortest_penalty - 1, 0));
  EXPECT_FALSE(is_in_penalty(tcpto_v4, bytes, v4, last + shortest_penalty, 0));
  EXPECT_TRUE(is_in_penalty(tcpto_v4, bytes, v4, last + longest_penalty - 1, 31));
  EXPECT_FALSE(is_in_penalty(tcpto_v4, bytes, v4, last + longest_penalty, 31));
  EXPECT_FALSE(is_in_penalty(tcpto_v4, bytes, v4, last + shortest_penalty, 32));
  EXPECT_FALSE(is_in_penalty(tcpto_v4, bytes, other_v4, last, 0));
}

TEST(Tcpto, CountsTimeoutsOfTwoMinutesOnce) {
  const std::string bytes =
      applied(empty(tcpto_v4), note_timeout(tcpto_v4, empty(tcpto_v4), v4, moment));
  EXPECT_FALSE(note_timeout(tcpto_v4, bytes, v4, moment + 119));
  EXPECT_TRUE(note_timeout(tcpto_v4, bytes, v4, moment + 120));
}

TEST(Tcpto, CountsToTen) {
  std::string bytes = empty(tcpto_v4);
  for (std::uint64_t i = 0; i < 15; ++i) {
    bytes = applied(bytes, note_timeout(tcpto_v4, bytes, v4, moment + i * 200));
  }
  EXPECT_EQ(parse_tcpto(tcpto_v4, bytes).at(0).count, 10U);
  EXPECT_EQ(parse_tcpto(tcpto_v4, bytes).size(), 1U);
}

TEST(Tcpto, ForgetsAnAddressThatAnswers) {
  std::string bytes = empty(tcpto_v4);
  EXPECT_FALSE(note_success(tcpto_v4, bytes, v4));
  bytes = applied(bytes, note_timeout(tcpto_v4, bytes, v4, moment));
  bytes = applied(bytes, note_timeout(tcpto_v4, bytes, v4, moment + 200));
  bytes = applied(bytes, note_success(tcpto_v4, bytes, v4));
  EXPECT_FALSE(is_in_penalty(tcpto_v4, bytes, v4, moment + 200, 0));
  EXPECT_TRUE(parse_tcpto(tcpto_v4, bytes).empty());
}

TEST(Tcpto, ReplacesTheRecordLeastMissedWhenFull) {
  std::string bytes = empty(tcpto_v4);
  for (std::size_t i = 0; i < tcpto_records; ++i) {
    const std::string address{'\x0a', '\0', '\0', static_cast<char>(i)};
    // The eighth is the oldest.
    bytes = applied(bytes, note_timeout(tcpto_v4, bytes, address, i == 7 ? moment - 5 : moment));
  }
  const auto update = note_timeout(tcpto_v4, bytes, v4, moment + 10);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->offset, 7 * tcpto_v4.record_bytes);
  // A timeout counted twice is worth 1024 seconds.
  const auto twice = note_timeout(tcpto_v4, bytes, "\x0a\0\0\7"s, moment + 200);
  EXPECT_EQ(note_timeout(tcpto_v4, applied(bytes, twice), v4, moment + 201)->offset, 0U);
}

TEST(Tcpto, TakesATimeToComeForAClockThatWasWrong) {
  std::string bytes = applied(empty(tcpto_v4), note_timeout(tcpto_v4, empty(tcpto_v4), v4, moment));
  bytes = applied(bytes, note_timeout(tcpto_v4, bytes, v4, moment + 1000));
  EXPECT_FALSE(is_in_penalty(tcpto_v4, bytes, v4, moment, 0));
  EXPECT_TRUE(note_timeout(tcpto_v4, bytes, v4, moment));
}

TEST(Tcpto, LivesWithAFileOfAnotherSize) {
  EXPECT_FALSE(note_timeout(tcpto_v4, "", v4, moment));
  EXPECT_FALSE(note_timeout(tcpto_v4, "short", v4, moment));
  EXPECT_FALSE(is_in_penalty(tcpto_v4, "short", v4, moment, 0));
  EXPECT_EQ(note_timeout(tcpto_v4, std::string(16, '\0') + "rest", v4, moment)->offset, 0U);
}

class TcptoFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "tcptoXXXXXX";
    queue_ = ::mkdtemp(pattern.data());
    ASSERT_EQ(::mkdir((queue_ + "/lock").c_str(), 0700), 0);
  }
  void TearDown() override { std::filesystem::remove_all(queue_); }
  std::string read(const char* path) { return read_file(queue_ + "/" + path, 1 << 20).value(); }
  std::string queue_;
};

TEST_F(TcptoFiles, AreMadeAndClearedInTheirFullSize) {
  ASSERT_TRUE(clear_tcpto(queue_));
  EXPECT_EQ(read("lock/tcpto"), std::string(1024, '\0'));
  EXPECT_EQ(read("lock/tcpto6"), std::string(2048, '\0'));
  record_timeout(queue_, v4, moment);
  record_timeout(queue_, v6, moment);
  EXPECT_EQ(read("lock/tcpto").substr(0, 5), v4 + "\1");
  EXPECT_EQ(read("lock/tcpto6").substr(0, 17), v6 + "\1");
  ASSERT_TRUE(clear_tcpto(queue_));
  EXPECT_EQ(read("lock/tcpto"), std::string(1024, '\0'));
  EXPECT_EQ(read("lock/tcpto6"), std::string(2048, '\0'));
}

TEST_F(TcptoFiles, RememberAndForget) {
  ASSERT_TRUE(clear_tcpto(queue_));
  for (const std::string& address : {v4, v6}) {
    record_timeout(queue_, address, moment);
    record_timeout(queue_, address, moment + 200);
    EXPECT_TRUE(look_up(queue_, address, moment + 201, 0).in_penalty);
    EXPECT_TRUE(look_up(queue_, address, moment + 201, 0).has_timeouts);
    record_success(queue_, address);
    EXPECT_FALSE(look_up(queue_, address, moment + 201, 0).in_penalty);
    EXPECT_FALSE(look_up(queue_, address, moment + 201, 0).has_timeouts);
  }
}

TEST_F(TcptoFiles, MayBeMissing) {
  record_timeout(queue_, v4, moment);
  record_success(queue_, v4);
  EXPECT_FALSE(look_up(queue_, v4, moment, 0).in_penalty);
  EXPECT_FALSE(std::filesystem::exists(queue_ + "/lock/tcpto"));
}

}  // namespace
}  // namespace postern::wire
