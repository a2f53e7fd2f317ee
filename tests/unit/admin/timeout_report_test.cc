#include "admin/timeout_report.h"

#include <gtest/gtest.h>

namespace postern::admin {
namespace {

using namespace std::string_literals;

TEST(Timeouts, AreALineForEachAddressThatDidNotAnswer) {
  const std::string bytes =
      "\xc0\0\2\1\2\0\0\0\0\1\0\0\0\0\0\0"s       // 192.0.2.1, twice, the last time at 256
      "\xc0\0\2\2\0\0\0\0\0\1\0\0\0\0\0\0"s       // has answered since
      "\xc0\0\2\3\x0a\0\0\0\xf4\1\0\0\0\0\0\0"s;  // at 500
  EXPECT_EQ(format_timeouts(wire::tcpto_v4, bytes, 300),
            "192.0.2.1 timed out 44 seconds ago; # recent timeouts: 2\n"
            "192.0.2.3 timed out -200 seconds ago; # recent timeouts: 10\n");
}

TEST(Timeouts, AreOfIpv6Too) {
  std::string bytes(32, '\0');
  bytes.replace(0, 4, "\x20\1\x0d\xb8", 4);
  bytes[15] = 1;
  bytes[16] = 3;
  EXPECT_EQ(format_timeouts(wire::tcpto_v6, bytes, 7),
            "2001:db8::1 timed out 7 seconds ago; # recent timeouts: 3\n");
}

}  // namespace
}  // namespace postern::admin
