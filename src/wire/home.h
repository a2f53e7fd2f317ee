// Where the suite lives, fixed at configure time, and how another home may be chosen for tests.
#pragma once

#include <string>

namespace postern::wire {

inline constexpr const char* default_home = POSTERN_HOME;  // conf-qmail, "/var/qmail"

/// The qmail home. $QMAILHOME moves it, except in a program that has been given another identity
/// by a setuid bit, where the environment belongs to somebody less trusted than the program.
std::string home();

}  // namespace postern::wire
