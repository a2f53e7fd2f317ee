#include "remote/body.h"

namespace postern::remote {

void BodyEncoder::encode(std::string_view bytes, std::string& out) {
  out.reserve(out.size() + bytes.size() + bytes.size() / 32);
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    put_in_line(bytes.substr(0, end), out);
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    out += "\r\n";
    line_start_ = true;
    held_cr_ = false;
  }
}

void BodyEncoder::put_in_line(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (held_cr_) out += ' ';  // it was not the CR of a line's end
    if (held_cr_) line_start_ = false;
    held_cr_ = false;
    const std::size_t cr = bytes.find('\r');
    const std::string_view text = bytes.substr(0, cr);
    if (line_start_ && text.starts_with('.')) out += '.';
    if (!text.empty()) line_start_ = false;
    out += text;
    if (cr == std::string_view::npos) return;
    held_cr_ = true;
    bytes.remove_prefix(cr + 1);
  }
}

}  // namespace postern::remote
