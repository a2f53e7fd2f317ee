// qmail-smtpd: receives mail by SMTP on descriptors 0 and 1 and hands it to qmail-queue. Runs as
// qmaild under tcpserver, under qmail-smtp-server, which gives it its clients one by one, or under
// inetd through tcp-env. Its protocol: docs/wire/smtpd.md. Exits 0 after QUIT, 1 after a timeout, a
// lost client, a bare line feed, or trouble of its own.
#include <array>

#include "posix/program.h"
#include "smtpd/connection.h"
#include "smtpd/session_process.h"

namespace {

// Not optimised away: qmail-smtp-server looks for it in the program's file.
[[gnu::used, gnu::retain]] const auto stays = std::to_array(postern::wire::session_stays_mark);

}  // namespace

int main(int argc, char** argv) {
  using namespace postern;
  return program(smtpd::smtpd_program, [&] {
    const std::vector<std::string> words(argv, argv + argc);
    const std::vector<std::string> arguments(words.begin() + 1, words.end());
    auto server = wire::KeptWorker::from_environment(words.front(), wire::session_program);
    auto queue = smtpd::SessionQueue::from_environment();
    if (server.is_kept()) return smtpd::serve_clients(arguments, std::move(server), queue);
    return smtpd::serve_smtp(arguments, queue.for_this_client()).exit_code;
  });
}
