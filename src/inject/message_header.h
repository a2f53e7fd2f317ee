// The header of a message on its way out: read as its writer made it, and made whole
// (qmail-header(5)): addresses completed, missing fields added, others taken away, recipients and
// sender found.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "inject/fields.h"
#include "inject/settings.h"

namespace postern::inject {

/// What makes this message's Date and Message-ID.
struct Stamp {
  std::int64_t now = 0;  // seconds since 1970
  std::int64_t pid = 0;
};

struct Prepared {
  std::string header;  // with the blank line that ends it
  std::string sender;  // of the envelope
  std::vector<std::string> recipients;
};

/// Takes the fields of the header one by one; each is a whole field with its line ends. Errors have
/// the text "unable to parse this line:" and the field.
class MessageHeader {
 public:
  explicit MessageHeader(const Settings& settings) : settings_(settings) {}

  Status add_field(std::string_view field);
  /// When all fields have been added.
  Result<Prepared> finish(const Stamp& stamp);

 private:
  Status add_addresses(const FieldSpec& spec, std::string_view field);
  [[nodiscard]] bool goes_out(const FieldSpec& spec) const;
  [[nodiscard]] bool has(Field field) const { return seen_.contains(field); }
  [[nodiscard]] std::string added_fields(const Stamp& stamp) const;
  [[nodiscard]] std::string followup_field() const;
  [[nodiscard]] Result<std::string> envelope_sender(const Stamp& stamp) const;
  [[nodiscard]] Result<std::vector<std::string>> recipients() const;

  struct Line {
    const FieldSpec* spec;
    std::string text;
  };
  const Settings& settings_;
  std::vector<Line> lines_;
  std::set<Field> seen_;
  bool resent_ = false;
  std::vector<std::string> to_and_cc_;
  std::vector<std::string> header_recipients_;
  std::vector<std::string> resent_recipients_;
  std::string return_path_;
};

/// "20020802151626.4711": the date and process id that Message-IDs and message VERPs hold.
std::string format_stamp(const Stamp& stamp);

}  // namespace postern::inject
