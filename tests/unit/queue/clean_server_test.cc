#include "queue/clean_server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "posix/io.h"
#include "posix/pipe.h"
#include "unit/queue/queue_fixture.h"
#include "wire/time_limits.h"

namespace postern::queue {
namespace {

using namespace std::string_literals;

class Clean : public ::testing::Test {
 protected:
  // The replies to these bytes, and how the server ends.
  std::string serve(const std::string& requests) {
    const Fd orders = input_with(requests);
    auto reports = make_pipe().value();
    exit_code_ = serve_clean_orders(orders.get(), reports.write.get());
    reports.write.reset();
    return read_to_end(reports.read.get(), 100000).value();
  }
  static void make_message() {
    put_file("mess/8/100", "text");
    put_file("intd/100", "envelope");
    put_file("todo/100", "envelope");
  }
  static bool has(const char* path) { return std::filesystem::exists(path); }
  static void set_age(const std::string& path, std::int64_t seconds) {
    const timespec then{::time(nullptr) - seconds, 0};
    const timespec times[2] = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  QueueDirectory queue_;
  int exit_code_ = -1;
};

TEST_F(Clean, RemovesIntdAndTodoOfAPreprocessedMessage) {
  make_message();
  EXPECT_EQ(serve("todo/100\0"s), "+");
  EXPECT_FALSE(has("intd/100") || has("todo/100"));
  EXPECT_TRUE(has("mess/8/100"));
  EXPECT_EQ(exit_code_, 0);
}

TEST_F(Clean, RemovesIntdAndMessOfAFinishedMessage) {
  make_message();
  std::filesystem::remove("todo/100");
  EXPECT_EQ(serve("foop/100\0"s), "+");
  EXPECT_TRUE(QueueDirectory::files().empty());
}

TEST_F(Clean, IsContentWhenTheNamesAreGoneAlready) {
  EXPECT_EQ(serve("todo/100\0foop/100\0"s), "++");
}

TEST_F(Clean, KeepsTheTextWhenTheEnvelopeWillNotGo) {
  make_message();
  std::filesystem::remove("intd/100");
  std::filesystem::create_directory("intd/100");
  EXPECT_EQ(serve("foop/100\0todo/100\0"s), "!!");
  EXPECT_TRUE(has("mess/8/100") && has("todo/100"));
}

TEST_F(Clean, AnswersEveryBadRequestOnceAndGoesOn) {
  make_message();
  const std::string requests = "\0x\0mess/8/100\0todo/\0todo/1x0\0todo/../pid\0foop/-1\0"s;
  EXPECT_EQ(serve(requests + "todo/100\0"s), "xxxxxxx+");
}

TEST_F(Clean, AnswersARequestThatIsTooLongAfterItsEnd) {
  make_message();
  for (const std::size_t length : {100U, 101U, 100000U}) {
    EXPECT_EQ(serve("todo/100" + std::string(length, '0') + "\0todo/7\0"s), "x+");
  }
  EXPECT_TRUE(has("todo/100"));
  EXPECT_EQ(serve(std::string(100000, '1')), "") << "no NUL, no order";
}

TEST_F(Clean, ReadsNumbersOfAnyFileSystem) {
  std::filesystem::create_directories("mess/" + std::to_string(18446744073709551615U % 23));
  EXPECT_EQ(serve("foop/18446744073709551615\0foop/18446744073709551616\0"s), "+x");
}

TEST_F(Clean, SweepsOldPidFilesOnTheFirstRequest) {
  const auto sweep_after = [&](int requests) {
    put_file("pid/1.1.1");
    set_age("pid/1.1.1", wire::debris_age + 60);
    std::string bytes;
    for (int i = 0; i < requests; ++i) bytes += "todo/7\0"s;
    (void)serve(bytes);
    return !has("pid/1.1.1");
  };
  EXPECT_TRUE(sweep_after(1));
  EXPECT_FALSE(sweep_after(0));
}

TEST_F(Clean, LeavesYoungPidFilesAlone) {
  put_file("pid/1.1.1");
  put_file("pid/2.1.1");
  set_age("pid/1.1.1", wire::debris_age - 60);
  set_age("pid/2.1.1", wire::debris_age + 60);
  sweep_pid_directory(::time(nullptr));
  EXPECT_TRUE(has("pid/1.1.1"));
  EXPECT_FALSE(has("pid/2.1.1"));
}

TEST_F(Clean, SweepsAgainAtThe32ndRequestAndNotBefore) {
  auto orders = make_pipe().value();
  auto reports = make_pipe().value();
  const pid_t server = ::fork();
  if (server == 0) {
    orders.write.reset();
    ::_exit(serve_clean_orders(orders.read.get(), reports.write.get()));
  }
  const auto ask = [&] {
    char reply = 0;
    ASSERT_EQ(::write(orders.write.get(), "todo/7", 7), 7);
    ASSERT_EQ(::read(reports.read.get(), &reply, 1), 1);
  };
  ask();
  put_file("pid/1.1.1");
  set_age("pid/1.1.1", wire::debris_age + 60);
  for (int request = 2; request <= 31; ++request) ask();
  EXPECT_TRUE(has("pid/1.1.1"));
  ask();
  EXPECT_FALSE(has("pid/1.1.1"));
  orders.write.reset();
  int status = -1;
  ::waitpid(server, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(Clean, GivesUpWhenItCannotBeHeardOrTold) {
  const Fd orders = input_with("todo/7\0"s);
  EXPECT_EQ(serve_clean_orders(orders.get(), -1), 111);
  EXPECT_EQ(serve_clean_orders(-1, 1), 111);
}

}  // namespace
}  // namespace postern::queue
