#include "wire/tcp_environment.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "posix/environment.h"

namespace postern::wire {
namespace {

void add_end(std::vector<Setting>& settings, const std::string& side,
             const std::optional<TcpEnd>& end, const std::optional<std::string>& host) {
  const auto add = [&](const std::string& what, const std::optional<std::string>& value) {
    settings.push_back({"TCP" + side + what, value});
    const bool is_v6 = end && end->is_v6;
    settings.push_back({"TCP6" + side + what, is_v6 ? value : std::nullopt});
  };
  add("IP", end ? std::optional(end->ip) : std::nullopt);
  add("PORT", end ? std::optional(end->port) : std::nullopt);
  add("HOST", host);
}

}  // namespace

std::optional<TcpEnd> describe_end(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN];
  TcpEnd end;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    const auto& bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    end.is_v6 = !IN6_IS_ADDR_V4MAPPED(&bytes);
    if (end.is_v6) {
      ::inet_ntop(AF_INET6, &bytes, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET, &bytes.s6_addr[12], text, sizeof text);
    }
  } else {
    return std::nullopt;
  }
  end.ip = text;
  end.port = std::to_string(ntohs(address.ss_family == AF_INET6
                                      ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                      : reinterpret_cast<const sockaddr_in&>(address).sin_port));
  return end;
}

std::vector<Setting> tcp_settings(const TcpConnection& connection) {
  const bool is_v6 = connection.remote && connection.remote->is_v6;
  std::vector<Setting> settings = {{"PROTO", is_v6 ? "TCP6" : "TCP"}};
  add_end(settings, "LOCAL", connection.local, connection.local_host);
  add_end(settings, "REMOTE", connection.remote, connection.remote_host);
  settings.push_back({"TCPREMOTEINFO", connection.remote_info});
  settings.push_back({"TCP6REMOTEINFO", is_v6 ? connection.remote_info : std::nullopt});
  return settings;
}

void apply(const std::vector<Setting>& settings) {
  for (const auto& [name, value] : settings) {
    if (value) {
      set_environment_variable(name.c_str(), *value);
    } else {
      unset_environment_variable(name.c_str());
    }
  }
}

void apply(const Setting& setting, std::vector<std::string>& environment) {
  if (setting.value) {
    set_in(environment, setting.name, *setting.value);
  } else {
    unset_in(environment, setting.name);
  }
}

std::string format_setting(const Setting& setting) {
  return setting.value ? setting.name + "=" + *setting.value : setting.name;
}

Setting parse_setting(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {std::string(word), std::nullopt};
  return {std::string(word.substr(0, equals)), std::string(word.substr(equals + 1))};
}

}  // namespace postern::wire
