#include "inet/dns.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>

#include "base/ascii.h"
#include "posix/buffer.h"

namespace postern::inet {
namespace {

constexpr std::size_t most_answer_bytes = 65535;  // what DNS over TCP can carry
constexpr std::size_t most_name_bytes = 253;
constexpr std::size_t most_label_bytes = 63;

bool is_label_char(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; }

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Calls `take(record, message)` for each answer record. False: the message is not whole.
bool for_each_answer(std::string_view message, auto take) {
  ns_msg parsed{};
  const int size = static_cast<int>(std::min(message.size(), most_answer_bytes));
  if (::ns_initparse(unsigned_bytes(message), size, &parsed) != 0) return false;
  for (int i = 0; i < ns_msg_count(parsed, ns_s_an); ++i) {
    ns_rr record{};
    if (::ns_parserr(&parsed, ns_s_an, i, &record) != 0) return false;
    if (ns_rr_class(record) == ns_c_in && !take(record, parsed)) return false;
  }
  return true;
}

struct Exchangers {
  std::vector<MailExchanger> usable;
  bool any = false;
};

// False: the record lies about its length.
bool take_exchanger(const ns_rr& record, const ns_msg& message, Exchangers& exchangers) {
  if (ns_rr_type(record) != ns_t_mx) return true;
  if (ns_rr_rdlen(record) < NS_INT16SZ + 1) return false;
  const unsigned char* data = ns_rr_rdata(record);
  char name[NS_MAXDNAME];
  const int used = ::ns_name_uncompress(ns_msg_base(message), ns_msg_end(message),
                                        data + NS_INT16SZ, name, sizeof name);
  if (used != ns_rr_rdlen(record) - NS_INT16SZ) return false;
  const std::string_view host = std::string_view(name) == "." ? "" : std::string_view(name);
  exchangers.any = true;
  if (host.empty() || is_host_name(host)) {
    exchangers.usable.push_back({static_cast<std::uint16_t>(ns_get16(data)), lower(host)});
  }
  return true;
}

bool take_address(const ns_rr& record, std::vector<IpAddress>& addresses) {
  const bool v4 = ns_rr_type(record) == ns_t_a;
  if (!v4 && ns_rr_type(record) != ns_t_aaaa) return true;
  const std::size_t size = v4 ? NS_INADDRSZ : NS_IN6ADDRSZ;
  if (ns_rr_rdlen(record) != size) return false;
  addresses.push_back(
      IpAddress::from_bytes({reinterpret_cast<const char*>(ns_rr_rdata(record)), size}));
  return true;
}

template <class T>
DnsResult<T> found(bool whole, std::vector<T> records) {
  if (!whole) return std::unexpected(DnsFailure::temporary);
  if (records.empty()) return std::unexpected(DnsFailure::no_data);
  return records;
}

class SystemNameService final : public NameService {
 public:
  SystemNameService() : ready_(::res_ninit(&state_) == 0) {
    // A name server is asked several times: over one socket, and with room for a long answer.
    state_.options |= RES_USE_EDNS0 | RES_STAYOPEN;
  }
  SystemNameService(const SystemNameService&) = delete;
  SystemNameService& operator=(const SystemNameService&) = delete;
  ~SystemNameService() override {
    if (ready_) ::res_nclose(&state_);
  }

  DnsResult<MailExchanger> mail_exchangers(const std::string& host) override {
    const auto message = ask(host, ns_t_mx);
    if (!message) return std::unexpected(message.error());
    return parse_mx_answer(*message);
  }

  DnsResult<IpAddress> addresses(const std::string& host) override {
    auto v4 = addresses_of_type(host, ns_t_a);
    if (!v4 && v4.error() == DnsFailure::no_such_name) return v4;
    auto v6 = addresses_of_type(host, ns_t_aaaa);
    if (!v4 && (v6 || v6.error() == DnsFailure::temporary)) return v6;
    if (v4 && v6) v4->insert(v4->end(), v6->begin(), v6->end());
    return v4;
  }

 private:
  DnsResult<IpAddress> addresses_of_type(const std::string& host, ns_type type) {
    const auto message = ask(host, type);
    if (!message) return std::unexpected(message.error());
    return parse_address_answer(*message);
  }

  std::expected<std::string_view, DnsFailure> ask(const std::string& host, ns_type type) {
    if (!is_host_name(host)) return std::unexpected(DnsFailure::no_such_name);
    if (!ready_) return std::unexpected(DnsFailure::temporary);
    make_room(answer_, most_answer_bytes);
    const int size = ::res_nquery(&state_, host.c_str(), ns_c_in, type,
                                  reinterpret_cast<unsigned char*>(answer_.data()),
                                  static_cast<int>(answer_.size()));
    if (size >= 0) {
      return std::string_view(answer_).substr(0, static_cast<std::size_t>(size));
    }
    switch (state_.res_h_errno) {
      case HOST_NOT_FOUND:
        return std::unexpected(DnsFailure::no_such_name);
      case NO_DATA:
        return std::unexpected(DnsFailure::no_data);
      default:
        return std::unexpected(DnsFailure::temporary);
    }
  }

  struct __res_state state_{};
  bool ready_;
  std::string answer_;
};

}  // namespace

DnsResult<MailExchanger> parse_mx_answer(std::string_view message) {
  Exchangers exchangers;
  const bool whole = for_each_answer(message, [&](const ns_rr& record, const ns_msg& parsed) {
    return take_exchanger(record, parsed, exchangers);
  });
  if (whole && exchangers.any && exchangers.usable.empty()) {
    return std::unexpected(DnsFailure::unusable);
  }
  return found(whole, std::move(exchangers.usable));
}

DnsResult<IpAddress> parse_address_answer(std::string_view message) {
  std::vector<IpAddress> addresses;
  const bool whole = for_each_answer(
      message, [&](const ns_rr& record, const ns_msg&) { return take_address(record, addresses); });
  return found(whole, std::move(addresses));
}

bool is_host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > most_name_bytes) return false;
  std::size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if (!is_label_char(c) || ++label > most_label_bytes) {
      return false;
    }
  }
  return label != 0;
}

std::unique_ptr<NameService> system_name_service() { return std::make_unique<SystemNameService>(); }

}  // namespace postern::inet
