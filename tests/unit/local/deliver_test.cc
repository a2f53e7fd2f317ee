// A whole qmail-local, in a home directory of its own, with a shell script in the place of
// qmail-queue.
#include "local/deliver.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "local/command.h"
#include "posix/environment.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "unit/local/mailbox_fixture.h"
#include "wire/envelope.h"

namespace postern::local {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

// What qmail-local said on both descriptors, and its exit code in front.
using Said = std::string;

class QmailLocal : public Mailboxes {
 protected:
  QmailLocal() {
    std::filesystem::permissions(here_.path(), std::filesystem::perms{0755});
    for (const char* part : {"home/Maildir/tmp", "home/Maildir/new", "home/Maildir/cur", "bin"}) {
      std::filesystem::create_directories(part);
    }
    std::ofstream("bin/qmail-queue") << "#!/bin/sh\ncat >queued; cat <&1 >envelope\n"
                                        "[ -z \"$QUEUE_EXIT\" ] || exit $QUEUE_EXIT\n";
    std::filesystem::permissions("bin/qmail-queue", std::filesystem::perms{0755});
  }

  void dot_qmail(const std::string& text, const std::string& name = ".qmail",
                 mode_t mode = 0600) const {
    const std::string path = here_.path() + "/home/" + name;
    std::ofstream(path, std::ios::binary) << text;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }

  Said deliver_to(const std::string& extension, std::vector<std::string> options = {}) {
    const Message text = message(text_);
    const std::string dash = extension.empty() ? "" : "-";
    std::vector<std::string> words = std::move(options);
    for (const auto& word :
         {std::string("joe"), here_.path() + "/home", "joe" + dash + extension, dash, extension,
          std::string("example.org"), sender_, std::string("./Maildir/")}) {
      words.push_back(word);
    }

    auto output = make_pipe().value();
    const pid_t child = ::fork();
    if (child == 0) {
      set_environment_variable("QMAILHOME", here_.path());
      ::dup2(output.write.get(), 1);
      ::dup2(output.write.get(), 2);
      auto names = MaildirNames::of_this_process();
      ::_exit(
          local::deliver(words, names, {.message = text.fd(), .report = 1, .problems = 2}).code);
    }
    output.write.reset();
    const std::string said = read_to_end(output.read.get(), 100000).value();
    int status = -1;
    ::waitpid(child, &status, 0);
    return (WIFEXITED(status) ? std::to_string(WEXITSTATUS(status)) : "crashed") + " " + said;
  }
  Said deliver() { return deliver_to(""); }

  [[nodiscard]] std::string home(const std::string& name) const {
    return content_of(here_.path() + "/home/" + name);
  }
  [[nodiscard]] std::vector<std::string> new_mail() const {
    return names_in(here_.path() + "/home/Maildir/new");
  }

  std::string text_ = "Subject: x\n\nhello\n";
  std::string sender_ = "s@example.net";
};

TEST_F(QmailLocal, DeliversToTheDefaultWithoutADotQmail) {
  EXPECT_EQ(deliver(), "0 did 1+0+0\n");
  ASSERT_EQ(new_mail().size(), 1U);
  EXPECT_EQ(home("Maildir/new/" + new_mail()[0]),
            "Return-Path: <s@example.net>\nDelivered-To: joe@example.org\nSubject: x\n\nhello\n");
}

TEST_F(QmailLocal, DeliversToTheDefaultWithAnEmptyDotQmail) {
  dot_qmail("");
  EXPECT_EQ(deliver(), "0 did 1+0+0\n");
  dot_qmail("", ".qmail-x", 0700);
  EXPECT_EQ(deliver_to("x"), "0 did 1+0+0\n");
  EXPECT_EQ(new_mail().size(), 2U);
}

TEST_F(QmailLocal, DeliversNothingWithACommentAlone) {
  dot_qmail("#");
  EXPECT_EQ(deliver(), "0 did 0+0+0\n");
  EXPECT_THAT(new_mail(), IsEmpty());
}

TEST_F(QmailLocal, BouncesAnExtensionThatNobodyHas) {
  EXPECT_EQ(deliver_to("x"), "100 Sorry, no mailbox here by that name. (#5.1.1)\n");
}

TEST_F(QmailLocal, FollowsEveryLineInOrder) {
  dot_qmail("./box\n|echo first\n./Maildir/\n|echo second\n");
  EXPECT_EQ(deliver(), "0 first\nsecond\ndid 2+0+2\n");
  EXPECT_THAT(home("box"), MatchesRegex("From s@example.net [^\n]+\nReturn-Path: <s@example.net>\n"
                                        "Delivered-To: joe@example.org\nSubject: x\n\nhello\n\n"));
}

TEST_F(QmailLocal, ForwardsOnceForAllAddressesWithDeliveredTo) {
  dot_qmail("&bob@example.org\ncarol@example.org\n");
  EXPECT_THAT(deliver(), MatchesRegex("0 did 0\\+2\\+0\nqp [0-9]+\n"));
  EXPECT_EQ(content_of("queued"), "Delivered-To: joe@example.org\nSubject: x\n\nhello\n");
  EXPECT_EQ(content_of("envelope"),
            wire::format_envelope({"s@example.net", {"bob@example.org", "carol@example.org"}}));
}

TEST_F(QmailLocal, ForwardsInTheNameOfAListsOwner) {
  dot_qmail("&bob@example.org\n|echo $NEWSENDER\n", ".qmail-list");
  dot_qmail("#", ".qmail-list-owner");
  EXPECT_THAT(deliver_to("list"), HasSubstr("joe-list-owner@example.org\n"));
  EXPECT_THAT(content_of("envelope"), HasSubstr("Fjoe-list-owner@example.org"));
  dot_qmail("#", ".qmail-list-owner-default");
  deliver_to("list");
  EXPECT_THAT(content_of("envelope"), HasSubstr("Fjoe-list-owner-@example.org-@[]"));
}

TEST_F(QmailLocal, TellsQmailQueuesRefusalToTheSender) {
  dot_qmail("&bob@example.org\n");
  set_environment_variable("QUEUE_EXIT", "31");
  EXPECT_EQ(deliver(),
            "100 Unable to forward message: mail server permanently rejected message (#5.3.0).\n");
  set_environment_variable("QUEUE_EXIT", "53");
  EXPECT_EQ(deliver(), "111 Unable to forward message: qq write error or disk full (#4.3.0).\n");
  unset_environment_variable("QUEUE_EXIT");
  std::filesystem::remove("bin/qmail-queue");
  EXPECT_EQ(deliver(), "111 Unable to forward message: unable to exec qq (#4.3.0).\n");
}

TEST_F(QmailLocal, StopsAtAProgramThatSaysSoButForwardsWhatCameBefore) {
  dot_qmail("&bob@example.org\n|exit 99\n./box\n\n+list\n|false\n");
  EXPECT_THAT(deliver(), MatchesRegex("0 did 0\\+1\\+1\nqp [0-9]+\n"));
  EXPECT_EQ(home("box"), "");
}

TEST_F(QmailLocal, StopsAtTheFirstFailureAndForwardsNothing) {
  dot_qmail("./box\n&bob@example.org\n|echo no; exit 100\n./Maildir/\n");
  EXPECT_EQ(deliver(), "100 no\n");
  EXPECT_THAT(home("box"), HasSubstr("hello")) << "what was delivered stands";
  EXPECT_THAT(new_mail(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists("queued"));
}

TEST_F(QmailLocal, MeetsABrokenLineAfterTheLinesBeforeIt) {
  dot_qmail("./box\n+list\n./Maildir/\n");
  EXPECT_EQ(deliver(), "111 Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n");
  EXPECT_THAT(home("box"), HasSubstr("hello"));
}

TEST_F(QmailLocal, ForwardsOnlyWithTheXBit) {
  dot_qmail("|echo ran\n", ".qmail", 0700);
  EXPECT_EQ(deliver(), "111 Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n");
}

TEST_F(QmailLocal, GivesEachProgramTheMessageFromItsBegin) {
  dot_qmail("|head -c 3 >/dev/null\n|cat >copy\n|sed -n 1p\n");
  EXPECT_EQ(deliver(), "0 Subject: x\ndid 0+0+3\n");
  EXPECT_EQ(home("copy"), text_);
}

TEST_F(QmailLocal, TellsProgramsAboutTheDelivery) {
  dot_qmail(
      "|echo $USER $HOME $LOCAL $HOST $RECIPIENT $SENDER $EXT $EXT2 $DEFAULT; pwd; umask\n"
      "|printf %s \"$DTLINE$RPLINE$UFLINE\"\n",
      ".qmail-a-default");
  const std::string there = here_.path() + "/home";
  EXPECT_THAT(deliver_to("a-B"),
              MatchesRegex("0 joe " + there +
                           " joe-a-B example.org joe-a-B@example.org "
                           "s@example.net a-B B B\n" +
                           there +
                           "\n0077\n"
                           "Delivered-To: joe-a-B@example.org\nReturn-Path: <s@example.net>\n"
                           "From s@example.net [^\n]*\ndid 0\\+0\\+2\n"));
}

TEST_F(QmailLocal, SetsDefaultOnlyForADefaultFile) {
  set_environment_variable("DEFAULT", "from outside");
  dot_qmail("|echo \"[$DEFAULT]\"\n", ".qmail-a");
  EXPECT_EQ(deliver_to("a"), "0 []\ndid 0+0+1\n");
  unset_environment_variable("DEFAULT");
}

TEST_F(QmailLocal, LetsProgramsDieOfABrokenPipe) {
  dot_qmail("|(yes; echo $? >&2) | head -c 1 >/dev/null\n");
  EXPECT_EQ(deliver(), "0 141\ndid 0+0+1\n");
}

TEST_F(QmailLocal, DefersWhenAProgramCrashes) {
  dot_qmail("|kill -9 $$\n");
  EXPECT_EQ(deliver(), "111 Aack, child crashed. (#4.3.0)\n");
}

TEST_F(QmailLocal, RefusesAMessageThatHasBeenHere) {
  text_ = "Delivered-To: joe@example.org\n\nhello\n";
  EXPECT_EQ(deliver(),
            "100 This message is looping: it already has my Delivered-To line. (#5.4.6)\n");
}

TEST_F(QmailLocal, DefersInAHomeThatOthersMayWrite) {
  ASSERT_EQ(::chmod("home", 0757), 0);
  EXPECT_EQ(deliver(), "111 Uh-oh: home directory is writable. (#4.7.0)\n");
}

TEST_F(QmailLocal, DefersInAStickyHomeAndOnlyWarnsWithN) {
  ASSERT_EQ(::chmod("home", 01755), 0);
  EXPECT_EQ(deliver(), "111 Home directory is sticky: user is editing his .qmail file. (#4.2.1)\n");
  EXPECT_EQ(deliver_to("", {"-n"}),
            "0 Warning: home directory is sticky.\nmaildir ./Maildir/\ndid 1+0+0\n");
}

TEST_F(QmailLocal, DefersWithoutAHome) {
  std::filesystem::remove_all("home");
  EXPECT_EQ(deliver(), "111 Unable to switch to " + here_.path() +
                           "/home: No such file or directory. (#4.3.0)\n");
}

TEST_F(QmailLocal, OnlySaysWhatItWouldDoWithN) {
  dot_qmail("./Maildir/\n./box\n|exit 100\n&bob@example.org\n");
  EXPECT_EQ(deliver_to("", {"-n", "--"}),
            "0 maildir ./Maildir/\nmbox ./box\nprogram exit 100\nforward bob@example.org\n"
            "did 2+1+1\n");
  EXPECT_THAT(new_mail(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists("queued"));
}

TEST_F(QmailLocal, DefersWithADotQmailThatIsTooLarge) {
  dot_qmail(std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(deliver(), "111 Unable to read .qmail: File too large. (#4.3.0)\n");
  dot_qmail(std::string(1 << 20, '#'));
  EXPECT_EQ(deliver(), "0 did 0+0+0\n");
}

TEST_F(QmailLocal, WantsItsEightArguments) {
  EXPECT_THAT(deliver_to("", {"-x"}),
              HasSubstr("100 qmail-local: usage: qmail-local [ -nN ] user"));
}

TEST_F(QmailLocal, WantsAMessageThatIsAFile) {
  const auto pipe = make_pipe().value();
  const std::string words[] = {"joe", here_.path() + "/home", "joe", "", "", "h", "", "./x"};
  const auto output = make_pipe().value();
  auto names = MaildirNames::of_this_process();
  const Streams streams{pipe.read.get(), output.write.get(), output.write.get()};
  EXPECT_EQ(local::deliver(words, names, streams).code, 111);
  char said[100] = "";
  (void)read_some(output.read.get(), said);
  EXPECT_STREQ(said, "Unable to rewind message. (#4.3.0)\n");
}

TEST(CommandExit, IsReadAsQmailReadsIt) {
  EXPECT_EQ(interpret_command_exit(0), CommandEnd::done);
  EXPECT_EQ(interpret_command_exit(99), CommandEnd::done_stop);
  for (const int code : {100, 64, 65, 70, 76, 77, 78, 112}) {
    EXPECT_EQ(interpret_command_exit(code).error(), (Failure{100, ""})) << code;
  }
  for (const int code : {111, 1, 2, 66, 67, 75, 126, 127, 255}) {
    EXPECT_EQ(interpret_command_exit(code).error(), (Failure{111, ""})) << code;
  }
}

}  // namespace
}  // namespace postern::local
