#include "admin/queue_listing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"

namespace postern::admin {
namespace {

using namespace std::string_literals;

class QueueListing : public ::testing::Test {
 protected:
  QueueListing() {
    for (wire::MessageId i = 0; i < wire::queue_split; ++i) {
      for (const char* kind : {"mess", "info", "local", "remote"}) {
        std::filesystem::create_directories(wire::split_directory(kind, i));
      }
    }
    std::filesystem::create_directory("todo");
    std::filesystem::create_directory("bounce");
  }
  static void put(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
    const timespec birth[2] = {{847952250, 0}, {847952250, 0}};  // 14 Nov 1996
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), birth, 0), 0);
  }
  std::string list() {
    std::string text;
    complaints_.clear();
    const auto listed = list_queue([&](std::string_view lines) { text += lines; },
                                   [&](const Error& error) { complaints_ += describe(error); });
    EXPECT_TRUE(listed);
    return text;
  }
  test::TemporaryDirectory directory_;
  std::string complaints_;
};

TEST_F(QueueListing, ShowsEachMessageAndItsRecipients) {
  put(wire::mess_path(100), std::string(1304, 'x'));
  put(wire::info_path(100), "Fjoe@example.org\0"s);
  put(wire::local_path(100), "Tann@example.org\0"s);
  put(wire::remote_path(100), "Db@example.net\0Tc@example.net\0"s);
  EXPECT_EQ(list(),
            "14 Nov 1996 06:17:30 GMT  #100  1304  <joe@example.org> \n"
            "\tlocal\tann@example.org\n"
            "  done\tremote\tb@example.net\n"
            "\tremote\tc@example.net\n");
  put(wire::bounce_path(100), "");
  EXPECT_TRUE(
      list().starts_with("14 Nov 1996 06:17:30 GMT  #100  1304  <joe@example.org> bouncing\n"));
}

TEST_F(QueueListing, QuotesASenderThatNeedsIt) {
  put(wire::mess_path(1), "x");
  put(wire::info_path(1), "Fa b@x\0"s);
  EXPECT_EQ(list(), "14 Nov 1996 06:17:30 GMT  #1  1  <\"a b\"@x> \n");
}

TEST_F(QueueListing, LeavesOutAMessageThatHasEndedMeanwhile) {
  put(wire::info_path(1), "Fa@x\0"s);
  EXPECT_EQ(list(), "");
  EXPECT_EQ(complaints_, "");
}

TEST_F(QueueListing, ComplainsOfFilesThatMakeNoSenseAndGoesOn) {
  for (const wire::MessageId id : {1U, 2U, 3U}) put(wire::mess_path(id), "x");
  put(wire::info_path(1), "cut short");
  put(wire::info_path(2), "Fa@x\0"s);
  put(wire::remote_path(2), "Tb@y\0Xc@z\0"s);
  put(wire::info_path(3), "Fa@x\0"s);
  EXPECT_EQ(list(),
            "14 Nov 1996 06:17:30 GMT  #2  1  <a@x> \n\tremote\tb@y\n"
            "14 Nov 1996 06:17:30 GMT  #3  1  <a@x> \n");
  EXPECT_EQ(complaints_,
            "info/1/1 makes no sense: no senderremote/2/2 makes no sense: unknown record type");
}

TEST_F(QueueListing, CountsAllMessagesAndThoseNotTakenUp) {
  put(wire::mess_path(1), "x");
  put(wire::mess_path(24), "x");
  put(wire::mess_path(2), "x");
  put(wire::todo_path(2), "x");
  const auto counts = count_queue();
  ASSERT_TRUE(counts);
  EXPECT_EQ(format_counts(*counts),
            "messages in queue: 3\n"
            "messages in queue but not yet preprocessed: 1\n");
}

TEST_F(QueueListing, FailsWhereTheQueueIsNotWhole) {
  std::filesystem::remove("todo");
  EXPECT_FALSE(count_queue());
  std::filesystem::remove_all("mess");
  EXPECT_FALSE(count_queue());
  std::filesystem::remove_all("info");
  EXPECT_FALSE(list_queue([](std::string_view) {}, [](const Error&) {}));
}

}  // namespace
}  // namespace postern::admin
