#include "wire/report_reader.h"

#include <algorithm>

namespace postern::wire {

std::vector<DeliveryReport> ReportReader::feed(std::string_view bytes) {
  std::vector<DeliveryReport> reports;
  while (!bytes.empty()) {
    if (report_.size() < number_bytes_) {
      // A number may hold NULs; only what follows it is ended by one.
      report_ += bytes.front();
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find('\0');
    const std::string_view part = bytes.substr(0, end);
    const std::size_t room = number_bytes_ + most_report_bytes - report_.size();
    report_ += part.substr(0, room);
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    reports.push_back(
        {parse_delivery_number(report_, number_bytes_), report_.substr(number_bytes_)});
    report_.clear();
  }
  return reports;
}

}  // namespace postern::wire
