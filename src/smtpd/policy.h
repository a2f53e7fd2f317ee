// Whom mail is taken from and for: badmailfrom, badrcptto, rcpthosts with morercpthosts.cdb.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/cdb.h"
#include "control/host_map.h"

namespace postern::smtpd {

/// badmailfrom and badrcptto: lines "user@host", "@host" and "user@", compared without case.
class AddressList {
 public:
  AddressList() = default;
  explicit AddressList(const std::vector<std::string>& lines) : lines_(lines) {}
  [[nodiscard]] bool lists(std::string_view address) const;

 private:
  control::HostSet lines_;
};

/// The domains whose mail is taken from anybody. "example.org" covers that name alone,
/// ".example.org" everything below it.
class RecipientHosts {
 public:
  RecipientHosts() = default;
  explicit RecipientHosts(const std::vector<std::string>& lines) : hosts_(lines) {}

  /// control/rcpthosts and control/morercpthosts.cdb. Without rcpthosts there is control/me alone:
  /// qmail took mail for anybody then, which made an open relay of a forgotten file.
  static Result<RecipientHosts> read();

  /// Whether mail for `address` is taken; one without a host is local. Error: a damaged cdb file.
  [[nodiscard]] Result<bool> accept(std::string_view address);

 private:
  control::HostSet hosts_;
  std::unique_ptr<control::Cdb> more_;  // nothing: there is no such file
};

}  // namespace postern::smtpd
