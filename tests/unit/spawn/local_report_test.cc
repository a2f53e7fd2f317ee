#include "spawn/local_report.h"

#include <gtest/gtest.h>

#include "spawn/remote_channel.h"

namespace postern::spawning {
namespace {

using namespace std::string_literals;

Finished exited(int code, std::string output = "", bool too_long = false) {
  return {.status = ExitStatus(code << 8), .output = std::move(output), .too_long = too_long};
}
Finished killed() { return {.status = ExitStatus(11), .output = "x", .too_long = false}; }

TEST(LocalReport, CarriesTheOutputWithALetterForTheExitCode) {
  EXPECT_EQ(format_local_report(exited(0, "did 1+0+0\n")), "Kdid 1+0+0\n");
  EXPECT_EQ(format_local_report(exited(0)), "K");
  for (const int code : {111, 71, 74, 75}) {
    EXPECT_EQ(format_local_report(exited(code, "busy\n")), "Zbusy\n") << code;
  }
  for (const int code : {100, 1, 2, 64, 77, 99, 255}) {
    EXPECT_EQ(format_local_report(exited(code, "no\n")), "Dno\n") << code;
  }
}

TEST(LocalReport, EndsAtTheFirstNul) {
  EXPECT_EQ(format_local_report(exited(0, "did\0x"s)), "Kdid");
}

TEST(LocalReport, HasFixedTextsForQmailLspawnsOwnTrouble) {
  const auto report = [](int code) { return format_local_report(exited(code, "noise")); };
  EXPECT_EQ(report(101), "ZInternal qmail-lspawn bug.\n");
  EXPECT_EQ(report(112), "ZInternal qmail-lspawn bug.\n");
  EXPECT_EQ(report(113), "ZNot allowed to perform deliveries as root.\n");
  EXPECT_EQ(report(115), "ZNFS failure in qmail-local.\n");
  EXPECT_EQ(report(116), "ZUnable to find alias user!\n");
  EXPECT_EQ(report(127), "ZUnable to run qmail-local.\n");
  EXPECT_EQ(report(117), "ZTrouble reading users/cdb in qmail-lspawn.\n");
  EXPECT_EQ(report(118), "ZTemporary failure in qmail-lspawn.\n");
  EXPECT_EQ(report(119), "ZOut of memory in qmail-lspawn.\n");
  EXPECT_EQ(report(120), "ZUnable to run qmail-local.\n");
  EXPECT_EQ(report(121), "ZUnable to run qmail-getpw.\n");
  EXPECT_EQ(report(126), "DUnable to run qmail-local.\n");
  EXPECT_EQ(format_local_report(killed()), "Zqmail-local crashed.\n");
}

TEST(LocalReport, IsCutWithAWordAboutIt) {
  const auto report = format_local_report(exited(100, std::string(3000, 'x'), true));
  EXPECT_EQ(report, "D" + std::string(2966, 'x') + "\nError report too long, sorry.\n");
  EXPECT_EQ(format_local_report(exited(100, std::string(3000, 'x'))).size(), 3001U);
}

TEST(LookupFailure, IsAlwaysTemporary) {
  const auto report = [](int code) { return format_lookup_failure(ExitStatus(code << 8)); };
  EXPECT_EQ(report(115), "ZNFS failure in qmail-local.\n");
  EXPECT_EQ(report(116), "ZUnable to find alias user!\n");
  EXPECT_EQ(report(117), "ZTrouble reading users/cdb in qmail-lspawn.\n");
  EXPECT_EQ(report(121), "ZUnable to run qmail-getpw.\n");
  for (const int code : {1, 100, 111}) {
    EXPECT_EQ(report(code), "ZTemporary failure in qmail-lspawn.\n") << code;
  }
  EXPECT_EQ(format_lookup_failure(ExitStatus(9)), "ZTemporary failure in qmail-lspawn.\n");
}

TEST(RemoteReport, PutsQmailRemotesRecordsTogether) {
  const auto report = [](const std::string& output) {
    return format_remote_spawn_reports(exited(0, output), 1).front();
  };
  EXPECT_EQ(report("r\0KI accepted message.\n\0"s), "KI accepted message.\n");
  EXPECT_EQ(report("hI does not like recipient.\n\0DGiving up on I.\n\0"s),
            "DI does not like recipient.\nGiving up on I.\n");
  EXPECT_EQ(report("sI does not like recipient.\n\0DGiving up on I.\n\0"s),
            "ZI does not like recipient.\nGiving up on I.\n");
  EXPECT_EQ(report("KI accepted message.\n"), "D");
  EXPECT_EQ(report(""), "Zqmail-remote produced no output.\n");
}

TEST(RemoteReport, SaysWhenQmailRemoteDidNotRun) {
  const auto report = [](int code) {
    return format_remote_spawn_reports(exited(code, "K\0"s), 1).front();
  };
  EXPECT_EQ(report(111), "ZUnable to run qmail-remote.\n");
  EXPECT_EQ(report(127), "ZUnable to run qmail-remote.\n");
  EXPECT_EQ(report(100), "DUnable to run qmail-remote.\n");
  const std::vector<std::string> crashed(2, "Zqmail-remote crashed.\n");
  EXPECT_EQ(format_remote_spawn_reports(killed(), 2), crashed);
  const std::vector<std::string> too_much(2, "Zqmail-remote produced too much output.\n");
  EXPECT_EQ(format_remote_spawn_reports(exited(0, "r", true), 2), too_much);
}

}  // namespace
}  // namespace postern::spawning
