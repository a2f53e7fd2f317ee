// The text of a bounce in the qmail-send bounce message format (cr.yp.to/proto/qsbmf.txt), which
// list managers take apart: an opening line, one paragraph per recipient, a break line, and the
// message. Described in docs/wire/bounce.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mail {

/// One recipient's paragraph, "<ann@example.org>:\nreason\n\n". Made so that it can be told from
/// its neighbours: it holds no blank line, and ends in one.
std::string format_bounce_paragraph(std::string_view address, std::string_view report);

struct BounceHead {
  std::int64_t date = 0;  // seconds since 1970
  std::string_view from_user;
  std::string_view from_host;
  std::string_view to;     // whole address
  bool is_double = false;  // the message that could not be delivered is a bounce itself
};
/// Header and opening, up to the first paragraph.
std::string format_bounce_head(const BounceHead& head);

/// What stands between the last paragraph and the message: the break line and a Return-Path.
std::string format_bounce_break(std::string_view sender, bool is_double);

}  // namespace postern::mail
