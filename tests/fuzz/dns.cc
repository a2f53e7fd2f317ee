// DNS answers with lying lengths, and the names and addresses in them.
#include "inet/dns.h"
#include "base/ascii.h"
#include "fuzz/support/input.h"
#include "inet/address.h"

namespace postern::fuzz {
namespace {

constexpr std::size_t most_answers = 65535;

void mx(std::string_view message) {
  const auto found = inet::parse_mx_answer(message);
  if (!found) return;
  require(!found->empty() && found->size() <= most_answers, "an answer has records");
  for (const auto& exchanger : *found) {
    require(exchanger.host.empty() || inet::is_host_name(exchanger.host), "a host has a name");
    require(lower(exchanger.host) == exchanger.host, "in lower case");
  }
}

void addresses(std::string_view message) {
  const auto found = inet::parse_address_answer(message);
  if (!found) return;
  require(!found->empty() && found->size() <= most_answers, "an answer has records");
  for (const auto& address : *found) {
    const std::string text = inet::format_address(address);
    require(inet::parse_address(text) == address, "an address comes back");
    const std::string literal = address.is_v4() ? "[" + text + "]" : "[IPv6:" + text + "]";
    require(inet::parse_address_literal(literal) == address, "and from brackets");
  }
}

void name(std::string_view text) {
  if (inet::is_host_name(text)) require(is_printable(text) && text.size() <= 254, "a name is one");
  for (const auto& address : {inet::parse_address(text), inet::parse_address_literal(text)}) {
    if (!address) continue;
    require(inet::parse_address(inet::format_address(*address)) == address,
            "an address comes back");
    (void)inet::is_ourselves(*address, {});
  }
}

constexpr std::array tries = {mx, addresses, name};

}  // namespace

void try_input(Input input) { tries[input.choose(tries.size())](input.rest()); }

}  // namespace postern::fuzz
