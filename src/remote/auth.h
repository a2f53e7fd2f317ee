// The client's side of SMTP AUTH (RFC 4954): which mechanism, and what to answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "remote/route.h"

namespace postern::remote {

enum class Mechanism { cram_md5, plain, login };

/// "CRAM-MD5", as the AUTH command names it.
std::string_view name_of(Mechanism mechanism);

/// What a server says it can do in its answer to EHLO.
struct Extensions {
  bool pipelining = false;                  // RFC 2920
  bool size = false;                        // RFC 1870
  std::optional<std::uint64_t> most_bytes;  // of a message; nothing: no limit told
  bool cram_md5 = false;
  bool plain = false;
  bool login = false;
};
/// `text` is the whole reply: lines "250-SIZE 1000", the first of them the greeting.
Extensions parse_extensions(std::string_view text);

/// PLAIN (RFC 4616), in base64: user, user, password, as the widespread clients send it.
std::string plain_response(const Credentials& credentials);
/// CRAM-MD5 (RFC 2195), in base64. `challenge` is the decoded challenge.
std::string cram_response(const Credentials& credentials, std::string_view challenge);

}  // namespace postern::remote
