#include "remote/destination.h"

#include <algorithm>
#include <random>

namespace postern::remote {
namespace {

using inet::DnsFailure;
using inet::IpAddress;
using inet::MailExchanger;

// A domain that lists more is not owed that all of them are asked for.
constexpr std::size_t most_exchangers = 100;

constexpr const char* system_trouble = "ZSystem resources temporarily unavailable. (#4.3.0)\n";
constexpr const char* name_trouble = "ZSorry, I couldn't find any host by that name. (#4.1.2)\n";
constexpr const char* nothing_found =
    "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n";
constexpr const char* relay_not_found =
    "ZSorry, I couldn't find an address of the relay that control/smtproutes or "
    "control/authsenders names. (#4.4.4)\n";
constexpr const char* best_is_ourselves =
    "DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
    "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n";

std::string printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::optional<IpAddress> literal_address(const std::string& host, bool is_relay) {
  const auto literal = inet::parse_address_literal(host);
  return literal || !is_relay ? literal : inet::parse_address(host);
}

// RFC 5321 5.1: lower preferences first, equal ones in random order, to spread the load.
void put_in_order(std::vector<MailExchanger>& exchangers, std::uint32_t seed) {
  std::ranges::shuffle(exchangers, std::mt19937(seed));
  std::ranges::stable_sort(exchangers, {}, &MailExchanger::preference);
  exchangers.resize(std::min(exchangers.size(), most_exchangers));
}

}  // namespace

Destination Destination::exchangers_of(Directory& directory, const std::string& host) {
  Destination destination(directory);
  if (inet::parse_address_literal(host)) {
    destination.exchangers_.push_back({0, host});
  } else {
    destination.find_exchangers(host);
  }
  return destination;
}

Destination Destination::relay(Directory& directory, const Route& route) {
  Destination destination(directory);
  destination.is_relay_ = true;
  destination.port_ = route.port;
  destination.exchangers_.push_back({0, route.relay});
  return destination;
}

void Destination::find_exchangers(const std::string& host) {
  auto found = directory_.names.mail_exchangers(host);
  if (!found) {
    switch (found.error()) {
      case DnsFailure::temporary:
        trouble_ = true;
        return;
      case DnsFailure::no_such_name:
        failure_ = "DSorry, I couldn't find any host named " + printable(host) + ". (#5.1.2)\n";
        return;
      case DnsFailure::no_data:
        exchangers_.push_back({0, host});
        return;  // its own exchanger
      case DnsFailure::unusable:
        return;  // RFC 5321 5.1: with MX records it is not
    }
  }
  exchangers_ = std::move(*found);
  std::erase_if(exchangers_, [](const MailExchanger& exchanger) { return exchanger.host.empty(); });
  if (exchangers_.empty()) {
    failure_ = "DSorry, " + printable(host) + " takes no mail: it has a null MX. (#5.1.10)\n";
  }
  put_in_order(exchangers_, directory_.random_seed);
}

std::vector<Target> Destination::next() {
  while (failure_.empty() && !exchangers_.empty()) {
    std::vector<IpAddress> addresses;
    for (const std::string& host : take_best_hosts()) {
      const auto more = addresses_of(host);
      addresses.insert(addresses.end(), more.begin(), more.end());
    }
    if (!is_relay_ && is_ourselves(addresses)) {
      // Whoever is no better than ourselves would send the message back to us.
      exchangers_.clear();
      ourselves_ = true;
    } else if (!addresses.empty()) {
      std::vector<Target> targets;
      targets.reserve(addresses.size());
      for (const IpAddress& address : addresses) targets.push_back({address, port_});
      return targets;
    }
  }
  return {};
}

std::string Destination::failure() const {
  if (!failure_.empty()) return failure_;
  if (trouble_) return name_trouble;
  if (ourselves_) return best_is_ourselves;
  return is_relay_ ? relay_not_found : nothing_found;
}

std::vector<std::string> Destination::take_best_hosts() {
  std::vector<std::string> hosts;
  const std::uint16_t best = exchangers_.front().preference;
  while (!exchangers_.empty() && exchangers_.front().preference == best) {
    hosts.push_back(std::move(exchangers_.front().host));
    exchangers_.erase(exchangers_.begin());
  }
  return hosts;
}

std::vector<IpAddress> Destination::addresses_of(const std::string& host) {
  if (const auto literal = literal_address(host, is_relay_)) return {*literal};
  auto addresses = directory_.names.addresses(host);
  if (addresses) return std::move(*addresses);
  trouble_ = trouble_ || addresses.error() == DnsFailure::temporary;
  return {};
}

bool Destination::is_ourselves(const std::vector<IpAddress>& addresses) {
  if (addresses.empty()) return false;
  const auto own = directory_.own_addresses();
  if (!own) failure_ = system_trouble;
  return !own || std::ranges::any_of(addresses, [&](const IpAddress& address) {
    return inet::is_ourselves(address, *own);
  });
}

}  // namespace postern::remote
