// Which channel a recipient goes by, and under which address. Source: qmail-send(8) of qmail 1.03,
// control files envnoathost, percenthack, locals and virtualdomains.
#pragma once

#include <string>
#include <string_view>

#include "control/host_map.h"
#include "send/channel.h"

namespace postern::send {

struct RoutingRules {
  std::string envnoathost;          // added to an address without a host
  control::HostSet percenthack;     // hosts for which user%host@here means user@host
  control::HostSet locals;          // hosts delivered here
  control::HostMap virtualdomains;  // addresses, hosts, .domains given to a local user
};

struct Route {
  Channel channel = Channel::remote;
  std::string address;

  bool operator==(const Route&) const = default;
};

Route route(std::string_view recipient, const RoutingRules& rules);

/// The address as its sender wrote it: "joe-info@d.org" is "info@d.org" where joe has d.org.
/// A view into `address`.
std::string_view without_virtual_prefix(std::string_view address, const RoutingRules& rules);

}  // namespace postern::send
