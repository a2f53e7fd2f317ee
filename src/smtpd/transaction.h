// One mail transaction (RFC 5321 3.3): its envelope, then its message on the way into the queue.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "smtpd/data_decoder.h"
#include "smtpd/recipient_list.h"
#include "smtpd/services.h"

namespace postern::smtpd {

/// Longest address, as in qmail; the queue takes somewhat more, for what RELAYCLIENT adds.
inline constexpr std::size_t most_address_bytes = 900;

/// NUL ends an address in the queue, and a bare CR could end a line for the next server.
inline bool is_fit_for_envelope(std::string_view address) {
  return address.size() <= most_address_bytes && !address.contains('\0') && !address.contains('\r');
}

struct Transaction {
  std::string sender;
  bool bad_sender = false;               // in badmailfrom: every recipient is refused
  std::optional<std::string> submitter;  // MAIL's AUTH=
  RecipientList recipients;
};

struct IncomingMessage {
  Transaction transaction;
  std::unique_ptr<OutgoingMessage> message;  // nothing: it will be refused
  DataDecoder decoder;
  HopCounter hops;
  std::uint64_t bytes = 0;   // decoded
  std::uint64_t unread = 0;  // of them, since it was refused
};

}  // namespace postern::smtpd
