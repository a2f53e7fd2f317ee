#include "fsck/queue_files.h"

#include <algorithm>

namespace postern::fsck {

std::string place_of(Kind kind, MessageId number, MessageId split) {
  const KindFacts& facts = facts_of(kind);
  const std::string directory =
      facts.is_split ? wire::split_directory(facts.name, number, split) : std::string(facts.name);
  return directory + "/" + std::to_string(number);
}

std::string format_passage(const Passage& passage) {
  return std::string(facts_of(passage.kind).name) + "." + std::to_string(passage.from) + "." +
         std::to_string(passage.to);
}

std::optional<Passage> parse_passage(std::string_view name) {
  const std::size_t first = name.find('.');
  const std::size_t second = name.rfind('.');
  if (first == std::string_view::npos || first == second) return std::nullopt;
  const auto* facts = std::ranges::find(kinds, name.substr(0, first), &KindFacts::name);
  const auto from = wire::parse_message_id(name.substr(first + 1, second - first - 1));
  const auto to = wire::parse_message_id(name.substr(second + 1));
  if (facts == kinds.end() || !from || !to) return std::nullopt;
  return Passage{facts->kind, *from, *to};
}

}  // namespace postern::fsck
