#include "remote/controls.h"

#include <algorithm>

#include "control/read.h"

namespace postern::remote {
namespace {

constexpr std::uint64_t most_seconds = 1'000'000;  // eleven days: for ever

std::chrono::seconds seconds(std::uint64_t number) {
  return std::chrono::seconds(std::min(number, most_seconds));
}

}  // namespace

Result<Controls> read_controls() {
  auto helohost = control::read<"helohost">();
  if (!helohost) return std::unexpected(helohost.error());
  const auto connect = control::read<"timeoutconnect">();
  if (!connect) return std::unexpected(connect.error());
  const auto reply = control::read<"timeoutremote">();
  if (!reply) return std::unexpected(reply.error());
  auto smtproutes = control::read<"smtproutes">();
  if (!smtproutes) return std::unexpected(smtproutes.error());
  auto authsenders = control::read<"authsenders">();
  if (!authsenders) return std::unexpected(authsenders.error());
  return Controls{std::move(*helohost), seconds(*connect), seconds(*reply), std::move(*smtproutes),
                  std::move(*authsenders)};
}

}  // namespace postern::remote
