#include "inject/message_header.h"

#include <gtest/gtest.h>

namespace postern::inject {
namespace {

using Addresses = std::vector<std::string>;

constexpr Stamp stamp{1028301386, 4711};  // 2 Aug 2002 15:16:26

Settings plain_settings() {
  Settings settings;
  settings.user = settings.sender_user = "joe";
  settings.host = settings.sender_host = "mail.example.org";
  settings.id_host = "id.example.org";
  settings.defaults = {"mail.example.org", "example.org", "plus.example"};
  return settings;
}

Result<Prepared> try_prepare(const Settings& settings, const std::vector<std::string>& fields) {
  MessageHeader header(settings);
  for (const auto& field : fields) {
    if (auto added = header.add_field(field + "\n"); !added) return std::unexpected(added.error());
  }
  return header.finish(stamp);
}

Prepared prepare(const Settings& settings, const std::vector<std::string>& fields) {
  const auto prepared = try_prepare(settings, fields);
  EXPECT_TRUE(prepared);
  return prepared.value_or(Prepared{});
}

TEST(Header, GetsWhatIsMissing) {
  EXPECT_EQ(prepare(plain_settings(), {"to: joe"}).header,
            "Date: 2 Aug 2002 15:16:26 -0000\n"
            "Message-ID: <20020802151626.4711.qmail@id.example.org>\n"
            "From: joe@mail.example.org\n"
            "to: joe@mail.example.org\n"
            "\n");
}

TEST(Header, OfNobodySaysThatItsRecipientsAreNotShown) {
  const auto prepared = prepare(plain_settings(), {"Subject: x", "Bcc: a@b.c"});
  EXPECT_EQ(prepared.header,
            "Date: 2 Aug 2002 15:16:26 -0000\n"
            "Message-ID: <20020802151626.4711.qmail@id.example.org>\n"
            "From: joe@mail.example.org\n"
            "Cc: recipient list not shown: ;\n"
            "Subject: x\n"
            "\n");
  EXPECT_EQ(prepared.recipients, (Addresses{"a@b.c"}));
}

TEST(Header, ThatIsWholeStaysAsItIs) {
  const std::vector<std::string> fields = {"Received: from somewhere",
                                           "DATE: whenever",
                                           "Message-Id: <x@y>",
                                           "From: A <a@b.c>",
                                           "Cc: d@e.f",
                                           "Subject: a\n\tb",
                                           "X-Odd:"};
  std::string whole;
  for (const auto& field : fields) whole += field + "\n";
  EXPECT_EQ(prepare(plain_settings(), fields).header, whole + "\n");
}

TEST(Header, LosesBlindRecipientsReturnPathAndContentLength) {
  const auto prepared = prepare(
      plain_settings(), {"Date: x", "Message-ID: x", "From: a@b.c", "To: d@e.f", "BCC: g@h.i",
                         "Bcc: j@k.l", "Return-Path: <r@s.t>", "Content-Length: 17"});
  EXPECT_EQ(prepared.header, "Date: x\nMessage-ID: x\nFrom: a@b.c\nTo: d@e.f\n\n");
  EXPECT_EQ(prepared.recipients, (Addresses{"d@e.f", "g@h.i", "j@k.l"}));
  EXPECT_EQ(prepared.sender, "r@s.t");
}

TEST(Header, HasTheAddressesOfEveryAddressFieldCompleted) {
  for (const std::string name :
       {"To", "Cc", "Apparently-To", "From", "Sender", "Reply-To", "Return-Receipt-To", "Errors-To",
        "Resent-To", "Resent-Cc", "Resent-From", "Resent-Sender", "Resent-Reply-To",
        "Mail-Reply-To", "Mail-Followup-To"}) {
    const auto prepared = prepare(plain_settings(), {name + ": joe"});
    EXPECT_TRUE(prepared.header.contains(name + ": joe@mail.example.org\n")) << prepared.header;
  }
  EXPECT_TRUE(prepare(plain_settings(), {"X-To: joe"}).header.contains("X-To: joe\n"));
}

TEST(Header, ThatIsResentGetsResentFields) {
  const auto prepared = prepare(plain_settings(), {"Resent-To: a@b.c", "To: d@e.f", "Bcc: g@h.i"});
  EXPECT_EQ(prepared.header,
            "Resent-Date: 2 Aug 2002 15:16:26 -0000\n"
            "Resent-Message-ID: <20020802151626.4711.qmail@id.example.org>\n"
            "Resent-From: joe@mail.example.org\n"
            "Resent-To: a@b.c\n"
            "To: d@e.f\n"
            "\n");
  EXPECT_EQ(prepared.recipients, (Addresses{"a@b.c"}));
}

TEST(Header, ThatIsResentToNobodyShownSaysSo) {
  const auto prepared =
      prepare(plain_settings(), {"Resent-Date: x", "Resent-Message-ID: x", "Resent-From: x@y.z",
                                 "Resent-Bcc: a@b.c", "To: d@e.f"});
  EXPECT_EQ(prepared.header,
            "Resent-Cc: recipient list not shown: ;\nResent-Date: x\nResent-Message-ID: x\n"
            "Resent-From: x@y.z\nTo: d@e.f\n\n");
  EXPECT_EQ(prepared.recipients, (Addresses{"a@b.c"}));
}

TEST(Header, ThatMakesNoSenseIsRefusedWithTheLine) {
  const auto prepared = try_prepare(plain_settings(), {"To: joe (x"});
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().what, "unable to parse this line:\nTo: joe (x");
  EXPECT_EQ(prepared.error().code, 0);
}

TEST(From, ShowsTheNameInEitherStyle) {
  Settings settings = plain_settings();
  settings.name = "Joe \"J\" (x)";
  EXPECT_TRUE(prepare(settings, {"To: a"})
                  .header.contains("\nFrom: \"Joe \\\"J\\\" (x)\" <joe@mail.example.org>\n"));
  settings.address_comment_style = true;
  EXPECT_TRUE(prepare(settings, {"To: a"})
                  .header.contains("\nFrom: joe@mail.example.org (Joe \"J\" \\(x\\))\n"));
}

TEST(From, QuotesAnOddUserName) {
  Settings settings = plain_settings();
  settings.user = "joe smith";
  EXPECT_TRUE(
      prepare(settings, {"To: a"}).header.contains("\nFrom: \"joe smith\"@mail.example.org\n"));
}

TEST(Letters, DeleteFromAndMessageId) {
  Settings settings = plain_settings();
  settings.delete_from = settings.delete_message_id = true;
  EXPECT_EQ(prepare(settings, {"Date: x", "To: a@b.c", "From: x@y.z", "Message-ID: <x>"}).header,
            "Message-ID: <20020802151626.4711.qmail@id.example.org>\nFrom: joe@mail.example.org\n"
            "Date: x\nTo: a@b.c\n\n");
}

TEST(Letters, OfAResentMessageAreAboutItsResentFields) {
  Settings settings = plain_settings();
  settings.delete_from = true;
  const auto header =
      prepare(settings, {"From: x@y.z", "Resent-From: z@y.z", "Resent-To: a"}).header;
  EXPECT_TRUE(header.contains("\nFrom: x@y.z\n"));
  EXPECT_TRUE(header.contains("Resent-From: joe@mail.example.org\n"));
  EXPECT_FALSE(header.contains("z@y.z\nResent"));
}

TEST(Sender, IsTheUserUnlessToldOtherwise) {
  Settings settings = plain_settings();
  EXPECT_EQ(prepare(settings, {"To: a"}).sender, "joe@mail.example.org");
  settings.sender_user = "owner";
  settings.sender_host = "lists.example.org";
  EXPECT_EQ(prepare(settings, {"To: a"}).sender, "owner@lists.example.org");
  EXPECT_EQ(prepare(settings, {"Return-Path: <bob>"}).sender, "bob@mail.example.org");
  EXPECT_EQ(prepare(settings, {"Return-Path: <>"}).sender, "");
  settings.arguments.sender = "carol@x";
  EXPECT_EQ(prepare(settings, {"Return-Path: <bob>"}).sender, "carol@x.example.org");
}

TEST(Sender, OfTheArgumentsIsKeptWhenQmailMadeIt) {
  Settings settings = plain_settings();
  for (const std::string sender : {"#@[]", "list-@host.example-@[]", "", "a=b@c.d"}) {
    settings.arguments.sender = sender;
    EXPECT_EQ(prepare(settings, {"To: a"}).sender, sender);
  }
  settings.arguments.sender = "<>";
  EXPECT_EQ(prepare(settings, {"To: a"}).sender, "");
  settings.arguments.sender = "a(";
  EXPECT_FALSE(try_prepare(settings, {"To: a"}));
}

TEST(Sender, IsNotReadFromReturnPathWithLetterS) {
  Settings settings = plain_settings();
  settings.ignore_return_path = true;
  const auto prepared = prepare(settings, {"Return-Path: (", "To: a"});
  EXPECT_EQ(prepared.sender, "joe@mail.example.org");
  EXPECT_FALSE(prepared.header.contains("Return-Path"));
}

TEST(Sender, VariesWithLettersRAndM) {
  Settings settings = plain_settings();
  settings.recipient_verp = true;
  EXPECT_EQ(prepare(settings, {"To: a"}).sender, "joe-@mail.example.org-@[]");
  settings.message_verp = true;
  EXPECT_EQ(prepare(settings, {"To: a"}).sender, "joe-20020802151626.4711-@mail.example.org-@[]");
  settings.recipient_verp = false;
  EXPECT_EQ(prepare(settings, {"To: a"}).sender, "joe-20020802151626.4711@mail.example.org");
  EXPECT_EQ(prepare(settings, {"Return-Path: <bob@x.y>"}).sender, "bob@x.y");
}

TEST(Recipients, AreTakenFromArgumentsAndHeaderAsAsked) {
  Settings settings = plain_settings();
  settings.arguments.addresses = {"x@y.z", "Bob <bob>, carol"};
  const std::vector<std::string> fields = {"To: to@a.b", "Cc: cc@a.b"};
  const Addresses named = {"x@y.z", "bob@mail.example.org", "carol@mail.example.org"};
  const Addresses header = {"to@a.b", "cc@a.b"};
  Addresses both = named;
  both.insert(both.end(), header.begin(), header.end());

  EXPECT_EQ(prepare(settings, fields).recipients, named);
  settings.arguments.recipients = Recipients::arguments;
  EXPECT_EQ(prepare(settings, fields).recipients, named);
  settings.arguments.recipients = Recipients::header;
  EXPECT_EQ(prepare(settings, fields).recipients, header);
  settings.arguments.recipients = Recipients::both;
  EXPECT_EQ(prepare(settings, fields).recipients, both);

  settings.arguments.addresses.clear();
  EXPECT_EQ(prepare(settings, fields).recipients, header);
  settings.arguments.recipients = Recipients::arguments;
  EXPECT_EQ(prepare(settings, fields).recipients, Addresses{});
  settings.arguments.recipients = Recipients::arguments_or_header;
  EXPECT_EQ(prepare(settings, fields).recipients, header);
}

TEST(Recipients, AmongTheArgumentsMustMakeSense) {
  Settings settings = plain_settings();
  settings.arguments.addresses = {"<a"};
  EXPECT_FALSE(try_prepare(settings, {"To: a"}));
}

TEST(MailFollowupTo, ListsEverybodyWhereAListIsAddressed) {
  Settings settings = plain_settings();
  settings.mailing_lists = {"List@Example.org"};
  const auto header = prepare(settings, {"To: a@b.c, LIST@example.org", "Cc: \"d e\"@f.g"}).header;
  EXPECT_TRUE(header.contains("\nMail-Followup-To: a@b.c, LIST@example.org, \"d e\"@f.g\n"))
      << header;
}

TEST(MailFollowupTo, IsNotAddedWithoutAListOrWhenThere) {
  Settings settings = plain_settings();
  EXPECT_FALSE(prepare(settings, {"To: list@example.org"}).header.contains("Followup"));
  settings.mailing_lists = {"list@example.org"};
  EXPECT_FALSE(
      prepare(settings, {"To: a@b.c", "Bcc: list@example.org"}).header.contains("Followup"));
  const auto header =
      prepare(settings, {"To: list@example.org", "Mail-Followup-To: nobody@b.c"}).header;
  EXPECT_TRUE(header.contains("Mail-Followup-To: nobody@b.c\n"));
  EXPECT_FALSE(header.contains("Mail-Followup-To: list"));
}

TEST(Fields, AreFoundInAnyCase) {
  EXPECT_EQ(find_field("RESENT-bcc").field, Field::resent_bcc);
  EXPECT_EQ(find_field("subject").field, Field::other);
  EXPECT_EQ(find_field("").field, Field::other);
}

}  // namespace
}  // namespace postern::inject
