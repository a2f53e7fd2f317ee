// play_dialogue session FILE, or play_dialogue PROGRAM STAND-IN FILE: plays a dialogue against the
// session object, or against the program. Exits 0 when all was said as the file has it.
#include <cstdio>
#include <filesystem>

#include "base/integers.h"
#include "posix/files.h"
#include "support/dialogue/server.h"

namespace postern::test {
namespace {

/// Why a step was not as the script has it; empty: it was.
using Complaint = std::string;

Complaint compare(std::string_view what, const std::optional<std::string>& found,
                  std::string_view wanted) {
  if (found && matches(*found, wanted)) return {};
  return std::string(what) + " is " + (found ? "\"" + visible(*found) + "\"" : "missing") +
         ", not \"" + visible(wanted) + "\"";
}

Complaint check_queue(const Seen& seen, const Step& step) {
  const std::string& what = step.arguments[0];
  if (what == "empty") return seen.message ? "a message has been queued" : "";
  if (what == "message") return compare("the message", seen.message, step.arguments.at(1));
  if (what == "envelope") return compare("the envelope", seen.envelope, step.arguments.at(1));
  return "unknown: queue " + what;
}

// "told NAME VALUE"; without a value, the variable is not there.
Complaint check_told(const Seen& seen, const Step& step) {
  if (!seen.environment) return "no plugin has been run";
  const std::string entries = '\0' + *seen.environment;
  const std::string begin = '\0' + step.arguments.at(0) + "=";
  const std::size_t at = entries.find(begin);
  std::optional<std::string> value;
  if (at != std::string::npos) value = entries.c_str() + at + begin.size();
  if (step.arguments.size() > 1) return compare(step.arguments[0], value, step.arguments[1]);
  return value ? step.arguments[0] + " is " + visible(*value) : "";
}

Complaint check_end(Server& server, const Step& step) {
  const auto code = server.end();
  if (!code) return "the server has not ended, or has said something more, or has crashed";
  if (std::to_string(*code) == step.arguments.at(0)) return {};
  return "exit code " + std::to_string(*code);
}

Complaint check_pause(Server& server, const Step& step) {
  const auto wanted = parse_decimal<unsigned>(step.arguments.at(0)).value_or(0);
  if (server.pause() >= std::chrono::seconds(wanted)) return {};
  return "the reply came after " + std::to_string(server.pause().count()) + " ms";
}

// `raw "BYTES"`, `raw 1000 "BYTES"`
void send_raw(Server& server, const Step& step) {
  const auto times = parse_decimal<unsigned>(step.arguments.at(0));
  std::string bytes;
  for (unsigned i = 0; i < (times && step.arguments.size() > 1 ? *times : 1); ++i) {
    bytes += step.arguments.back();
  }
  server.send(bytes);
}

Complaint play(Server& server, const Step& step) {
  if (step.word == "S") return compare("the reply", server.read_line(), step.rest);
  if (step.word == "end") return check_end(server, step);
  if (step.word == "queue") return check_queue(server.seen(), step);
  if (step.word == "checked") {
    if (step.rest == "nothing") return server.seen().checked ? "a checker was asked" : "";
    return compare("descriptor 3", server.seen().checked, step.arguments.at(0));
  }
  if (step.word == "asked") {
    return compare("the question", server.seen().recipient_check, step.arguments.at(0));
  }
  if (step.word == "told") return check_told(server.seen(), step);
  if (step.word == "log") return compare("the log", server.seen().log, "*" + step.rest + "*");
  if (step.word == "pause") return check_pause(server, step);
  if (step.word == "C") {
    server.send(step.rest + "\r\n");
  } else if (step.word == "raw") {
    send_raw(server, step);
  } else if (step.word == "hangup") {
    server.hang_up();
  } else if (step.word == "silence") {
    server.be_silent();
  } else {
    return "unknown step";
  }
  return {};
}

int play_file(const std::string& file, const std::string& program, const std::string& stand_in) {
  const auto text = read_file(file, 1 << 20);
  const auto script = text ? parse_script(*text) : std::unexpected(text.error());
  if (!script) {
    std::fprintf(stderr, "%s: %s\n", file.c_str(), describe(script.error()).c_str());
    return 2;
  }
  const TemporaryDirectory home;
  const auto stage = Stage::set(*script);
  if (!stage) {
    std::fprintf(stderr, "%s: %s\n", file.c_str(), describe(stage.error()).c_str());
    return 2;
  }
  const auto server =
      program.empty() ? start_session(*stage) : start_program(*stage, program, stand_in);
  for (const auto& step : *script) {
    if (is_setting(step)) continue;
    const Complaint complaint = play(*server, step);
    if (complaint.empty()) continue;
    std::fprintf(stderr, "%s:%d: %s %s\n  %s\n  log: %s\n", file.c_str(), step.line,
                 step.word.c_str(), step.rest.c_str(), complaint.c_str(),
                 visible(server->seen().log).c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace postern::test

int main(int argc, char** argv) {
  const auto path = [](const char* name) { return std::filesystem::absolute(name).string(); };
  if (argc == 3) return postern::test::play_file(path(argv[2]), "", "");
  if (argc == 4) return postern::test::play_file(path(argv[3]), path(argv[1]), path(argv[2]));
  std::fputs("usage: play_dialogue session FILE | PROGRAM STAND-IN FILE\n", stderr);
  return 2;
}
