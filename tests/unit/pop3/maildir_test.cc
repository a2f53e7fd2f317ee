// A Maildir on the disk: what is found, what moves, what is removed and what never is.
#include "pop3/maildir.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "posix/files.h"
#include "posix/io.h"
#include "support/temporary_directory.h"

namespace postern::pop3 {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t now = 2'000'000'000;
constexpr std::int64_t long_ago = now - std::int64_t{36} * 3600 - 1;

class PopMaildir : public testing::Test {
 protected:
  PopMaildir() {
    for (const char* folder : {"Maildir/tmp", "Maildir/new", "Maildir/cur"}) {
      fs::create_directories(folder);
    }
  }
  static void put(const std::string& name, const std::string& text, std::int64_t time) {
    std::ofstream(name) << text;
    const timespec times[2] = {{time, 0}, {time, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, name.c_str(), times, 0), 0);
  }
  static Mailbox scan() {
    const auto mailbox = Maildir::open("Maildir")->scan(now);
    EXPECT_TRUE(mailbox.has_value());
    return *mailbox;
  }
  static std::vector<std::string> names(const std::string& folder) {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder))
      found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
  }
  static std::string text_of(const Mailbox& mailbox, std::size_t index) {
    const auto fd = Maildir::open("Maildir")->open_message(mailbox, index);
    return fd ? *read_to_end(fd->get(), 1000) : describe(fd.error());
  }

  test::TemporaryDirectory directory_;
};

using Names = std::vector<std::string>;

TEST_F(PopMaildir, BothFoldersAreRead) {
  put("Maildir/new/2", "newer", now - 1);
  put("Maildir/cur/1:2,S", "older, read", now - 2);
  const Mailbox mailbox = scan();
  ASSERT_EQ(mailbox.size(), 2U);
  EXPECT_EQ(mailbox.unique_id(0), "1");
  EXPECT_EQ(mailbox.bytes(0), 11U);
  EXPECT_EQ(text_of(mailbox, 0), "older, read");
  EXPECT_EQ(text_of(mailbox, 1), "newer");
}

TEST_F(PopMaildir, WhatIsNoMessageOrTooFreshIsLeftOut) {
  put("Maildir/new/.hidden", "x", now - 5);
  put("Maildir/new/this-second", "x", now);
  put("Maildir/new/future", "x", now + 5);
  put("Maildir/tmp/unfinished", "x", now - 5);
  fs::create_directory("Maildir/new/directory");
  ASSERT_EQ(::mkfifo("Maildir/new/fifo", 0600), 0);
  EXPECT_EQ(scan().size(), 0U);
}

TEST_F(PopMaildir, MissingFoldersAreErrors) {
  EXPECT_FALSE(Maildir::open("nowhere").has_value());
  put("file", "x", now);
  EXPECT_FALSE(Maildir::open("file").has_value());
  for (const char* folder : {"Maildir/new", "Maildir/cur"}) {
    fs::remove(folder);
    EXPECT_FALSE(Maildir::open("Maildir")->scan(now).has_value()) << folder;
    fs::create_directory(folder);
  }
}

TEST_F(PopMaildir, DebrisInTmpIsSweptAndNothingElse) {
  put("Maildir/tmp/old", "x", long_ago);
  put("Maildir/tmp/being-written", "x", long_ago + 1);
  put("Maildir/new/old", "x", long_ago);
  fs::create_directory("Maildir/tmp/directory");
  Maildir::open("Maildir")->sweep(now);
  EXPECT_EQ(names("Maildir/tmp"), (Names{"being-written", "directory"}));
  EXPECT_EQ(names("Maildir/new"), (Names{"old"}));
}

TEST_F(PopMaildir, UpdateMovesNewMessagesAndMarksTheReadOnes) {
  put("Maildir/new/1", "x", now - 3);
  put("Maildir/new/2", "x", now - 2);
  put("Maildir/new/3:2,F", "x", now - 1);
  const Mailbox mailbox = scan();
  Marks marks(3);
  marks.read = {false, true, true};
  EXPECT_TRUE(Maildir::open("Maildir")->update(mailbox, marks).has_value());
  EXPECT_EQ(names("Maildir/cur"), (Names{"1:2,", "2:2,S", "3:2,FS"}));
  EXPECT_EQ(names("Maildir/new"), Names{});
}

TEST_F(PopMaildir, UpdateFlagsWhatHasBeenReadInCur) {
  put("Maildir/cur/1:2,", "x", now - 9);
  put("Maildir/cur/2:2,FT", "x", now - 8);
  put("Maildir/cur/3:2,S", "x", now - 7);
  put("Maildir/cur/4", "x", now - 6);
  put("Maildir/cur/5", "x", now - 5);
  put("Maildir/cur/6:2,Rab", "Dovecot's keywords a and b", now - 4);
  const Mailbox mailbox = scan();
  Marks marks(6);
  marks.read = {true, true, true, true, false, true};
  EXPECT_TRUE(Maildir::open("Maildir")->update(mailbox, marks).has_value());
  EXPECT_EQ(names("Maildir/cur"), (Names{"1:2,S", "2:2,FST", "3:2,S", "4:2,S", "5", "6:2,RSab"}));
}

TEST_F(PopMaildir, UpdateRemovesTheDeletedOnesOnly) {
  put("Maildir/new/1", "x", now - 3);
  put("Maildir/new/2", "x", now - 2);
  put("Maildir/cur/3:2,S", "x", now - 1);
  put("Maildir/cur/4:2,S", "x", now - 1);
  const Mailbox mailbox = scan();
  Marks marks(4);
  marks.deleted = {true, false, true, false};
  EXPECT_TRUE(Maildir::open("Maildir")->update(mailbox, marks).has_value());
  EXPECT_EQ(names("Maildir/cur"), (Names{"2:2,", "4:2,S"}));
  EXPECT_EQ(names("Maildir/new"), Names{});
}

TEST_F(PopMaildir, WhatIsRemovedMakesRoomInTheQuota) {
  put("Maildir/new/1", "four", now - 6);
  put("Maildir/new/2", "stays", now - 5);
  put("Maildir/cur/3,S=10,W=11:2,S", "others' size", now - 4);
  put("Maildir/cur/4:2,ST", "trash", now - 3);
  put("Maildir/cur/5:2,", "moved", now - 2);
  put("Maildir/cur/6:2,", "not by us", now - 1);
  put("Maildir/maildirsize", "1000S\n37 6         \n", now - 1);
  const Mailbox mailbox = scan();
  fs::rename("Maildir/cur/5:2,", "Maildir/cur/5:2,F");
  fs::remove("Maildir/cur/6:2,");
  Marks marks(6);
  marks.deleted = {true, false, true, true, true, true};
  EXPECT_TRUE(Maildir::open("Maildir")->update(mailbox, marks).has_value());
  EXPECT_EQ(*read_file("Maildir/maildirsize", 100), "1000S\n37 6         \n-19 -3       \n");
}

TEST_F(PopMaildir, WhatIsRemovedFromAFolderMakesRoomInTheQuotaOfTheMailbox) {
  for (const char* name : {"tmp", "new", "cur"}) {
    fs::create_directories(std::string("Maildir/.Work/") + name);
  }
  put("Maildir/.Work/maildirfolder", "", now - 1);
  put("Maildir/.Work/new/1", "four", now - 1);
  put("Maildir/maildirsize", "9C\n", now - 1);
  const auto folder = Maildir::open("Maildir/.Work");
  Marks marks(1);
  marks.deleted = {true};
  EXPECT_TRUE(folder->update(*folder->scan(now), marks).has_value());
  EXPECT_EQ(*read_file("Maildir/maildirsize", 100), "9C\n-4 -1        \n");
}

TEST_F(PopMaildir, AMailboxThatDovecotMarksAsAFolderHasAQuotaOfItsOwn) {
  put("Maildir/maildirfolder", "", now - 1);
  put("Maildir/new/1", "four", now - 1);
  put("Maildir/maildirsize", "9C\n", now - 1);
  Marks marks(1);
  marks.deleted = {true};
  EXPECT_TRUE(Maildir::open("Maildir")->update(scan(), marks).has_value());
  EXPECT_EQ(*read_file("Maildir/maildirsize", 100), "9C\n-4 -1        \n");
}

TEST_F(PopMaildir, NoQuotaIsMadeAndNothingElseWrittenTo) {
  put("Maildir/new/1", "x", now - 1);
  put("Maildir/new/2", "x", now - 1);
  Marks marks(1);
  marks.deleted = {true};
  EXPECT_TRUE(Maildir::open("Maildir")->update(scan(), Marks(2)).has_value());
  EXPECT_FALSE(fs::exists("Maildir/maildirsize"));
  put("precious", "as it was", now);
  fs::create_symlink("../precious", "Maildir/maildirsize");
  EXPECT_TRUE(Maildir::open("Maildir")->update(scan(), marks).has_value());
  EXPECT_EQ(*read_file("precious", 100), "as it was");
  fs::remove("Maildir/maildirsize");
  ASSERT_EQ(::mkfifo("Maildir/maildirsize", 0600), 0);
  EXPECT_TRUE(Maildir::open("Maildir")->update(scan(), marks).has_value());
  EXPECT_EQ(names("Maildir/cur"), Names{});
}

TEST_F(PopMaildir, MoveNeverReplacesAMessage) {
  put("Maildir/new/1", "the new one", now - 1);
  const Mailbox mailbox = scan();
  put("Maildir/cur/1:2,", "another", now - 1);
  EXPECT_TRUE(Maildir::open("Maildir")->update(mailbox, Marks(1)).has_value());
  EXPECT_EQ(*read_file("Maildir/cur/1:2,", 100), "another");
  EXPECT_EQ(*read_file("Maildir/new/1", 100), "the new one");
}

TEST_F(PopMaildir, MessageMovedByAReaderIsStillFoundAndDeleted) {
  put("Maildir/new/1", "moved", now - 2);
  put("Maildir/cur/2:2,", "flagged", now - 1);
  const Mailbox mailbox = scan();
  fs::rename("Maildir/new/1", "Maildir/cur/1:2,S");
  fs::rename("Maildir/cur/2:2,", "Maildir/cur/2:2,FS");
  put("Maildir/cur/11:2,S", "not asked for", now - 1);
  EXPECT_EQ(text_of(mailbox, 0), "moved");
  EXPECT_EQ(text_of(mailbox, 1), "flagged");
  Marks marks(2);
  marks.deleted = {true, true};
  EXPECT_TRUE(Maildir::open("Maildir")->update(mailbox, marks).has_value());
  EXPECT_EQ(names("Maildir/cur"), (Names{"11:2,S"}));
}

TEST_F(PopMaildir, MessageSomebodyElseRemovedIsGoneAsWanted) {
  put("Maildir/new/1", "x", now - 1);
  const Mailbox mailbox = scan();
  fs::remove("Maildir/new/1");
  EXPECT_EQ(text_of(mailbox, 0), "unable to open new/1: No such file or directory");
  Marks marks(1);
  marks.deleted = {true};
  EXPECT_TRUE(Maildir::open("Maildir")->update(mailbox, marks).has_value());
}

TEST_F(PopMaildir, WhatCannotBeRemovedIsAnError) {
  put("Maildir/new/1", "x", now - 2);
  put("Maildir/cur/2:2,", "x", now - 1);
  const Mailbox mailbox = scan();
  fs::remove("Maildir/new/1");
  fs::create_directory("Maildir/new/1");
  Marks marks(2);
  marks.deleted = {true, true};
  EXPECT_FALSE(Maildir::open("Maildir")->update(mailbox, marks).has_value());
  EXPECT_EQ(names("Maildir/cur"), Names{}) << "the others go all the same";
}

}  // namespace
}  // namespace postern::pop3
