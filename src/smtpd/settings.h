// All that a session is told by control files, the environment and the arguments, read once before
// the greeting.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/recipient_hosts.h"
#include "smtpd/auth_setup.h"
#include "smtpd/policy.h"
#include "smtpd/spp_config.h"
#include "wire/peer.h"

namespace postern::smtpd {

struct Settings {
  std::string greeting;                // control/smtpgreeting
  std::chrono::seconds timeout{1200};  // for each piece of input or output
  std::uint64_t most_bytes = 0;        // of a message, decoded; 0: no limit
  /// Of a message that will be refused, read and thrown away while its end is waited for. A client
  /// that is closed upon before the end tries again and again, so this is generous.
  std::uint64_t most_unread_bytes = std::uint64_t{4} << 30;
  std::optional<std::string> local_ip_host;  // stands for our address in brackets
  AddressList bad_senders;
  AddressList bad_recipients;
  control::RecipientHosts recipient_hosts;
  std::optional<std::string> relay_client;  // what is added to recipients of a relaying client
  std::string recipient_check;              // $RCPTCHECK, a program; empty: none
  SppConfig spp;                            // plugins; empty: none
  AuthSetup auth;
  std::chrono::milliseconds failure_pause{5000};  // before a login is refused
  wire::Peer peer;
};

/// The qmail home must be the current directory. Error: a control file, or $DATABYTES, that cannot
/// be read or makes no sense.
Result<Settings> read_settings(const std::vector<std::string>& arguments);

}  // namespace postern::smtpd
