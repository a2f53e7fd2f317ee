// QMTP's server side: packages in, a reply for each recipient out. Reads and writes nothing itself.
// Described in docs/wire/qmtp.md.
#pragma once

#include <vector>

#include "control/recipient_hosts.h"
#include "qmtp/intake.h"
#include "qmtp/package_parser.h"
#include "qmtp/session.h"

namespace postern::qmtp {

/// Whom the client may send to, and how much.
struct QmtpPolicy {
  control::RecipientHosts recipient_hosts;
  std::optional<std::string> relay_client;  // allows all, and is added to each recipient
  std::uint64_t most_bytes = 0;             // 0: no limit
  /// Of one message; as many more are refused for now, and beyond that the connection ends.
  std::size_t most_recipients = 100'000;
};

class QmtpSession : public Session, private Receiver {
 public:
  QmtpSession(QmtpPolicy policy, const Services& services, const wire::Peer& peer);
  Answer feed(std::string_view& bytes) override;

 private:
  enum class Verdict : char { accepted, not_allowed, unusable, one_too_many };

  void message(std::string_view bytes) override;
  void end_message() override;
  void sender(std::optional<std::string_view> address) override;
  void recipient(std::optional<std::string_view> address) override;
  Verdict judge(std::optional<std::string_view> address);
  void write_without_crs(std::string_view bytes);
  std::string finish_message();
  std::string replies();
  void begin();

  QmtpPolicy policy_;
  Intake intake_;
  PackageParser parser_;
  std::optional<Answer> broken_;  // the connection has to end

  std::optional<char> line_end_;  // the message's first byte: its lines end in LF, or in CR LF
  bool cr_is_held_ = false;
  bool bad_sender_ = false;
  std::vector<Verdict> verdicts_;
  std::uint64_t refused_beyond_ = 0;  // recipients after most_recipients
  bool any_accepted_ = false;
};

}  // namespace postern::qmtp
