#include "queue/received_line.h"

#include <gtest/gtest.h>

namespace postern::queue {
namespace {

constexpr std::string_view passwd =
    "root:x:0:0::/root:/bin/sh\n"
    "alias:x:900:900::/var/qmail/alias:/bin/true\n"
    "qmaild:x:901:900::/var/qmail:/bin/true\n"
    "qmails:x:902:901::/var/qmail:/bin/true\n";

TEST(ReceivedLine, NamesTheSuitesOwnCallersByWhatTheyDo) {
  EXPECT_EQ(describe_invoker(900, passwd), "by alias");
  EXPECT_EQ(describe_invoker(901, passwd), "from network");
  EXPECT_EQ(describe_invoker(902, passwd), "for bounce");
  EXPECT_EQ(describe_invoker(0, passwd), "by uid 0");
  EXPECT_EQ(describe_invoker(4294967294U, passwd), "by uid 4294967294");
}

TEST(ReceivedLine, SaysUidWhereThereAreNoUsers) {
  EXPECT_EQ(describe_invoker(901, ""), "by uid 901");
}

TEST(ReceivedLine, HasADayWithoutPaddingInUtc) {
  EXPECT_EQ(format_received_line(4711, "by uid 1000", 1028301386),
            "Received: (qmail 4711 invoked by uid 1000); 2 Aug 2002 15:16:26 -0000\n");
}

}  // namespace
}  // namespace postern::queue
