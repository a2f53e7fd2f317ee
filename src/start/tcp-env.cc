// tcp-env [-rR] [-t seconds] program [argument...]: sets the TCP environment variables from the
// socket on descriptor 0, as tcpserver does, and runs a program: for servers started by inetd.
// -r asks the remote host for TCPREMOTEINFO (RFC 1413), for at most -t seconds (30); -R, the
// default, does not: a firewall that drops the question would hold up every connection.
// Exits 100 if used wrongly, 111 if the program cannot be run.
#include <sys/socket.h>
#include <unistd.h>

#include "base/integers.h"
#include "posix/environment.h"
#include "posix/program.h"
#include "posix/spawn.h"
#include "start/remote_identity.h"
#include "wire/tcp_environment.h"

namespace {

using namespace postern;

struct Options {
  bool asks_ident = false;
  std::chrono::seconds timeout{30};
  std::vector<std::string> program;
};

[[noreturn]] void usage() {
  die(exit_code::permanent, "usage: tcp-env [-rR] [-t seconds] program [argument...]");
}

Options parse_options(int argc, char* argv[]) {
  Options options;
  ::opterr = 0;
  int letter = 0;
  while ((letter = ::getopt(argc, argv, "+rRt:")) != -1) {
    if (letter == 't') {
      const auto seconds = parse_decimal<unsigned>(::optarg);
      if (!seconds) usage();
      options.timeout = std::chrono::seconds(*seconds);
    } else if (letter == 'r' || letter == 'R') {
      options.asks_ident = letter == 'r';
    } else {
      usage();
    }
  }
  for (int i = ::optind; i < argc; ++i) options.program.emplace_back(argv[i]);
  if (options.program.empty()) usage();
  return options;
}

using AddressCall = int (*)(int, sockaddr*, socklen_t*);
std::optional<sockaddr_storage> address_of_input(AddressCall call) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (call(0, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  return address;
}

void set_tcp_environment(const Options& options) {
  wire::TcpConnection connection;
  const auto local = address_of_input(::getsockname);
  const auto remote = address_of_input(::getpeername);
  if (local) {
    connection.local = wire::describe_end(*local);
    if (connection.local) connection.local_host = start::find_host_name(*local);
  }
  if (remote) {
    connection.remote = wire::describe_end(*remote);
    if (connection.remote) connection.remote_host = start::find_host_name(*remote);
  }
  if (options.asks_ident && connection.local && connection.remote) {
    connection.remote_info = start::ask_ident(*local, *remote, options.timeout);
  }
  wire::apply(wire::tcp_settings(connection));
}

}  // namespace

int main(int argc, char* argv[]) {
  return program({.name = "tcp-env"}, [&] {
    const Options options = parse_options(argc, argv);
    // Under tcpserver, or another tcp-env, everything is known already.
    if (environment_variable("PROTO") != "TCP") set_tcp_environment(options);
    die(exit_code::temporary, execute({.argv = options.program, .search_path = true}));
    return exit_code::temporary;
  });
}
