#include "control/recipient_hosts.h"

#include "base/ascii.h"
#include "base/integers.h"
#include "control/read.h"
#include "mail/address.h"
#include "posix/environment.h"

namespace postern::control {

Result<RecipientHosts> RecipientHosts::read() {
  auto lines = read_list_file(FileName("rcpthosts").spec());
  if (!lines) return std::unexpected(lines.error());
  if (!*lines) {
    const auto me = read_line_file(FileName("me").spec());
    if (!me) return std::unexpected(me.error());
    if (!*me || (*me)->empty()) return RecipientHosts();
    return RecipientHosts({**me});
  }
  RecipientHosts hosts(**lines);
  const auto more = is_present(FileName("morercpthosts").spec());
  if (!more) return std::unexpected(more.error());
  if (*more) {
    auto cdb = Cdb::open("control/morercpthosts.cdb");
    if (!cdb) return std::unexpected(cdb.error());
    hosts.more_ = std::make_unique<Cdb>(std::move(*cdb));
  }
  return hosts;
}

Result<bool> RecipientHosts::accept(std::string_view address) {
  const mail::AddressParts parts = mail::split_address(address);
  if (!parts.has_host) return true;
  const std::string host = lower(parts.host);
  for (const auto key : host_keys(host, false)) {
    if (hosts_.contains(key)) return true;
  }
  if (!more_) return false;
  for (const auto key : host_keys(host, false)) {
    const auto found = more_->find(key);
    if (!found) return std::unexpected(found.error());
    if (*found) return true;
  }
  return false;
}

Result<std::uint64_t> read_most_message_bytes() {
  const auto value = environment_variable("DATABYTES");
  if (!value || value->empty()) return control::read<"databytes">();
  const auto bytes = parse_decimal(*value);
  if (!bytes) return failure("$DATABYTES holds \"" + *value + "\": give it a number of bytes");
  return *bytes;
}

}  // namespace postern::control
