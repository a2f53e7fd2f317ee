// A name service that answers from a table.
#pragma once

#include <map>

#include "inet/dns.h"

namespace postern::remote {

class FakeNames : public inet::NameService {
 public:
  std::map<std::string, inet::DnsResult<inet::MailExchanger>> exchangers;
  std::map<std::string, inet::DnsResult<inet::IpAddress>> hosts;
  std::vector<std::string> asked;  // "MX example.org", "A mx.example.org"

  void add_host(const std::string& name, const std::vector<std::string>& addresses) {
    std::vector<inet::IpAddress> parsed;
    parsed.reserve(addresses.size());
    for (const auto& text : addresses) parsed.push_back(inet::parse_address(text).value());
    hosts.insert_or_assign(name, parsed);
  }
  void add_exchangers(const std::string& name, std::vector<inet::MailExchanger> records) {
    exchangers.insert_or_assign(name, std::move(records));
  }

  inet::DnsResult<inet::MailExchanger> mail_exchangers(const std::string& host) override {
    asked.push_back("MX " + host);
    return find(exchangers, host);
  }
  inet::DnsResult<inet::IpAddress> addresses(const std::string& host) override {
    asked.push_back("A " + host);
    return find(hosts, host);
  }

 private:
  template <class T>
  static inet::DnsResult<T> find(const std::map<std::string, inet::DnsResult<T>>& table,
                                 const std::string& host) {
    const auto found = table.find(host);
    if (found != table.end()) return found->second;
    return std::unexpected(inet::DnsFailure::no_such_name);
  }
};

}  // namespace postern::remote
