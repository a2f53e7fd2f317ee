// What tests of the whole of qmail-send have in common beside the world it runs in.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "unit/send/queue_world.h"

namespace postern::send::test {

inline std::string succeed(Channel /*channel*/, const wire::DeliveryOrder& /*order*/) {
  return "Kdid 1+0+0\n";
}
inline std::string defer(Channel /*channel*/, const wire::DeliveryOrder& /*order*/) {
  return "Znot now\n";
}
inline std::string refuse(Channel /*channel*/, const wire::DeliveryOrder& /*order*/) {
  return "Dno such user\n";
}

inline std::string number(wire::MessageId id) { return std::to_string(id); }

inline void expect_empty_queue() {
  for (const char* directory : {"mess", "intd", "todo", "info", "local", "remote", "bounce"}) {
    EXPECT_EQ(QueueWorld::count_files(directory), 0U) << directory;
  }
}

}  // namespace postern::send::test
