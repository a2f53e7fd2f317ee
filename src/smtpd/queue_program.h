// The queue as a program: qmail-queue, or what $QMAILQUEUE names.
#pragma once

#include "smtpd/services.h"

namespace postern::smtpd {

class QueueProgram : public MessageQueue {
 public:
  Result<std::unique_ptr<OutgoingMessage>> open() override;
};

}  // namespace postern::smtpd
