#include "smtpd/policy.h"

#include "base/ascii.h"
#include "control/read.h"
#include "mail/address.h"

namespace postern::smtpd {

bool AddressList::lists(std::string_view address) const {
  if (lines_.empty()) return false;
  if (lines_.contains(address)) return true;
  const mail::AddressParts parts = mail::split_address(address);
  if (!parts.has_host) return false;
  return lines_.contains(std::string("@").append(parts.host)) ||
         lines_.contains(std::string(parts.local).append("@"));
}

Result<RecipientHosts> RecipientHosts::read() {
  auto lines = control::read_list_file(control::FileName("rcpthosts").spec());
  if (!lines) return std::unexpected(lines.error());
  if (!*lines) {
    const auto me = control::read_line_file(control::FileName("me").spec());
    if (!me) return std::unexpected(me.error());
    if (!*me || (*me)->empty()) return RecipientHosts();
    return RecipientHosts({**me});
  }
  RecipientHosts hosts(**lines);
  const auto more = control::is_present(control::FileName("morercpthosts").spec());
  if (!more) return std::unexpected(more.error());
  if (*more) {
    auto cdb = control::Cdb::open("control/morercpthosts.cdb");
    if (!cdb) return std::unexpected(cdb.error());
    hosts.more_ = std::make_unique<control::Cdb>(std::move(*cdb));
  }
  return hosts;
}

Result<bool> RecipientHosts::accept(std::string_view address) {
  const mail::AddressParts parts = mail::split_address(address);
  if (!parts.has_host) return true;
  const std::string host = lower(parts.host);
  for (const auto key : control::host_keys(host, false)) {
    if (hosts_.contains(key)) return true;
  }
  if (!more_) return false;
  for (const auto key : control::host_keys(host, false)) {
    const auto found = more_->find(key);
    if (!found) return std::unexpected(found.error());
    if (*found) return true;
  }
  return false;
}

}  // namespace postern::smtpd
