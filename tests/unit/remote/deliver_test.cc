#include "remote/deliver.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "posix/files.h"
#include "unit/remote/fake_names.h"
#include "unit/remote/scripted_server.h"
#include "wire/tcpto.h"

namespace postern::remote {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using Steps = std::vector<ScriptedServer::Step>;
using Strings = std::vector<std::string>;

const Steps accepting{{"", "220 hi\r\n"},
                      {"EHLO me.example\r\n", "250 hi\r\n"},
                      {"MAIL FROM:<a@x>\r\n", "250 ok\r\n"},
                      {"RCPT TO:<b@example.org>\r\n", "250 ok\r\n"},
                      {"DATA\r\n", "354 go\r\n"},
                      {"\r\n.\r\n", "250 done\r\n"}};

Steps operator+(Steps left, const Steps& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::string accepted_by(const std::string& address) {
  return "r\0K"s + address + " accepted message.\nRemote host said: 250 done\n\0"s;
}
constexpr std::string_view no_connection =
    "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n\0"sv;

class DeliverTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "deliverXXXXXX";
    queue_ = ::mkdtemp(pattern.data());
    ASSERT_EQ(::mkdir((queue_ + "/lock").c_str(), 0700), 0);
    ASSERT_TRUE(wire::clear_tcpto(queue_));
    names_.add_exchangers("example.org", {{10, "mx1.example"}, {20, "mx2.example"}});
    names_.add_host("mx1.example", {"192.0.2.1", "2001:db8::1"});
    names_.add_host("mx2.example", {"192.0.2.2"});
    controls_.helohost = "me.example";
  }
  void TearDown() override { std::filesystem::remove_all(queue_); }

  // From now on `address` is a server that does this; others refuse connections.
  ScriptedServer& serve(const std::string& address, Steps steps, bool wait_for_end = true) {
    all_servers_.push_back(std::make_unique<ScriptedServer>(std::move(steps), wait_for_end));
    servers_[address] = all_servers_.back().get();
    return *all_servers_.back();
  }

  std::string deliver(const std::string& text = "Subject: x\n\nhi\n",
                      const Delivery& delivery = {"example.org", "a@x", {"b@example.org"}}) {
    const std::string path = queue_ + "/message";
    EXPECT_TRUE(replace_file(path, path + ".tmp", text, 0600));
    const auto message = open_for_reading(path);
    Surroundings surroundings{
        .directory = {names_, [] { return Result<std::vector<inet::IpAddress>>(); }, 1},
        .connect = [this](const Target& target, Deadline) { return connect(target); },
        .queue = queue_,
        .pid = 0};
    const Outcome outcome =
        remote::deliver(delivery, controls_, message->get(), surroundings, connection_);
    if (!stays_) connection_.reset();
    host_unreachable_ = outcome.host_unreachable;
    return outcome.report;
  }

  Result<Fd> connect(const Target& target) {
    const std::string address = inet::format_address(target.address);
    tried_.push_back(address + "/" + std::to_string(target.port));
    if (errors_.contains(address)) return failure("unable to connect", errors_[address]);
    if (!servers_.contains(address)) return failure("unable to connect", ECONNREFUSED);
    return servers_[address]->take_client();
  }

  std::string queue_;
  FakeNames names_;
  Controls controls_;
  std::vector<std::unique_ptr<ScriptedServer>> all_servers_;
  std::map<std::string, ScriptedServer*> servers_;
  std::map<std::string, int> errors_;
  Strings tried_;
  bool host_unreachable_ = false;  // by the last delivery
  bool stays_ = false;             // qmail-remote has been asked to
  OpenConnection connection_;
};

TEST_F(DeliverTest, TakesTheBestExchanger) {
  serve("192.0.2.1", accepting);
  serve("192.0.2.2", accepting);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.1"));
  EXPECT_EQ(tried_, Strings{"192.0.2.1/25"});
}

TEST_F(DeliverTest, GoesOnToTheNextAddressAndTheNextHost) {
  serve("192.0.2.2", accepting);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.2"));
  EXPECT_EQ(tried_, (Strings{"192.0.2.1/25", "2001:db8::1/25", "192.0.2.2/25"}));
}

TEST_F(DeliverTest, TakesIpv6WhenIpv4IsDown) {
  serve("2001:db8::1", accepting);
  EXPECT_EQ(deliver(), accepted_by("2001:db8::1"));
}

TEST_F(DeliverTest, DefersWhenNobodyCanBeReached) { EXPECT_EQ(deliver(), no_connection); }

TEST_F(DeliverTest, CallsAHostUnreachableWhenThatHoldsForAnySender) {
  deliver();
  EXPECT_TRUE(host_unreachable_);
  controls_.smtproutes = control::HostMap({"example.org:mx2.example"});
  EXPECT_EQ(deliver(), no_connection);
  EXPECT_TRUE(host_unreachable_);
  controls_.authsenders = control::HostMap({"@y:mx1.example"});
  EXPECT_EQ(deliver(), no_connection);
  EXPECT_FALSE(host_unreachable_) << "others' mail may go elsewhere";
}

TEST_F(DeliverTest, DoesNotCallAHostUnreachableThatAnswersOrWhoseNameIsNotFound) {
  serve("192.0.2.1", {{"", "554 not here\r\n"}});
  deliver();
  EXPECT_FALSE(host_unreachable_);
  errors_["192.0.2.1"] = EMFILE;
  deliver();
  EXPECT_FALSE(host_unreachable_);
  EXPECT_TRUE(deliver("x\n", {"nowhere.example", "a@x", {"b@nowhere.example"}}).starts_with("D"));
  EXPECT_FALSE(host_unreachable_);
}

TEST_F(DeliverTest, GoesOnWhenAServerWillNotGreet) {
  serve("192.0.2.1", {{"", "554 not here\r\n"}});
  serve("2001:db8::1", {}, false);
  serve("192.0.2.2", accepting);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.2"));
}

TEST_F(DeliverTest, ReportsTheBestServerThatWouldNotGreet) {
  serve("192.0.2.1", {{"", "554 not here\r\n"}});
  serve("192.0.2.2", {{"", "421 busy\r\n"}});
  EXPECT_EQ(deliver(),
            "ZConnected to 192.0.2.1 but greeting failed.\nRemote host said: 554 not here\n\0"s);
}

TEST_F(DeliverTest, AsksNoOtherServerOnceOneHasAnswered) {
  serve("192.0.2.1", {{"", "220 hi\r\n"}, {"EHLO", "250 hi\r\n"}, {"MAIL", "451 later\r\n"}});
  serve("192.0.2.2", accepting);
  EXPECT_EQ(deliver(),
            "ZConnected to 192.0.2.1 but sender was rejected.\nRemote host said: 451 later\n\0"s);
  EXPECT_EQ(tried_, Strings{"192.0.2.1/25"});
}

TEST_F(DeliverTest, RemembersTimeoutsOfConnectingAndNothingElse) {
  errors_["192.0.2.1"] = ETIMEDOUT;
  errors_["2001:db8::1"] = ETIMEDOUT;
  errors_["192.0.2.2"] = ENETUNREACH;
  EXPECT_EQ(deliver(), no_connection);
  const auto v4 =
      wire::parse_tcpto(wire::tcpto_v4, read_file(queue_ + "/lock/tcpto", 4096).value());
  const auto v6 =
      wire::parse_tcpto(wire::tcpto_v6, read_file(queue_ + "/lock/tcpto6", 4096).value());
  ASSERT_EQ(v4.size(), 1U);
  EXPECT_EQ(v4[0].address, inet::parse_address("192.0.2.1")->bytes());
  ASSERT_EQ(v6.size(), 1U);
  EXPECT_EQ(v6[0].address, inet::parse_address("2001:db8::1")->bytes());
}

TEST_F(DeliverTest, LeavesAnAddressThatTimedOutTwiceAlone) {
  const auto now = static_cast<std::uint64_t>(unix_time());
  const inet::IpAddress address = inet::parse_address("192.0.2.1").value();
  wire::record_timeout(queue_, address.bytes(), now - 200);
  wire::record_timeout(queue_, address.bytes(), now);
  serve("192.0.2.1", accepting);
  serve("192.0.2.2", accepting);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.2"));
  EXPECT_EQ(tried_, (Strings{"2001:db8::1/25", "192.0.2.2/25"}));
}

TEST_F(DeliverTest, ForgetsATimeoutWhenTheHostAnswers) {
  const auto now = static_cast<std::uint64_t>(unix_time());
  wire::record_timeout(queue_, inet::parse_address("192.0.2.1")->bytes(), now - 200);
  serve("192.0.2.1", accepting);
  deliver();
  EXPECT_EQ(read_file(queue_ + "/lock/tcpto", 4096).value()[4], '\0');
}

TEST_F(DeliverTest, SaysWhenTheSystemIsShortOfSockets) {
  errors_["192.0.2.1"] = EMFILE;
  EXPECT_EQ(deliver(), "ZSystem resources temporarily unavailable. (#4.3.0)\n\0"s);
}

TEST_F(DeliverTest, GoesThroughTheRelayOfARoute) {
  controls_.smtproutes = control::HostMap({"example.org:mx2.example:587"});
  serve("192.0.2.2", accepting);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.2"));
  EXPECT_EQ(tried_, Strings{"192.0.2.2/587"});
  EXPECT_EQ(names_.asked, Strings{"A mx2.example"});
}

TEST_F(DeliverTest, TakesTheExchangersForARouteWithoutRelay) {
  controls_.smtproutes = control::HostMap({":mx2.example", "example.org:"});
  serve("192.0.2.1", accepting);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.1"));
}

TEST_F(DeliverTest, LogsInWhereTheRouteSaysSo) {
  controls_.smtproutes = control::HostMap({":mx2.example dHJvdHRlbA== aWNo"});
  ScriptedServer& server =
      serve("192.0.2.2", {{"", "220 hi\r\n"},
                          {"EHLO me.example\r\n", "250-hi\r\n250 AUTH PLAIN\r\n"},
                          {"AUTH PLAIN\r\n", "334 \r\n"},
                          {"dHJvdHRlbAB0cm90dGVsAGljaA==\r\n", "235 ok\r\n"},
                          {"AUTH=trottel\r\n", "250 ok\r\n"},
                          {"RCPT", "250 ok\r\n"},
                          {"DATA\r\n", "354 go\r\n"},
                          {"\r\n.\r\n", "250 done\r\n"}});
  EXPECT_EQ(deliver(), accepted_by("192.0.2.2"));
  EXPECT_TRUE(server.received().ends_with("Subject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n"));
}

// A qmail-remote that stays with its connection for the next message.
class DeliverOnTest : public DeliverTest {
 protected:
  void SetUp() override {
    DeliverTest::SetUp();
    stays_ = true;
  }
  // After a first delivery the server says `then`; whether it is to close then.
  void deliver_first(const Steps& then, bool wait_for_end = true) {
    serve("192.0.2.1", accepting + then, wait_for_end);
    ASSERT_EQ(deliver(), accepted_by("192.0.2.1"));
    ASSERT_TRUE(connection_);
    tried_.clear();
  }
  // The next message finds another server at the same address, which reads it from its begin.
  void expect_fresh_start() {
    ScriptedServer& server = serve("192.0.2.1", accepting);
    EXPECT_EQ(deliver(), accepted_by("192.0.2.1"));
    EXPECT_EQ(tried_, Strings{"192.0.2.1/25"});
    connection_.reset();
    EXPECT_TRUE(server.received().contains("DATA\r\nSubject: x\r\n\r\nhi\r\n.\r\n"));
  }
};

const Steps transaction(accepting.begin() + 2, accepting.end());

TEST_F(DeliverOnTest, SendsFurtherMessagesOverTheSameConnection) {
  deliver_first(transaction + transaction);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.1"));
  EXPECT_EQ(deliver(), accepted_by("192.0.2.1"));
  EXPECT_TRUE(tried_.empty());
  connection_.reset();
  const std::string& received = all_servers_.front()->received();
  EXPECT_EQ(received.find("EHLO"), received.rfind("EHLO"));
  EXPECT_TRUE(received.ends_with("Subject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n"));
}

TEST_F(DeliverOnTest, SaysNothingOfAServerThatHasGone) {
  deliver_first({}, false);
  expect_fresh_start();
}

TEST_F(DeliverOnTest, SaysNothingOfAServerThatHasSaidItCloses) {
  deliver_first({{"", "421 idle\r\n"}});
  expect_fresh_start();
}

TEST_F(DeliverOnTest, SaysNothingOfAServerThatGoesWhenItHearsOfAnotherMessage) {
  deliver_first({{"MAIL", ""}}, false);
  expect_fresh_start();
}

TEST_F(DeliverOnTest, SaysNothingOfAServerThatGoesInTheMiddleOfAMessage) {
  deliver_first(Steps(transaction.begin(), transaction.begin() + 3) + Steps{{"hi", ""}}, false);
  std::string text = "hi\n";
  text.resize(20'000'000, 'x');  // more than the buffers of both sides hold
  text += '\n';
  serve("192.0.2.1", accepting);
  EXPECT_EQ(deliver(text), accepted_by("192.0.2.1"));
  EXPECT_EQ(tried_, Strings{"192.0.2.1/25"});
}

TEST_F(DeliverOnTest, SpeaksOfAPossibleDuplicateInsteadOfTryingAgain) {
  deliver_first(Steps(transaction.begin(), transaction.begin() + 3) + Steps{{"\r\n.\r\n", ""}},
                false);
  serve("192.0.2.1", accepting);
  EXPECT_TRUE(deliver().contains("Possible duplicate! "));
  EXPECT_TRUE(tried_.empty());
  EXPECT_FALSE(connection_);
}

TEST_F(DeliverOnTest, HasAConnectionOfItsOwnForEachRouteAndName) {
  deliver_first({});
  controls_.smtproutes = control::HostMap({"example.org:mx2.example"});
  serve("192.0.2.2", accepting);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.2"));
  EXPECT_TRUE(all_servers_.front()->received().ends_with("\r\n.\r\nQUIT\r\n"));

  controls_.helohost = "other.example";
  ScriptedServer& other =
      serve("192.0.2.2",
            Steps{{"", "220 hi\r\n"}, {"EHLO other.example\r\n", "250 hi\r\n"}} + transaction);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.2"));
  connection_.reset();
  EXPECT_TRUE(other.received().starts_with("EHLO other.example\r\n"));
}

TEST_F(DeliverOnTest, DoesNotStayWithAnExchangerWhileTheBestAreDown) {
  serve("192.0.2.2", accepting);
  EXPECT_EQ(deliver(), accepted_by("192.0.2.2"));
  EXPECT_FALSE(connection_);
}

TEST_F(DeliverOnTest, DoesNotStayWithAServerThatIsOutOfOrder) {
  serve("192.0.2.1",
        {{"", "220 hi\r\n"}, {"EHLO", "250-hi\r\n250 PIPELINING\r\n"}, {"MAIL", "550 no\r\n"}});
  EXPECT_TRUE(deliver().starts_with("DConnected to 192.0.2.1 but sender was rejected"));
  EXPECT_FALSE(connection_);
}

TEST_F(DeliverTest, KeepsMailWhoseRouteMakesNoSense) {
  controls_.smtproutes = control::HostMap({"example.org:mx2.example dHJvdHRlbA== geheim!"});
  const std::string report = deliver();
  EXPECT_TRUE(
      report.starts_with("Zcontrol/smtproutes, line \"example.org:mx2.example...\": the "
                         "password is not base64: write what"))
      << report;
  EXPECT_TRUE(report.ends_with(" (#4.3.5)\n\0"s));
  EXPECT_TRUE(tried_.empty());
}

TEST_F(DeliverTest, TellsTheSizeOfTheMessage) {
  ScriptedServer& server =
      serve("192.0.2.1",
            {{"", "220 hi\r\n"}, {"EHLO", "250-hi\r\n250 SIZE\r\n"}, {"MAIL", "550 no\r\n"}});
  deliver("Subject: x\n\nhi\n");
  EXPECT_TRUE(server.received().contains("MAIL FROM:<a@x> SIZE=15\r\n")) << server.received();
}

TEST_F(DeliverTest, ConnectsToNobodyForAnAddressSmtpCannotCarry) {
  EXPECT_TRUE(deliver("x\n", {"example.org", "a@x", {"b\r\n@example.org"}}).starts_with("DSorry"));
  EXPECT_TRUE(deliver("x\n", {"example.org", "a\n@x", {"b@example.org"}}).starts_with("DSorry"));
  EXPECT_TRUE(tried_.empty());
}

TEST_F(DeliverTest, SaysWhyThereIsNowhereToGo) {
  EXPECT_EQ(deliver("x\n", {"nowhere.example", "a@x", {"b@nowhere.example"}}),
            "DSorry, I couldn't find any host named nowhere.example. (#5.1.2)\n\0"s);
}

}  // namespace
}  // namespace postern::remote
