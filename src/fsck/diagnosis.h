// What is wrong with the messages of a queue, in words, and what would mend it. Pure.
#pragma once

#include <string>
#include <vector>

#include "fsck/snapshot.h"

namespace postern::fsck {

/// What a sound queue is held against.
struct Rules {
  MessageId split = wire::queue_split;
  uid_t queue = 0;       // qmailq
  uid_t send = 0;        // qmails
  std::int64_t now = 0;  // seconds since 1970
};

struct Finding {
  std::string what;  // "message 100: its text is file number 2345: ..."
  std::string mend;  // "becomes message 2345"; empty: somebody has to look at it
};

/// Files to go to set-aside/<number>, with the reason for whoever finds them there.
struct Aside {
  MessageId number = 0;
  std::string reason;
  std::vector<QueueFile> files;
};
struct Move {
  std::string path;
  Passage passage;
};
struct Repossession {
  std::string path;
  uid_t uid = 0;
  mode_t mode = 0;
};

struct Diagnosis {
  std::uint64_t messages = 0;
  std::uint64_t kept = 0;  // of them, in the queue afterwards
  std::vector<Finding> findings{};
  std::vector<Aside> asides{};
  std::vector<Move> moves{};
  std::vector<Repossession> repossessions{};
  std::vector<std::string> strays{};
  std::vector<std::string> emptied{};  // numbered directories that will have nothing in them
};

Diagnosis diagnose(const Snapshot& snapshot, const Rules& rules);

}  // namespace postern::fsck
