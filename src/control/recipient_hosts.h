// Whom a server takes mail for, and how much of it: rcpthosts with morercpthosts.cdb, databytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/cdb.h"
#include "control/host_map.h"

namespace postern::control {

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
  HostSet hosts_;
  std::unique_ptr<Cdb> more_;  // nothing: there is no such file
};

/// The largest message taken, in bytes; 0 means no limit. $DATABYTES, set in the tcprules of some
/// clients, goes before control/databytes. Error: either makes no sense.
Result<std::uint64_t> read_most_message_bytes();

}  // namespace postern::control
