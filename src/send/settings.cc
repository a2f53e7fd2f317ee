#include "send/settings.h"

#include <algorithm>

#include "control/read.h"

namespace postern::send {
namespace {

// More seconds than anybody's patience; sums with times of day stay far from overflow.
constexpr std::uint64_t most_seconds = std::uint64_t{1} << 40;

// Puts a value where it belongs, or remembers the first error.
template <class T, class Value>
void assign(T& target, Result<Value> value, Status& status) {
  if (value) {
    target = T(std::move(*value));
  } else if (status) {
    status = std::unexpected(value.error());
  }
}

}  // namespace

Result<Settings> read_settings(const std::string& home) {
  Settings settings;
  settings.home = home;
  Status status;
  assign(settings.bounces.from_user, control::read<"bouncefrom">(), status);
  assign(settings.bounces.from_host, control::read<"bouncehost">(), status);
  std::string double_host;
  assign(settings.bounces.double_to, control::read<"doublebounceto">(), status);
  assign(double_host, control::read<"doublebouncehost">(), status);
  settings.bounces.double_to.append("@").append(double_host);
  assign(settings.concurrency_local, control::read<"concurrencylocal">(), status);
  assign(settings.concurrency_remote, control::read<"concurrencyremote">(), status);
  std::uint64_t lifetime = 0;
  assign(lifetime, control::read<"queuelifetime">(), status);
  settings.lifetime = static_cast<std::int64_t>(std::min(lifetime, most_seconds));
  assign(settings.rules.envnoathost, control::read<"envnoathost">(), status);
  assign(settings.rules.percenthack, control::read<"percenthack">(), status);
  assign(settings.rules.locals, control::read<"locals">(), status);
  assign(settings.rules.virtualdomains, control::read<"virtualdomains">(), status);
  if (!status) return std::unexpected(status.error());
  return settings;
}

Status reread_rules(RoutingRules& rules) {
  auto locals = control::read<"locals">();
  if (!locals) return failure("control/locals", locals.error().code);
  auto virtualdomains = control::read<"virtualdomains">();
  if (!virtualdomains) return failure("control/virtualdomains", virtualdomains.error().code);
  rules.locals = control::HostSet(*locals);
  rules.virtualdomains = std::move(*virtualdomains);
  return {};
}

}  // namespace postern::send
