// Reads what a spawn reports, piece by piece and in bounded memory: text beyond most_report_bytes
// is dropped, since a spawn is trusted no further than its pipe. Format: docs/wire/spawn.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/delivery_order.h"

namespace postern::wire {

class ReportReader {
 public:
  explicit ReportReader(std::size_t number_bytes) : number_bytes_(number_bytes) {}
  /// The reports that `bytes` completes.
  std::vector<DeliveryReport> feed(std::string_view bytes);

 private:
  std::size_t number_bytes_;
  std::string report_;  // number and text so far
};

}  // namespace postern::wire
