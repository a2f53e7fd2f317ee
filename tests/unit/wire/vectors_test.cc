#include <gtest/gtest.h>

#include <map>

#include "wire/checkpassword.h"
#include "wire/clean_order.h"
#include "wire/delivery_order.h"
#include "wire/envelope.h"
#include "wire/queue_exit.h"
#include "wire/queue_names.h"
#include "wire/remote_report.h"
#include "wire/report_reader.h"

namespace postern::wire {
namespace {

using namespace std::string_literals;

TEST(Envelope, IsWrittenAsQmailQueueReadsIt) {
  EXPECT_EQ(format_envelope({"a@x", {"b@y", "c@z"}}), "Fa@x\0Tb@y\0Tc@z\0\0"s);
}

TEST(EnvelopeParser, TakesAnEnvelopeSplitAtEveryByte) {
  const std::string bytes = format_envelope({"a@x", {"b@y", "c@z"}});
  for (std::size_t split = 0; split < bytes.size(); ++split) {
    EnvelopeParser parser;
    std::string records;
    EXPECT_EQ(parser.feed(bytes.substr(0, split), records), EnvelopeParser::State::unfinished);
    EXPECT_EQ(parser.feed(bytes.substr(split), records), EnvelopeParser::State::complete);
    EXPECT_EQ(records, "Fa@x\0Tb@y\0Tc@z\0"s);
  }
}

TEST(EnvelopeParser, RefusesAnAddressOfMoreThan1002Bytes) {
  for (const std::size_t length : {1002U, 1003U}) {
    EnvelopeParser parser;
    std::string records;
    const auto state = parser.feed("F" + std::string(length, 'a') + "\0\0"s, records);
    EXPECT_EQ(state,
              length == 1002 ? EnvelopeParser::State::complete : EnvelopeParser::State::too_long);
  }
}

TEST(EnvelopeParser, RefusesLettersThatDoNotBelong) {
  for (const std::string& bytes : {"Ta@x\0"s, "Fa@x\0X"s, "Fa@x\0F"s, "\0"s}) {
    EnvelopeParser parser;
    std::string records;
    EXPECT_EQ(parser.feed(bytes, records), EnvelopeParser::State::malformed) << bytes;
  }
}

TEST(Todo, IsReadAsItWasWritten) {
  const Todo todo{1000, 4711, {"a@x", {"b@y", "c@z"}}};
  EXPECT_EQ(format_todo(todo), "u1000\0p4711\0Fa@x\0Tb@y\0Tc@z\0"s);
  EXPECT_EQ(parse_todo(format_todo(todo)), todo);
}

TEST(Todo, IsRefusedWhenCutShortOrOdd) {
  for (const std::string& bytes :
       {"u1000\0p47"s, "u1\0Xa\0"s, "u1\0p2\0"s, "ux\0p2\0Fa\0"s, "\0"s}) {
    EXPECT_FALSE(parse_todo(bytes)) << bytes;
  }
}

TEST(RecipientRecords, CarryTheOffsetOfTheirLetter) {
  std::string file = format_recipient("b@y") + format_recipient("c@z");
  file[5] = letter_done;
  std::string_view rest = file;
  std::uint64_t offset = 0;
  const auto first = take_recipient(rest, offset);
  const auto second = take_recipient(rest, offset);
  ASSERT_TRUE(first && *first && second && *second);
  EXPECT_FALSE((**first).done);
  EXPECT_EQ((**first).address, "b@y");
  EXPECT_EQ((**first).offset, 0U);
  EXPECT_TRUE((**second).done);
  EXPECT_EQ((**second).address, "c@z");
  EXPECT_EQ((**second).offset, 5U);
  EXPECT_FALSE(take_recipient(rest, offset)->has_value());
}

TEST(QueueNames, SplitByTheInodeNumber) {
  EXPECT_EQ(mess_path(100), "mess/8/100");
  EXPECT_EQ(info_path(100), "info/8/100");
  EXPECT_EQ(local_path(100), "local/8/100");
  EXPECT_EQ(remote_path(100), "remote/8/100");
  EXPECT_EQ(bounce_path(100), "bounce/100");
  EXPECT_EQ(todo_path(100), "todo/100");
  EXPECT_EQ(intd_path(100), "intd/100");
}

TEST(CleanOrder, IsReadAsItWasWritten) {
  const CleanOrder todo{CleanOrder::Kind::todo, 100};
  const CleanOrder message{CleanOrder::Kind::message, 100};
  EXPECT_EQ(format_clean_order(todo), "todo/100\0"s);
  EXPECT_EQ(format_clean_order(message), "foop/100\0"s);
  EXPECT_EQ(parse_clean_order("todo/100"), todo);
  EXPECT_EQ(parse_clean_order("foop/100"), message);
}

TEST(CleanOrder, IsRefusedWhenNotOfItsForm) {
  for (const std::string& text : {"todo/"s, "mess/1/100"s, "todo/10x"s, "todo/-1"s, "x"s,
                                  "todo/007"s, "foop/" + std::string(100, '1')}) {
    EXPECT_FALSE(parse_clean_order(text)) << text;
  }
}

TEST(DeliveryOrder, IsReadAsItWasWrittenWithEitherNumberWidth) {
  for (const std::size_t width : {1U, 2U}) {
    const DeliveryOrder order{width == 2 ? 300U : 0U, "8/100", "a@x", "b@y"};
    const std::string bytes = format_order(order, width);
    std::string_view rest = bytes;
    EXPECT_EQ(take_order(rest, width), order);
    EXPECT_TRUE(rest.empty());
    std::string_view part = std::string_view(bytes).substr(0, bytes.size() - 1);
    EXPECT_EQ(take_order(part, width), std::nullopt);
  }
  EXPECT_EQ(format_order({0, "8/100", "a@x", "b@y"}, 1),
            "\0"
            "8/100\0a@x\0b@y\0"s);
}

TEST(DeliveryReport, OfDeliveryZeroBeginsWithANulThatDoesNotEndIt) {
  const std::string bytes = "\0Kdid 1+0+0\n\0"s;
  EXPECT_EQ(format_report({0, "Kdid 1+0+0\n"}, 1), bytes);
  EXPECT_EQ(ReportReader(1).feed(bytes), (std::vector<DeliveryReport>{{0, "Kdid 1+0+0\n"}}));
}

TEST(DeliveryReport, MayBeEmptyWithoutSwallowingTheNext) {
  EXPECT_EQ(ReportReader(1).feed("\0\0\1Kok\n\0"s),
            (std::vector<DeliveryReport>{{0, ""}, {1, "Kok\n"}}));
  EXPECT_EQ(ReportReader(2).feed("\0\0\0\1\1Kok\n\0"s),
            (std::vector<DeliveryReport>{{0, ""}, {257, "Kok\n"}}));
}

TEST(RemoteReport, IsCombinedFromRecipientAndMessage) {
  EXPECT_EQ(combine_remote_report("r\0KI accepted message.\n\0"s), "KI accepted message.\n");
  EXPECT_EQ(combine_remote_report("hI does not like recipient.\n\0DGiving up on I.\n\0"s),
            "DI does not like recipient.\nGiving up on I.\n");
  EXPECT_EQ(combine_remote_report("sI does not like recipient.\n\0DGiving up on I.\n\0"s),
            "ZI does not like recipient.\nGiving up on I.\n");
  EXPECT_EQ(combine_remote_report("Knever ended"), "D");
  EXPECT_EQ(combine_remote_report(""), "Zqmail-remote produced no output.\n");
  EXPECT_EQ(combine_remote_report("r\0ZI failed.\n\0"s), "ZI failed.\n");
}

TEST(RemoteReports, GiveEachRecipientWhatItWouldHaveGotAlone) {
  using Reports = std::vector<std::string>;
  EXPECT_EQ(combine_remote_reports("r\0hno\n\0slater\n\0KI accepted.\n\0"s, 3),
            (Reports{"KI accepted.\n", "Dno\n", "Zlater\n"}));
  EXPECT_EQ(combine_remote_reports("hno\n\0slater\n\0DGiving up.\n\0"s, 2),
            (Reports{"Dno\nGiving up.\n", "Zlater\nGiving up.\n"}));
  EXPECT_EQ(combine_remote_reports("r\0hno\n\0Dfailed.\n\0"s, 2),
            (Reports{"Dfailed.\n", "Dno\nfailed.\n"}));
  EXPECT_EQ(combine_remote_reports("Dsender rejected\n\0"s, 2),
            (Reports{"Dsender rejected\n", "Dsender rejected\n"}));
  EXPECT_EQ(combine_remote_reports("hno\n\0Zdied\n\0"s, 2), (Reports{"Dno\n", "Zdied\n"}));
}

TEST(RemoteReports, TakeNoSuccessForARecipientThatIsNotSpokenOf) {
  const std::vector<std::string> again(2, "Zqmail-remote did not report on every recipient.\n");
  for (const std::string& output : {"K\0"s, "r\0Kok\n\0"s, "r\0r\0"s, "r\0r\0Knever ended"s,
                                    "r\0Dno\n\0"s, "r\0\0Kok\n\0"s, "x\0r\0Kok\0"s}) {
    EXPECT_EQ(combine_remote_reports(output, 2), again) << output;
  }
  EXPECT_EQ(combine_remote_reports("", 2),
            std::vector<std::string>(2, "Zqmail-remote produced no output.\n"));
}

TEST(Checkpassword, FieldsComeInTheOrderOfEachForm) {
  const std::string challenge = "<1896.697170952@postoffice.reston.mci.net>";
  const std::string digest = "b913a602c7eda7a495b4e6e7334d3890";
  EXPECT_EQ(format_cram("tim", challenge, digest, CramOrder::challenge_first),
            "tim\0"s + challenge + "\0"s + digest + "\0"s);
  EXPECT_EQ(format_cram("tim", challenge, digest, CramOrder::digest_first),
            "tim\0"s + digest + "\0"s + challenge + "\0"s);
  EXPECT_EQ(format_login("joe", "secret", ""), "joe\0secret\0\0"s);
  EXPECT_EQ(format_login("joe", "secret", std::nullopt), "joe\0secret\0"s);
}

TEST(Checkpassword, EitherCramOrderIsToldByItsShape) {
  const std::string challenge = "<1896.697170952@postoffice.reston.mci.net>";
  const std::string digest = "b913a602c7eda7a495b4e6e7334d3890";
  for (const auto order : {CramOrder::challenge_first, CramOrder::digest_first}) {
    const auto request = parse_check_request(format_cram("tim", challenge, digest, order));
    ASSERT_TRUE(request);
    const auto cram = request->cram();
    ASSERT_TRUE(cram);
    EXPECT_EQ(cram->challenge, challenge);
    EXPECT_EQ(cram->digest, digest);
  }
  EXPECT_FALSE(parse_check_request("joe\0secret\0\0"s)->cram());
  EXPECT_FALSE(parse_check_request("joe\0secret"s));
}

TEST(QueueExit, EachCodeHasTheTextThatCallersOfQmailQueueDerive) {
  const std::map<int, std::string> texts = {
      {11, "Denvelope address too long for qq (#5.1.3)"},
      {31, "Dmail server permanently rejected message (#5.3.0)"},
      {51, "Zqq out of memory (#4.3.0)"},
      {52, "Zqq timeout (#4.3.0)"},
      {53, "Zqq write error or disk full (#4.3.0)"},
      {54, "Zqq read error (#4.3.0)"},
      {55, "Zqq unable to read configuration (#4.3.0)"},
      {56, "Zqq trouble making network connection (#4.3.0)"},
      {61, "Zqq trouble in home directory (#4.3.0)"},
      {62, "Zqq trouble creating files in queue (#4.3.0)"},
      {63, "Zqq trouble creating files in queue (#4.3.0)"},
      {64, "Zqq trouble creating files in queue (#4.3.0)"},
      {65, "Zqq trouble creating files in queue (#4.3.0)"},
      {66, "Zqq trouble creating files in queue (#4.3.0)"},
      {71, "Zmail server temporarily rejected message (#4.3.0)"},
      {72, "Zconnection to mail server timed out (#4.4.1)"},
      {73, "Zconnection to mail server rejected (#4.4.1)"},
      {74, "Zcommunication with mail server failed (#4.4.2)"},
      {81, "Zqq internal bug (#4.3.0)"},
      {91, "Zqq internal bug (#4.3.0)"},
      {115, "Denvelope address too long for qq (#5.1.3)"},
      {120, "Zunable to exec qq (#4.3.0)"},
  };
  for (int code = 1; code < 256; ++code) {
    const auto known = texts.find(code);
    const std::string_view other = code >= 11 && code <= 40 ? "Dqq permanent problem (#5.3.0)"
                                                            : "Zqq temporary problem (#4.3.0)";
    EXPECT_EQ(queue_exit_text(code), known == texts.end() ? other : known->second) << code;
  }
}

}  // namespace
}  // namespace postern::wire
