#include "qmtp/null_client.h"

#include <csignal>

#include "base/netstring.h"
#include "base/sanitize.h"
#include "control/read.h"
#include "inet/connect.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "wire/envelope.h"
#include "wire/home.h"

namespace postern::qmtp {
namespace {

using wire::QueueExit;
constexpr std::chrono::seconds connect_timeout{10};
constexpr std::chrono::seconds answer_timeout{60};

std::expected<void, QueueExit> read_message(PackageFile& package, int fd, std::uint64_t most) {
  BufferedInput input(fd, std::chrono::milliseconds{-1}, 65536);
  for (;;) {
    const auto bytes = input.peek();
    if (!bytes) return std::unexpected(QueueExit::read_error);
    if (bytes->empty()) return {};
    if (!package.add_message(*bytes)) return std::unexpected(QueueExit::write_error);
    if (package.length() > most) return std::unexpected(QueueExit::refused);
    input.consume(bytes->size());
  }
}

// Moves whole records, "Fsender\0" or "Trecipient\0", into the package.
Status move_records(PackageFile& package, std::string& records) {
  std::string_view rest = records;
  for (std::size_t end = rest.find('\0'); end != std::string_view::npos; end = rest.find('\0')) {
    if (auto added = package.add_address(rest.substr(1, end - 1)); !added) return added;
    rest.remove_prefix(end + 1);
  }
  records.erase(0, records.size() - rest.size());
  return {};
}

std::expected<void, QueueExit> read_envelope(PackageFile& package, int fd, std::uint64_t most) {
  using State = wire::EnvelopeParser::State;
  BufferedInput input(fd);
  wire::EnvelopeParser parser;
  std::string records;
  for (;;) {
    const auto bytes = input.peek();
    if (!bytes || bytes->empty()) return std::unexpected(QueueExit::read_error);
    const State state = parser.feed(*bytes, records);
    input.consume(bytes->size());
    if (state == State::malformed) return std::unexpected(QueueExit::bad_envelope);
    if (state == State::too_long) return std::unexpected(QueueExit::address_too_long);
    if (!move_records(package, records)) return std::unexpected(QueueExit::write_error);
    if (package.length() > most) return std::unexpected(QueueExit::refused);
    if (state == State::complete) return {};
  }
}

// The first letter of the server's netstring. Error: no such answer, and errno ETIMEDOUT if none
// came.
Result<char> read_verdict(int fd) {
  BufferedInput input(fd, answer_timeout);
  NetstringLength length(most_netstring_bytes);
  for (auto state = NetstringLength::State::unfinished;
       state != NetstringLength::State::complete;) {
    const auto bytes = input.peek();
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return failure("the server closed the connection");
    state = length.take(bytes->front());
    input.consume(1);
    if (state > NetstringLength::State::complete) return failure("the answer is no netstring");
  }
  const auto bytes = input.peek();
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->empty() || length.value() == 0) return failure("the answer is empty");
  return bytes->front();
}

Result<char> converse(const PackageFile& package, int fd) {
  BufferedOutput output(fd, answer_timeout);
  auto sent = package.send([&](std::string_view bytes) { return output.put(bytes); });
  if (sent) sent = output.flush();
  if (!sent) return std::unexpected(sent.error());
  return read_verdict(fd);
}

void tell(const inet::IpAddress& server, const Error& error) {
  warn("QMQP server " + inet::format_address(server) + ": " + describe(error));
}

// Nothing: this server has decided nothing, and `trouble` says why.
std::optional<QueueExit> ask(const inet::IpAddress& server, std::uint16_t port,
                             const PackageFile& package, QueueExit& trouble) {
  const auto connection = inet::connect_to(server, port, Deadline::after(connect_timeout));
  if (!connection) {
    tell(server, connection.error());
    trouble = connection.error().code == ETIMEDOUT ? QueueExit::connection_timed_out
                                                   : QueueExit::connection_refused;
    return std::nullopt;
  }
  const auto verdict = converse(package, connection->get());
  if (verdict && *verdict == 'K') return QueueExit::ok;
  if (verdict && *verdict == 'D') return QueueExit::refused;
  if (verdict && *verdict == 'Z') return QueueExit::server_refused_for_now;
  tell(server, verdict ? Error{"the answer makes no sense"} : verdict.error());
  trouble = QueueExit::communication_failed;
  return std::nullopt;
}

}  // namespace

std::expected<PackageFile, QueueExit> read_package(int message, int envelope,
                                                   std::uint64_t most_bytes) {
  auto package = PackageFile::create();
  if (!package) return std::unexpected(QueueExit::write_error);
  auto read = read_message(*package, message, most_bytes);
  if (read) read = read_envelope(*package, envelope, most_bytes);
  if (!read) return std::unexpected(read.error());
  if (!package->flush()) return std::unexpected(QueueExit::write_error);
  return std::move(*package);
}

std::vector<inet::IpAddress> parse_servers(const std::vector<std::string>& lines) {
  std::vector<inet::IpAddress> servers;
  for (const auto& line : lines) {
    if (auto address = inet::parse_address(line)) {
      servers.push_back(std::move(*address));
    } else {
      warn("control/qmqpservers holds \"" + sanitize_for_log(line) +
           "\", which is no address: write one such as 192.0.2.1");
    }
  }
  return servers;
}

QueueExit hand_over(const PackageFile& package, const std::vector<inet::IpAddress>& servers,
                    std::uint16_t port) {
  QueueExit trouble = QueueExit::bad_configuration;
  for (const auto& server : servers) {
    if (const auto decided = ask(server, port, package, trouble)) return *decided;
  }
  return trouble;
}

int run_null_client(int message, int envelope) {
  ignore_signal(SIGPIPE);
  if (!change_directory(wire::home())) return static_cast<int>(QueueExit::home_trouble);
  const auto lines = control::read<"qmqpservers">();
  if (!lines) {
    warn(describe(lines.error()));
    return static_cast<int>(QueueExit::bad_configuration);
  }
  const auto servers = parse_servers(*lines);
  if (servers.empty()) return static_cast<int>(QueueExit::bad_configuration);
  const auto package = read_package(message, envelope);
  return static_cast<int>(package ? hand_over(*package, servers) : package.error());
}

}  // namespace postern::qmtp
