#include "mail/smtp_received.h"

#include "base/ascii.h"
#include "base/dates.h"
#include "base/sanitize.h"

namespace postern::mail {

std::string format_smtp_received(const SmtpTrace& trace) {
  std::string field = "Received: from " + sanitize_for_received(trace.remote_host);
  if (trace.helo && !equal_ignoring_case(*trace.helo, trace.remote_host)) {
    field += " (HELO " + sanitize_for_received(*trace.helo) + ")";
  }
  field += " (";
  if (trace.info) field += sanitize_for_received(*trace.info) + "@";
  field += sanitize_for_received(trace.remote_ip) + ")\n  by ";
  field += sanitize_for_received(trace.local) + " with " + trace.protocol + "; ";
  return field + format_date(trace.seconds) + "\n";
}

}  // namespace postern::mail
