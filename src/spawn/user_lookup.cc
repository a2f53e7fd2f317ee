#include "spawn/user_lookup.h"

#include <fcntl.h>
#include <unistd.h>

#include "posix/io.h"
#include "posix/packets.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "spawn/assigned_users.h"
#include "spawn/kept_workers.h"
#include "spawn/local_report.h"
#include "wire/kept_worker.h"

namespace postern::spawning {
namespace {

// Once nothing but descriptors 0 to 2 is open, and 0 and 1 are nobody else's, the process can
// neither take orders nor forge reports. It may have a socket to us besides.
bool keep_only(int output, int socket) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, 0) != 0 || ::dup2(output, 1) != 1) return false;
  if (socket < 0) return ::close_range(3, ~0U, 0) == 0;
  constexpr int kept = wire::kept_worker_fd;
  static_assert(kept == 3, "all that is above it is closed");
  // A socket that is that descriptor already is not to be closed with the program's start.
  if (socket == kept ? ::fcntl(kept, F_SETFD, 0) != 0 : ::dup2(socket, kept) != kept) return false;
  return ::close_range(kept + 1, ~0U, 0) == 0;
}

// The child's whole life. The parent has one thread, so memory may be allocated here.
int look_up(const std::string& home, const Identity& identity, const std::string& local,
            bool may_stay) {
  if (!become(identity)) return exit_with(LocalExit::system_trouble);
  const auto user = find_assigned_user(home + "/users/cdb", local);
  if (!user) return exit_with(user.error());
  if (*user) {
    const auto written = write_all(1, wire::format_local_user(**user));
    return written ? exit_code::ok : exit_with(LocalExit::system_trouble);
  }
  SpawnSpec spec{.argv = {std::string(wire::getpw_program), local}, .directory = home};
  if (may_stay) tell_of_socket(spec);
  (void)execute(spec);
  return exit_with(LocalExit::exec_getpw_failed);
}

}  // namespace

Result<Worker> start_user_lookup(const std::string& home, const Identity& identity,
                                 const std::string& local, bool may_stay) {
  auto pipe = make_pipe();
  if (!pipe) return std::unexpected(pipe.error());
  PacketPair sockets;
  // Without one, it answers once.
  if (may_stay) sockets = make_packet_pair().value_or(PacketPair{});
  const int socket = sockets.theirs ? sockets.theirs.get() : -1;
  const pid_t pid = ::fork();
  if (pid < 0) return system_failure("unable to fork");
  if (pid == 0) {
    if (!keep_only(pipe->write.get(), socket)) ::_exit(exit_with(LocalExit::system_trouble));
    ::_exit(look_up(home, identity, local, socket >= 0));
  }
  return Worker{
      .child = Child(pid), .output = std::move(pipe->read), .stays = std::move(sockets.ours)};
}

}  // namespace postern::spawning
