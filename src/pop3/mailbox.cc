#include "pop3/mailbox.h"

#include <algorithm>
#include <tuple>

#include "base/ascii.h"
#include "base/base64.h"
#include "wire/maildir_name.h"

namespace postern::pop3 {

std::string_view unique_part(std::string_view name) {
  const std::string_view part = wire::unique_maildir_part(name);
  return part.empty() ? name : part;
}

void Mailbox::add(Folder folder, std::string_view name, std::uint64_t bytes,
                  std::int64_t modified) {
  messages_.push_back({bytes, modified, names_.size(), folder});
  names_.append(name).append(1, '\0');
}

std::string_view Mailbox::name_of(const Message& message) const {
  return names_.data() + message.name;
}

std::string_view Mailbox::name(std::size_t index) const { return name_of(messages_[index]); }

void Mailbox::sort() {
  const auto unique = [this](const Message& m) { return unique_part(name_of(m)); };
  std::ranges::sort(messages_, [&](const Message& a, const Message& b) {
    if (a.modified != b.modified) return a.modified < b.modified;
    return std::tuple(unique(a), b.folder) < std::tuple(unique(b), a.folder);
  });
  const auto twice = std::ranges::unique(messages_, [&](const Message& a, const Message& b) {
    return a.folder != b.folder && unique(a) == unique(b);
  });
  messages_.erase(twice.begin(), twice.end());
}

std::string Mailbox::unique_id(std::size_t index) const {
  std::string id;
  for (const char c : unique_part(name(index))) {
    if (is_visible(c)) {
      id += c;
    } else {
      id.append("%").append(format_hex({&c, 1}));
    }
  }
  return id;
}

}  // namespace postern::pop3
