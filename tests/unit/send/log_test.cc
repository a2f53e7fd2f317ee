#include "send/log.h"

#include <gtest/gtest.h>

#include "posix/io.h"
#include "posix/pipe.h"

namespace postern::send {
namespace {

// The founding log excerpt, line by line.
TEST(LogLines, AreTheOnesLogReadersKnow) {
  DeliveryCounts counts{.local = {1, 10}, .remote = {0, 20}};
  EXPECT_EQ(format_new_message(428858), "new msg 428858");
  EXPECT_EQ(format_message_info({428858, 315, "root@mail.example.com", 15227, 500}),
            "info msg 428858: bytes 315 from <root@mail.example.com> qp 15227 uid 500");
  EXPECT_EQ(format_start(8, 428858, Channel::local, "ari@mail.example.com"),
            "starting delivery 8: msg 428858 to local ari@mail.example.com");
  EXPECT_EQ(format_status(counts), "status: local 1/10 remote 0/20");
  EXPECT_EQ(format_outcome(8, Outcome::success, "did_1+0+0\n"), "delivery 8: success: did_1+0+0/");
}

TEST(LogLines, KeepOneWordPerField) {
  EXPECT_EQ(format_start(1, 2, Channel::remote, "a b%c@x"),
            "starting delivery 1: msg 2 to remote a_b_c@x");
  EXPECT_EQ(format_message_info({1, 2, "evil\nnew msg 3 \xff@x", 4, 5}),
            "info msg 1: bytes 2 from <evil/new_msg_3__@x> qp 4 uid 5");
  EXPECT_EQ(format_outcome(3, Outcome::deferral, "try\tlater 100%\nbye\n"),
            "delivery 3: deferral: try_later_100_/bye/");
  EXPECT_EQ(format_outcome(3, Outcome::failure, ""), "delivery 3: failure: ");
  EXPECT_EQ(format_mangled_report(9), "delivery 9: report mangled, will defer");
}

TEST(LogLines, SayThatWeAreLeaving) {
  EXPECT_EQ(format_status({.local = {0, 1}, .remote = {2, 255}, .exiting = true}),
            "status: local 0/1 remote 2/255 exitasap");
}

TEST(Log, GathersLinesIntoOneWrite) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  ASSERT_TRUE(set_nonblocking(pipe->read.get()));
  Log log(pipe->write.get());
  log.line("one");
  log.warning({"unable to open ", "todo/5"});
  char bytes[100];
  EXPECT_LT(::read(pipe->read.get(), bytes, sizeof bytes), 0);
  log.flush();
  const auto count = read_some(pipe->read.get(), bytes);
  ASSERT_TRUE(count);
  EXPECT_EQ(std::string_view(bytes, *count), "one\nwarning: unable to open todo/5\n");
}

TEST(Log, AlertIsWrittenAtOnce) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  Log log(pipe->write.get());
  log.alert({"cannot start: ", "because"});
  char bytes[100];
  const auto count = read_some(pipe->read.get(), bytes);
  ASSERT_TRUE(count);
  EXPECT_EQ(std::string_view(bytes, *count), "alert: cannot start: because\n");
}

}  // namespace
}  // namespace postern::send
