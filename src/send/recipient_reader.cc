#include "send/recipient_reader.h"

namespace postern::send {

void RecipientReader::feed(std::string_view bytes) {
  buffer_.erase(0, used_);
  used_ = 0;
  buffer_ += bytes;
}

Result<std::optional<RecipientReader::Recipient>> RecipientReader::next() {
  for (;;) {
    std::string_view rest = std::string_view(buffer_).substr(used_);
    if (!ended_ && !rest.contains('\0')) {
      if (rest.size() > most_record_bytes) return failure("record without end");
      return std::nullopt;
    }
    const auto record = wire::take_recipient(rest, offset_);
    if (!record) return std::unexpected(record.error());
    used_ = buffer_.size() - rest.size();
    if (!*record) return std::nullopt;
    if (!(*record)->done) return Recipient{std::string((*record)->address), (*record)->offset};
  }
}

}  // namespace postern::send
