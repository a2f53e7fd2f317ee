// Logging in at a relay, as a session does it (remote/auth_dialogue.h).
#include "unit/remote/session_dialogue.h"

namespace postern::remote {
namespace {

using namespace std::string_literals;

TEST(SessionAuth, PrefersCramThenPlainThenLogin) {
  const auto command = [](const std::string& line) {
    Dialogue dialogue(with_credentials());
    dialogue.say("220 hi\r\n");
    return dialogue.say("250-hi\r\n250 " + line + "\r\n");
  };
  EXPECT_EQ(command("AUTH LOGIN PLAIN CRAM-MD5"), "AUTH CRAM-MD5\r\n");
  EXPECT_EQ(command("AUTH LOGIN PLAIN DIGEST-MD5"), "AUTH PLAIN\r\n");
  EXPECT_EQ(command("AUTH=LOGIN"), "AUTH LOGIN\r\n");
}

TEST(SessionAuth, SpeaksPlainInTwoSteps) {
  Dialogue dialogue(with_credentials());
  dialogue.say("220 hi\r\n");
  EXPECT_EQ(dialogue.say("250-hi\r\n250-SIZE\r\n250 AUTH PLAIN\r\n"), "AUTH PLAIN\r\n");
  EXPECT_EQ(dialogue.say("334 \r\n"), "dHJvdHRlbAB0cm90dGVsAGljaA==\r\n");
  EXPECT_EQ(dialogue.say("235 ok\r\n"), "MAIL FROM:<a@x> AUTH=trottel\r\n");
}

TEST(SessionAuth, SpeaksLogin) {
  Dialogue dialogue(with_credentials());
  dialogue.say("220 hi\r\n");
  EXPECT_EQ(dialogue.say("250-hi\r\n250 AUTH LOGIN\r\n"), "AUTH LOGIN\r\n");
  EXPECT_EQ(dialogue.say("334 VXNlcm5hbWU6\r\n"), "dHJvdHRlbA==\r\n");
  EXPECT_EQ(dialogue.say("334 UGFzc3dvcmQ6\r\n"), "aWNo\r\n");
  EXPECT_EQ(dialogue.say("235 ok\r\n"), "MAIL FROM:<a@x> AUTH=trottel\r\n");
}

TEST(SessionAuth, AnswersAChallenge) {
  Envelope what = envelope();
  what.credentials = Credentials{"tim", "tanstaaftanstaaf"};
  Dialogue dialogue(what);
  dialogue.say("220 hi\r\n");
  dialogue.say("250-hi\r\n250 AUTH CRAM-MD5\r\n");
  // RFC 2195's example.
  EXPECT_EQ(dialogue.say("334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n"),
            "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n");
}

TEST(SessionAuth, RefusesAChallengeThatIsNone) {
  EXPECT_TRUE(
      report_after(with_credentials(), "220 hi\r\n250-hi\r\n250 AUTH CRAM-MD5\r\n334 !!!\r\n")
          .starts_with("ZConnected to 192.0.2.1 but it answered against"));
}

std::string rejection(std::string_view step, std::string_view said) {
  return record("ZConnected to 192.0.2.1 but authentication was rejected (" + std::string(step) +
                ")..\nRemote host said: " + std::string(said) + "\n");
}

TEST(SessionAuth, ReportsEveryRejectionAsTemporary) {
  const std::string hello = "220 hi\r\n250-hi\r\n250 AUTH ";
  EXPECT_EQ(report_after(with_credentials(), hello + "PLAIN\r\n504 no\r\n"),
            rejection("AUTH PLAIN", "504 no"));
  EXPECT_EQ(report_after(with_credentials(), hello + "PLAIN\r\n334 \r\n535 no\r\n"),
            rejection("plain", "535 no"));
  EXPECT_EQ(report_after(with_credentials(), hello + "LOGIN\r\n454 no\r\n"),
            rejection("AUTH LOGIN", "454 no"));
  EXPECT_EQ(report_after(with_credentials(), hello + "LOGIN\r\n334 \r\n535 no\r\n"),
            rejection("username", "535 no"));
  EXPECT_EQ(report_after(with_credentials(), hello + "LOGIN\r\n334 \r\n334 \r\n535 no\r\n"),
            rejection("password", "535 no"));
  EXPECT_EQ(report_after(with_credentials(), hello + "CRAM-MD5\r\n504 no\r\n"),
            rejection("AUTH CRAM-MD5", "504 no"));
  EXPECT_EQ(report_after(with_credentials(), hello + "CRAM-MD5\r\n334 PDE+\r\n535 no\r\n"),
            rejection("username+digest", "535 no"));
  EXPECT_EQ(report_after(with_credentials(), hello + "PLAIN\r\n334 \r\n432 old\r\n"),
            record("ZConnected to 192.0.2.1 but password expired..\nRemote host said: 432 old\n"));
}

TEST(SessionAuth, TriesThePasswordWhenTheServerCannotCheckADigest) {
  Dialogue dialogue(with_credentials());
  dialogue.say("220 hi\r\n250-hi\r\n250 AUTH LOGIN PLAIN CRAM-MD5\r\n");
  EXPECT_EQ(dialogue.say("334 PDE+\r\n").substr(0, 8), "dHJvdHRl");
  EXPECT_EQ(dialogue.say("535 no\r\n"), "AUTH PLAIN\r\n");
  EXPECT_FALSE(dialogue.session.finished());
  dialogue.say("334 \r\n");
  EXPECT_EQ(dialogue.say("235 ok\r\n"), "MAIL FROM:<a@x> AUTH=trottel\r\n");
}

TEST(SessionAuth, TriesNoThirdTime) {
  Dialogue dialogue(with_credentials());
  dialogue.say("220 hi\r\n250-hi\r\n250 AUTH LOGIN PLAIN CRAM-MD5\r\n334 PDE+\r\n535 a\r\n");
  EXPECT_EQ(dialogue.say("334 \r\n535 b\r\n"), "dHJvdHRlbAB0cm90dGVsAGljaA==\r\nQUIT\r\n");
  EXPECT_EQ(dialogue.session.report(), rejection("plain", "535 b"));
}

TEST(SessionAuth, ReportsTheRejectionWhenTheServerHangsUpAfterIt) {
  Dialogue dialogue(with_credentials());
  dialogue.say("220 hi\r\n250-hi\r\n250 AUTH PLAIN CRAM-MD5\r\n334 PDE+\r\n535 no\r\n");
  dialogue.session.on_connection_lost();
  EXPECT_EQ(dialogue.session.report(), rejection("username+digest", "535 no"));
}

TEST(SessionAuth, TriesNothingElseAfterATemporaryRejection) {
  EXPECT_EQ(report_after(with_credentials(),
                         "220 hi\r\n250-hi\r\n250 AUTH PLAIN CRAM-MD5\r\n454 later\r\n"),
            rejection("AUTH CRAM-MD5", "454 later"));
}

TEST(SessionAuth, NeverDeliversWithoutIt) {
  for (const std::string& hello : {"250 hi\r\n"s, "250-hi\r\n250 AUTH GSSAPI\r\n"s}) {
    Dialogue dialogue(with_credentials());
    dialogue.say("220 hi\r\n");
    EXPECT_EQ(dialogue.say(hello), "QUIT\r\n");
    EXPECT_EQ(dialogue.session.report(),
              record("ZConnected to 192.0.2.1 but it offers none of AUTH CRAM-MD5, PLAIN and "
                     "LOGIN, and this route has credentials. (#4.7.0)\n"));
  }
  Dialogue old(with_credentials());
  old.say("220 hi\r\n");
  EXPECT_EQ(old.say("502 what\r\n"), "QUIT\r\n");
  EXPECT_EQ(old.session.report(), record("ZConnected to 192.0.2.1 but my name was rejected.\n"
                                         "Remote host said: 502 what\n"));
}

}  // namespace
}  // namespace postern::remote
