#include "mail/smtp_received.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

const SmtpTrace founding{.remote_host = "host.domain.de",
                         .helo = "hostname",
                         .info = "test@domain.de",
                         .remote_ip = "192.168.10.10",
                         .local = "mail.domain.de",
                         .protocol = "SMTP",
                         .seconds = 1028301386};

TEST(SmtpReceived, IsTheFieldOfTheGuides) {
  EXPECT_EQ(format_smtp_received(founding),
            "Received: from host.domain.de (HELO hostname) (test@domain.de@192.168.10.10)\n"
            "  by mail.domain.de with SMTP; 2 Aug 2002 15:16:26 -0000\n");
}

TEST(SmtpReceived, ShowsAGreetingThatDiffersOnly) {
  SmtpTrace trace = founding;
  trace.helo = "HOST.domain.de";
  EXPECT_FALSE(format_smtp_received(trace).contains("HELO"));
  trace.helo = std::nullopt;
  EXPECT_FALSE(format_smtp_received(trace).contains("HELO"));
  trace.helo = "";
  EXPECT_TRUE(format_smtp_received(trace).contains("(HELO )"));
}

TEST(SmtpReceived, MakesSafeWhatStrangersChose) {
  SmtpTrace trace = founding;
  trace.helo = "[x_y]\r\nBcc: z";
  trace.info = "a(b)";
  trace.remote_host = "un known";
  const std::string field = format_smtp_received(trace);
  EXPECT_TRUE(field.starts_with("Received: from un?known (HELO [x?y]??Bcc:?z) (a?b?@192.168"))
      << field;
}

}  // namespace
}  // namespace postern::mail
