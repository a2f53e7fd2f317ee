// The small programs that people put into .qmail files, `|forward joe@example.net` and the like,
// and three for the prompt: predate, datemail, mailsubj. qmail-local runs the former with the
// message on descriptor 0, where it can be read again from its begin, and with SENDER, NEWSENDER,
// DTLINE, RPLINE and UFLINE in the environment. Exits: 0 go on, 99 done with the message,
// 100 bounce it, 111 try again later.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "inject/outcome.h"

namespace postern::inject {

using Words = std::span<const char* const>;  // argv without the program's name

/// Exit code for "delivered; the rest of the .qmail file does not count".
inline constexpr int exit_done = 99;

/// forward address ...: sends the message on, with the envelope sender NEWSENDER.
Outcome run_forward(Words words);
/// condredirect address program [argument ...]: if the program, given the message, exits 0, sends
/// the message to the address instead of delivering it here; if it exits 111, the message waits.
Outcome run_condredirect(Words words);
/// bouncesaying text [program [argument ...]]: if the program exits 0, or there is none, bounces
/// the message with the text; if it exits 111, the message waits.
Outcome run_bouncesaying(Words words);
/// except program [argument ...]: bounces if the program exits 0, goes on if it does not, waits if
/// it exits 111.
Outcome run_except(Words words);
/// preline [ -fdr ] program [argument ...]: gives the program UFLINE, RPLINE and DTLINE before the
/// message (without the first, third or second with a letter), and exits as the program does.
Outcome run_preline(Words words);
/// qreceipt address: if the message's Notice-Requested-Upon-Delivery-To names the address, tells
/// the envelope sender that it has come.
Outcome run_qreceipt(Words words);

/// predate program [argument ...]: gives the program the message with a Date field, in local time,
/// before it, and exits as the program does.
Outcome run_predate(Words words);
/// datemail: predate in front of sendmail with these arguments.
Outcome run_datemail(Words words);
/// mailsubj subject recipient ...: sends descriptor 0 as a message with this subject.
Outcome run_mailsubj(Words words);

/// "Date: 2 Aug 2002 17:16:26 +0200\n", in the time zone of the process.
std::string local_date_field(std::int64_t now);

/// Runs one of them under its name: messages to descriptor 2, the outcome as the exit code.
int run_tool(const char* name, int argc, const char* const* argv, Outcome (*tool)(Words));

}  // namespace postern::inject
