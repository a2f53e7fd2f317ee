#include "inject/sendmail_arguments.h"

#include <gtest/gtest.h>

namespace postern::inject {
namespace {

using Words = std::vector<std::string>;

Result<SendmailArguments> parse(const std::vector<const char*>& words,
                                const char* program = "/usr/sbin/sendmail") {
  return parse_sendmail_arguments(program, words);
}

Words inject_words(const std::vector<const char*>& words) {
  const auto arguments = parse(words);
  EXPECT_TRUE(arguments) << arguments.error().what;
  return inject_arguments(arguments.value());
}

// The command lines of the programs that send mail on a Unix machine.
TEST(Sendmail, UnderstandsEveryCaller) {
  // bsd-mailx
  EXPECT_EQ(inject_words({"-i", "-t"}), (Words{"qmail-inject", "-H", "--"}));
  EXPECT_EQ(inject_words({"-i", "-t", "-f", "a@b"}),
            (Words{"qmail-inject", "-H", "-f", "a@b", "--"}));
  // s-nail
  EXPECT_EQ(inject_words({"-i", "-f", "a@b", "--", "r", "s"}),
            (Words{"qmail-inject", "-a", "-f", "a@b", "--", "r", "s"}));
  // mutt with dsn_notify
  EXPECT_EQ(inject_words({"-oem", "-oi", "-f", "a@b", "-N", "failure", "--", "r"}),
            (Words{"qmail-inject", "-a", "-f", "a@b", "--", "r"}));
  // mutt with dsn_return and 8-bit
  EXPECT_EQ(inject_words({"-oem", "-oi", "-B8BITMIME", "-R", "hdrs", "--", "-odd"}),
            (Words{"qmail-inject", "-a", "--", "-odd"}));
  // mailutils, emacs
  EXPECT_EQ(inject_words({"-oi", "-f", "a@b", "-t"}),
            (Words{"qmail-inject", "-H", "-f", "a@b", "--"}));
  // PHP
  EXPECT_EQ(inject_words({"-t", "-i", "-fa@b"}), (Words{"qmail-inject", "-H", "-f", "a@b", "--"}));
  // git, atd
  EXPECT_EQ(inject_words({"-i", "r"}), (Words{"qmail-inject", "-a", "--", "r"}));
  // vacation
  EXPECT_EQ(inject_words({"-f", "joe", "--", "r"}),
            (Words{"qmail-inject", "-a", "-f", "joe", "--", "r"}));
  // nodemailer
  EXPECT_EQ(inject_words({"-i", "-f", "a@b", "r", "s"}),
            (Words{"qmail-inject", "-a", "-f", "a@b", "--", "r", "s"}));
  // the null sender, both ways
  EXPECT_EQ(inject_words({"-f", "", "r"}), (Words{"qmail-inject", "-a", "-f", "", "--", "r"}));
  EXPECT_EQ(inject_words({"-f<>", "r"}), (Words{"qmail-inject", "-a", "-f", "<>", "--", "r"}));
}

TEST(Sendmail, UnderstandsCron) {
  const auto arguments = parse({"-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"});
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->name, "CronDaemon");
  EXPECT_EQ(arguments->recipients, (Words{"root"}));
  EXPECT_FALSE(arguments->header_recipients);
}

TEST(Sendmail, KnowsItsModes) {
  EXPECT_EQ(parse({"-bs"})->mode, SendmailMode::smtp);
  EXPECT_EQ(parse({"-bp"})->mode, SendmailMode::list_queue);
  EXPECT_EQ(parse({"-bm", "r"})->mode, SendmailMode::deliver);
  EXPECT_EQ(parse({"-q"})->mode, SendmailMode::run_queue);
  EXPECT_EQ(parse({"-q30m"})->mode, SendmailMode::run_queue);
  EXPECT_EQ(parse({}, "/usr/bin/mailq")->mode, SendmailMode::list_queue);
  EXPECT_EQ(parse({"-v"}, "mailq")->mode, SendmailMode::list_queue);
  EXPECT_EQ(parse({}, "newaliases")->mode, SendmailMode::aliases);
}

TEST(Sendmail, IgnoresWhatQmailDoesAnyway) {
  for (const auto* word : {"-v", "-i", "-m", "-n", "-em", "-oi", "-odb", "-oQ/x", "-x", "-pSMTP",
                           "-B8BITMIME", "-U", "-G", "-Am", "-h5", "-d0.1", "-Lx", "-ODelay=x"}) {
    EXPECT_EQ(inject_words({word, "r"}), (Words{"qmail-inject", "-a", "--", "r"})) << word;
  }
}

TEST(Sendmail, RefusesWhatCannotBeHonoured) {
  for (const auto* word : {"-bi", "-bv", "-bd", "-bt", "-bh", "-b", "-z", "-f"}) {
    EXPECT_FALSE(parse({word})) << word;
  }
  const auto refused = parse({"-bv", "joe"});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().what.starts_with("-bv cannot be honoured; usage: sendmail"));
}

TEST(Sendmail, NeedsRecipients) {
  EXPECT_FALSE(parse({}));
  EXPECT_FALSE(parse({"-i"}));
  EXPECT_TRUE(parse({"-t"}));
}

}  // namespace
}  // namespace postern::inject
