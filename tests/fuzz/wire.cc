// Every format that two processes share: each is parsed, and what was understood is written and
// parsed again; streams give the same however they are cut.
#include <array>

#include "base/ascii.h"
#include "fuzz/support/input.h"
#include "wire/checkpassword.h"
#include "wire/clean_order.h"
#include "wire/delivery_order.h"
#include "wire/envelope.h"
#include "wire/maildir_name.h"
#include "wire/maildirsize.h"
#include "wire/mailusers.h"
#include "wire/queue_exit.h"
#include "wire/queue_names.h"
#include "wire/remote_report.h"
#include "wire/report_reader.h"
#include "wire/tcpto.h"
#include "wire/users_cdb.h"

namespace postern::fuzz {
namespace {

void envelope(std::string_view bytes) {
  using State = wire::EnvelopeParser::State;
  std::string whole;
  const State state = wire::EnvelopeParser().feed(bytes, whole);
  wire::EnvelopeParser parser;
  std::string pieced;
  State end = State::unfinished;
  in_pieces(bytes, [&](std::string_view piece) { end = parser.feed(piece, pieced); });
  require(end == state, "an envelope is the same in pieces");
  require(whole.size() <= bytes.size(), "an envelope does not grow");
  if (state != State::complete) return;
  require(pieced == whole, "an envelope has the same records in pieces");
  const auto todo = wire::parse_todo(wire::format_todo_head(1, 2) + whole);
  require(todo && wire::format_envelope(todo->envelope) == whole + '\0', "todo holds the envelope");
  for (const auto& recipient : todo->envelope.recipients) {
    require(recipient.size() <= wire::most_address_bytes, "no address is longer than the limit");
  }
}

void todo(std::string_view bytes) {
  const auto parsed = wire::parse_todo(bytes);
  if (!parsed) return;
  const auto again = wire::parse_todo(wire::format_todo(*parsed));
  require(again && *again == *parsed, "todo comes back");
}

void info(std::string_view bytes) {
  const auto sender = wire::parse_info(bytes);
  if (!sender) return;
  require(bytes.starts_with(wire::format_info(*sender)), "info is spelt one way");
}

void recipients(std::string_view bytes) {
  std::uint64_t offset = 0;
  std::string_view rest = bytes;
  for (;;) {
    const auto record = wire::take_recipient(rest, offset);
    if (!record || !*record) break;
    const auto& [done, address, at] = **record;
    require(at < bytes.size() && bytes[at] == (done ? wire::letter_done : wire::letter_to_do),
            "a recipient's letter is where its record says");
    require(bytes.substr(at + 1, address.size()) == address, "and its address behind it");
    require(offset == bytes.size() - rest.size(), "the offset keeps step");
  }
}

void order(std::string_view bytes) {
  for (const std::size_t number_bytes : {1U, 2U}) {
    std::string_view rest = bytes;
    std::string again;
    while (const auto taken = wire::take_order(rest, number_bytes)) {
      again += wire::format_order(*taken, number_bytes);
    }
    require(again + std::string(rest) == bytes, "orders are spelt one way");
  }
}

void reports(std::string_view bytes) {
  for (const std::size_t number_bytes : {1U, 2U}) {
    const auto whole = wire::ReportReader(number_bytes).feed(bytes);
    wire::ReportReader reader(number_bytes);
    std::vector<wire::DeliveryReport> pieced;
    in_pieces(bytes, [&](std::string_view piece) {
      const auto more = reader.feed(piece);
      pieced.insert(pieced.end(), more.begin(), more.end());
    });
    require(whole == pieced, "reports are the same in pieces");
    for (const auto& report : whole) {
      require(report.text.size() <= wire::most_report_bytes, "a report is cut at its limit");
      require(!report.text.contains('\0'), "a report holds no NUL");
      require(report.number <= wire::most_deliveries(number_bytes), "a number fits");
    }
  }
}

void clean_order(std::string_view text) {
  const auto order = wire::parse_clean_order(text);
  if (!order) return;
  require(wire::format_clean_order(*order) == std::string(text) + '\0', "orders are spelt one way");
}

void message_name(std::string_view name) {
  const auto id = wire::parse_message_id(name);
  if (!id) return;
  require(std::to_string(*id) == name, "a message has one name");
  require(wire::mess_path(*id).starts_with(wire::split_directory("mess", *id)), "and one place");
}

void remote_report(std::string_view output) {
  const std::string report = wire::combine_remote_report(output);
  require(std::string_view("KZD").contains(report.front()), "a report has a verdict");
  require(!report.contains('\0'), "a report holds no NUL");
  if (report.front() == 'K') {
    const std::string nul(1, '\0');
    require(output.starts_with('K') || (nul + std::string(output)).contains(nul + "K"),
            "only a message that was accepted is a success");
  }
  const std::string record = wire::format_remote_record('D', output);
  require(record.find('\0') == record.size() - 1, "a record has one NUL");
}

void check_request(std::string_view bytes) {
  const auto request = wire::parse_check_request(bytes);
  if (!request) return;
  require(
      bytes.starts_with(wire::format_login(request->user, request->password, request->timestamp)),
      "credentials are spelt one way");
  if (const auto cram = request->cram()) require(wire::is_digest(cram->digest), "a digest is one");
}

void mail_user_line(std::string_view line) {
  const auto account = wire::parse_mail_user_line(line);
  if (!account) {
    require(is_printable(replace_all(account.error().what, '\xff', ' ')) || !is_printable(line),
            "an error is one line");
    return;
  }
  if (!*account) return;
  const wire::MailUserLine& user = **account;
  const std::string again = user.address + ":" + wire::format_secret(user.secret) + ":" +
                            user.system_user + ":" + user.home;
  require(again == trim_end(line), "an account is spelt one way");
}

void mail_user_record(std::string_view bytes) {
  const auto record = wire::parse_mail_user_record(bytes);
  if (!record) return;
  const auto again = wire::parse_mail_user_record(wire::format_mail_user_record(*record));
  require(again && *again == *record, "a record comes back");
}

void local_user(std::string_view bytes) {
  const auto user = wire::parse_local_user(bytes);
  if (!user) return;
  require(wire::parse_local_user(wire::format_local_user(*user)) == user, "a user comes back");
  const auto nobody = static_cast<uid_t>(-1);
  require(user->uid != nobody && user->gid != nobody, "no user is \"no change\"");
}

void tcpto(std::string_view bytes) {
  for (const auto* format : {&wire::tcpto_v4, &wire::tcpto_v6}) {
    const auto records = wire::parse_tcpto(*format, bytes);
    require(records.size() <= wire::tcpto_records, "there are at most so many records");
    const std::string address(bytes.substr(0, format->address_bytes));
    if (address.size() != format->address_bytes) return;
    std::string file(bytes);
    const std::uint64_t now = 1'700'000'000;
    if (const auto update = wire::note_timeout(*format, file, address, now)) {
      require(update->record.size() == format->record_bytes &&
                  update->offset + format->record_bytes <= file.size(),
              "an update keeps inside the file");
      file.replace(update->offset, update->record.size(), update->record);
      const auto forgotten = wire::note_success(*format, file, address);
      require(forgotten.has_value(), "what timed out can be forgotten");
    }
    (void)wire::is_in_penalty(*format, file, address, now, 4711);
  }
}

void maildir_name(std::string_view host) {
  const std::string name = wire::format_maildir_name({.time = 1, .pid = 2, .count = 3}, host);
  require(!name.contains('/') && wire::unique_maildir_part(name) == name,
          "a name is one file's, without flags");
}

void maildirsize(std::string_view bytes) {
  const auto size = wire::parse_maildirsize(bytes);
  if (!size) return;
  const std::string written =
      wire::format_maildir_quota(size->quota) + "\n" + wire::format_maildirsize_line(size->usage);
  const auto again = wire::parse_maildirsize(written);
  require(again && again->sound && again->lines == 1, "what is written is understood");
  require(again->quota == size->quota && again->usage == size->usage, "and means the same");
}

constexpr std::array tries = {envelope,      todo,          info,           recipients,
                              order,         reports,       clean_order,    message_name,
                              remote_report, check_request, mail_user_line, mail_user_record,
                              local_user,    tcpto,         maildir_name,   maildirsize};

}  // namespace

void try_input(Input input) { tries[input.choose(tries.size())](input.rest()); }

}  // namespace postern::fuzz
