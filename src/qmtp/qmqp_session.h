// QMQP's server side: one package in, one reply out. Whoever may connect may send to anybody. Reads
// and writes nothing itself. Described in docs/wire/qmqp.md.
#pragma once

#include "qmtp/intake.h"
#include "qmtp/package_parser.h"
#include "qmtp/session.h"

namespace postern::qmtp {

class QmqpSession : public Session, private Receiver {
 public:
  QmqpSession(const Services& services, const wire::Peer& peer)
      : intake_(services, peer, "QMQP"), parser_(PackageParser::Layout::qmqp, *this) {}
  Answer feed(std::string_view& bytes) override;

 private:
  void message(std::string_view bytes) override;
  void end_message() override { open(); }
  void sender(std::optional<std::string_view> address) override;
  void recipient(std::optional<std::string_view> address) override;
  bool open();

  Intake intake_;
  PackageParser parser_;
  std::optional<Answer> broken_;  // the connection has to end
  bool is_open_ = false;
  bool bad_address_ = false;
};

}  // namespace postern::qmtp
