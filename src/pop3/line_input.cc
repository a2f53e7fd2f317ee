#include "pop3/line_input.h"

namespace postern::pop3 {

// Whether there are bytes, now or after waiting.
bool LineInput::wait() {
  if (!input_.buffered().empty()) return true;
  if (!output_.flush()) return false;
  const auto bytes = input_.peek();
  return bytes && !bytes->empty() && !latest_end_.passed();
}

LineInput::Got LineInput::next(std::string& line) {
  line.clear();
  bool too_long = false;
  for (;;) {
    if (!wait()) return Got::nothing;
    const std::string_view bytes = input_.buffered();
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    too_long = too_long || part.size() > most_line_bytes - line.size();
    if (!too_long) line += part;
    input_.consume(end == std::string_view::npos ? part.size() : end + 1);
    if (end != std::string_view::npos) return too_long ? Got::too_long : Got::line;
  }
}

}  // namespace postern::pop3
