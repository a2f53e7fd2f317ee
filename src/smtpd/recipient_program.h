// $RCPTCHECK as a program: started without arguments, with $SENDER and $RECIPIENT, it answers by
// its exit code: 100 no such mailbox, 111 cannot say now, 120 or a crash broken, others welcome.
#pragma once

#include "smtpd/services.h"

namespace postern::smtpd {

class RecipientProgram : public RecipientCheck {
 public:
  explicit RecipientProgram(std::string path) : path_(std::move(path)) {}
  Verdict check(const std::string& sender, const std::string& recipient) override;

 private:
  std::string path_;
};

}  // namespace postern::smtpd
