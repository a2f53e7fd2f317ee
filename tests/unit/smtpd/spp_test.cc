// The files and the words of qmail-spp. What they make of a session is in tests/dialog/spp_*.smtp.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "posix/environment.h"
#include "smtpd/spp_commands.h"
#include "smtpd/spp_config.h"
#include "smtpd/spp_program.h"
#include "smtpd/spp_session.h"
#include "support/temporary_directory.h"

namespace postern::smtpd {
namespace {

using Kind = SppCommand::Kind;

TEST(SppCommands, AreALetterAndItsTextALine) {
  const struct {
    std::string_view line;
    Kind kind;
    std::string_view text;
  } cases[] = {
      {"A", Kind::stop, ""},
      {"N", Kind::next, ""},
      {"O", Kind::ok, ""},
      {"E550 no", Kind::refuse, "550 no"},
      {"R421 away", Kind::reject, "421 away"},
      {"D", Kind::drop, ""},
      {"SX=a=b c", Kind::set, "X=a=b c"},
      {"UX", Kind::unset, "X"},
      {"HX-Y: z", Kind::header, "X-Y: z"},
      {"Ca@b", Kind::change, "a@b"},
      {"P250-x", Kind::print, "250-x"},
      {"L", Kind::unknown, "L"},
      {"LX550 no", Kind::unknown, "LX550 no"},
      {"e550 no", Kind::unknown, "e550 no"},
      {" A", Kind::unknown, " A"},
  };
  for (const auto& [line, kind, text] : cases) {
    const std::string output = std::string(line) + "\n";
    const auto commands = parse_spp_output(output);
    ASSERT_EQ(commands.size(), 1U) << line;
    EXPECT_EQ(commands[0].kind, kind) << line;
    EXPECT_EQ(commands[0].text, text) << line;
  }
}

TEST(SppCommands, SayForWhichCommandALaterReplyIs) {
  const auto commands = parse_spp_output("LM1\nLR2\nLD3\n");
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(commands[0].when, SppEvent::mail);
  EXPECT_EQ(commands[1].when, SppEvent::rcpt);
  EXPECT_EQ(commands[2].when, SppEvent::data);
  EXPECT_EQ(commands[2].text, "3");
}

TEST(SppCommands, EndAtTheFirstThatDecides) {
  for (const auto* last : {"A", "N", "O", "E550 no", "R550 no", "D"}) {
    const std::string output = "\nHX: y\n\n" + std::string(last) + "\nHX: z\nE551 no\n";
    EXPECT_EQ(parse_spp_output(output).size(), 2U) << last;
  }
}

TEST(SppCommands, NeedNoLineEndAtTheEnd) {
  const auto commands = parse_spp_output("E550 You may not.");
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].text, "550 You may not.");
  EXPECT_TRUE(parse_spp_output("").empty());
}

TEST(SppConfig, SortsPluginsIntoTheirSections) {
  const auto config = parse_spp_config({"[connection]", "a", "[HELO]", "b", "[mail]", "c", "[rcpt]",
                                        ":d 'e' f", "g", "[data]", "[auth]", "h", "[mail]", "i"},
                                       "file");
  ASSERT_TRUE(config);
  using Lines = std::vector<std::string>;
  EXPECT_EQ(config->of(SppEvent::connection), Lines{"a"});
  EXPECT_EQ(config->of(SppEvent::helo), Lines{"b"});
  EXPECT_EQ(config->of(SppEvent::mail), (Lines{"c", "i"}));
  EXPECT_EQ(config->of(SppEvent::rcpt), (Lines{":d 'e' f", "g"}));
  EXPECT_EQ(config->of(SppEvent::data), Lines{});
  EXPECT_EQ(config->of(SppEvent::auth), Lines{"h"});
  EXPECT_FALSE(config->empty());
  EXPECT_TRUE(parse_spp_config({"[rcpt]"}, "file")->empty());
}

TEST(SppConfig, RefusesWhatMeansNothing) {
  EXPECT_TRUE(parse_spp_config({"[rcptto]"}, "f").error().what.starts_with("f holds \"[rcptto]\""));
  EXPECT_FALSE(parse_spp_config({"[rcpt] x"}, "f"));
  EXPECT_FALSE(parse_spp_config({"plugin", "[rcpt]"}, "f"));
  EXPECT_FALSE(parse_spp_config({"[rcpt]", ":"}, "f"));
  EXPECT_FALSE(parse_spp_config({"[rcpt]", std::string("a\0b", 3)}, "f"));
}

class SppPrograms : public testing::Test {
 protected:
  static Result<std::string> run(const std::string& body,
                                 std::chrono::milliseconds longest = std::chrono::seconds(60)) {
    std::ofstream("plugin") << "#!/bin/sh\n" << body << "\n";
    ::chmod("plugin", 0755);
    return SppProgram(longest).run("./plugin");
  }
  test::TemporaryDirectory directory_;
};

TEST_F(SppPrograms, GiveWhatTheyPrint) {
  EXPECT_EQ(run("printf 'SA=b\\nE550 no'").value(), "SA=b\nE550 no");
  EXPECT_EQ(run("cat; exit 7").value(), "");  // there is nothing to read
  EXPECT_EQ(run("exec >&-; exit 0").value(), "");
  EXPECT_EQ(run("head -c 65536 /dev/zero").value().size(), 65536U);
  EXPECT_EQ(SppProgram().run(":echo $0 'a  b'").value(), "/bin/sh a  b\n");
}

TEST_F(SppPrograms, ThatFailAreErrors) {
  EXPECT_EQ(run("echo N; exit 120").error().what, "it could not be run (exit 120)");
  EXPECT_EQ(run("echo N; kill -SEGV $$").error().what, "it crashed");
  EXPECT_EQ(SppProgram().run("./missing").error().code, ENOENT);
  EXPECT_EQ(run("head -c 65537 /dev/zero; echo N").error().what, "it printed too much");
}

TEST_F(SppPrograms, ThatHangAreKilledWhateverTheyDo) {
  const std::chrono::milliseconds soon(200);
  for (const auto* body : {"exec sleep 1000", "echo N; exec sleep 1000",
                           "exec >&-; exec sleep 1000", "while :; do echo; sleep 0.01; done"}) {
    const auto output = run(body, soon);
    ASSERT_FALSE(output) << body;
    EXPECT_EQ(output.error().what, "it took too long") << body;
  }
  EXPECT_EQ(run("exec yes").error().what, "it printed too much");
}

TEST_F(SppPrograms, AreNotWaitedForByTheirChildren) {
  const auto output = run("echo N; sleep 30 & echo $! >child");
  EXPECT_EQ(output.value_or("error"), "N\n");
  std::ifstream file("child");
  pid_t child = 0;
  ASSERT_TRUE(file >> child);
  EXPECT_EQ(::kill(child, SIGKILL), 0);  // it is still there
}

TEST_F(SppPrograms, SeeVariablesUpToANul) {
  SppProgram program;
  program.set("SPP_TEST", std::string("a\0b", 3));
  EXPECT_EQ(program.run(":echo $SPP_TEST").value(), "a\n");
  program.unset("SPP_TEST");
  EXPECT_EQ(program.run(":echo ${SPP_TEST-none}").value(), "none\n");
}

// Whatever plugins print, the client gets replies of whole lines and the header stays a header.
class Printing : public PluginPrograms {
 public:
  Result<std::string> run(const std::string&) override { return output; }
  void set(const std::string& name, std::string_view) override {
    EXPECT_FALSE(name.empty() || name.contains('=') || name.contains('\0'));
  }
  void unset(const std::string&) override {}
  std::string output;
};

TEST(SppSession, SurvivesAnyOutput) {
  const std::vector<std::string> pieces = {"\n",
                                           "\n",
                                           "\n",
                                           "A",
                                           "N",
                                           "O",
                                           "E",
                                           "R",
                                           "D",
                                           "LM",
                                           "LR",
                                           "LD",
                                           "S",
                                           "U",
                                           "H",
                                           "C",
                                           "P",
                                           "4",
                                           "550",
                                           "550 ",
                                           "5-",
                                           "X: y",
                                           " ",
                                           "\t",
                                           "a@b",
                                           "=",
                                           "\r",
                                           "\xff",
                                           ":",
                                           "X",
                                           "-1",
                                           std::string(1, '\0'),
                                           std::string(1000, 'x')};
  std::mt19937 random(20'020'802);  // always the same outputs
  SppConfig config;
  for (auto& section : config.plugins) section = {"plugin"};
  for (int round = 0; round < 2000; ++round) {
    Printing programs;
    SppSession session(config, programs);
    for (int event = 0; event < 8; ++event) {
      programs.output.clear();
      for (int i = 0; i < 12; ++i) programs.output += pieces[random() % pieces.size()];
      std::string address = "a@b";
      const auto verdict = event % 4 == 0   ? session.helo("x")
                           : event % 4 == 1 ? session.mail(address)
                           : event % 4 == 2 ? session.rcpt(address, true)
                                            : session.data();
      const std::string& text = verdict.text;
      EXPECT_TRUE(text.empty() || text.ends_with("\r\n")) << text;
      EXPECT_FALSE(text.contains('\0'));
      EXPECT_FALSE(address.contains('\0') || address.contains('\r'));
      EXPECT_FALSE(verdict.log.contains('\n'));
      const std::string headers = session.headers();
      EXPECT_FALSE(headers.starts_with(' ') || headers.starts_with('\n')) << headers;
      EXPECT_FALSE(headers.contains("\n\n") || headers.contains('\r')) << headers;
    }
  }
}

TEST(SppSession, BoundsWhatIsKept) {
  SppConfig config;
  config.plugins[static_cast<std::size_t>(SppEvent::rcpt)] = {"plugin"};
  Printing programs;
  programs.output =
      "HX-Long: " + std::string(1000, 'x') + "\nLM550-" + std::string(1000, 'x') + "\n";
  SppSession session(config, programs);
  std::string address = "a@b";
  for (int i = 0; i < 1000; ++i) session.rcpt(address, true);
  EXPECT_LE(session.headers().size(), SppSession::most_kept_bytes + 1);
  EXPECT_GT(session.headers().size(), SppSession::most_kept_bytes - 2000);
  EXPECT_TRUE(session.rcpt(address, true).log.contains("too much"));
}

}  // namespace
}  // namespace postern::smtpd
