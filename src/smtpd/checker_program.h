// The password checker as a program: any that keeps to the checkpassword interface.
#pragma once

#include "smtpd/services.h"

namespace postern::smtpd {

class CheckerProgram : public PasswordChecker {
 public:
  explicit CheckerProgram(const AuthSetup& setup) : setup_(setup) {}
  /// Any exit code but 0 is a refusal; the checker's reasons are not the client's business.
  Verdict check(const std::string& bytes) override;
  bool accepts_anybody() override;
  /// $RELAYCLIENT empty; $TCPREMOTEINFO, $SMTPAUTHUSER and $SMTP_AUTH_USER (patches disagree on the
  /// name) the user; $SMTPAUTHMETHOD the mechanism.
  void announce(std::string_view user, Mechanism mechanism) override;

 private:
  Verdict ask(const std::string& bytes, std::vector<std::string> environment);
  AuthSetup setup_;
};

}  // namespace postern::smtpd
