#include "send/bouncer.h"

#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "mail/address.h"
#include "mail/bounce.h"
#include "posix/files.h"
#include "posix/io.h"
#include "send/queue_file.h"
#include "wire/queue_client.h"

namespace postern::send {
namespace {

// Files synced in one batch: each is open meanwhile.
constexpr std::size_t most_files = 64;

struct Letter {
  std::string home;
  int log_fd = 2;
  mail::BounceHead head;  // views into the strings below
  std::string from_user;
  std::string from_host;
  std::string envelope_sender;
  std::string recipient;
  std::string original_sender;
  Fd bounce;
  Fd message;
  BounceInjector::Injected result;
};

// False: the file could not be read to its end.
bool copy(int fd, wire::QueueClient& client) {
  std::string piece(65536, '\0');
  for (;;) {
    const auto count = read_some(fd, piece);
    if (!count) return false;
    if (*count == 0) return true;
    client.write(std::string_view(piece).substr(0, *count));
  }
}

// Runs on a worker's thread and touches only the letter.
void send(Letter& letter) {
  auto client = wire::QueueClient::open(letter.home, letter.log_fd);
  if (!client) return;
  letter.result.started = true;
  letter.result.qp = client->qp();
  client->write(mail::format_bounce_head(letter.head));
  if (!copy(letter.bounce.get(), *client)) client->fail();
  client->write(mail::format_bounce_break(letter.original_sender, letter.head.is_double));
  if (!copy(letter.message.get(), *client)) client->fail();
  client->sender(letter.envelope_sender);
  client->recipient(letter.recipient);
  letter.result.accepted = client->finish().accepted();
}

}  // namespace

void BounceNotes::add(Channel channel, const std::vector<Deliveries::Failure>& failures) {
  for (const auto& failure : failures) {
    OfMessage& message = waiting_[failure.id];
    message.text += mail::format_bounce_paragraph(without_virtual_prefix(failure.address, rules_),
                                                  failure.report);
    message.recipients.push_back({channel, failure.id, failure.offset, false});
  }
}

void BounceNotes::work() {
  if (syncing_) return;
  if (being_written_.empty()) being_written_.swap(waiting_);
  std::vector<Fd> files;
  std::vector<Written> written;
  while (!being_written_.empty() && files.size() < most_files) {
    auto message = being_written_.extract(being_written_.begin());
    std::vector<Noted>& recipients = message.mapped().recipients;
    auto appended = append(message.key(), message.mapped().text);
    if (appended) {
      files.push_back(std::move(appended->file));
      written.push_back({message.key(), appended->former_end, std::move(recipients)});
    } else {
      noted_.insert(noted_.end(), recipients.begin(), recipients.end());
    }
  }
  if (!written.empty()) sync(std::move(files), std::move(written));
}

// All paragraphs of one message in one write. What cannot be written whole is taken back, and its
// recipients stay undone: they will be tried, and will fail, again.
Result<BounceNotes::Appended> BounceNotes::append(wire::MessageId id, std::string_view text) {
  auto file = open_queue_file(wire::bounce_path(id), O_WRONLY | O_APPEND | O_CREAT);
  if (file) {
    const off_t end = ::lseek(file->get(), 0, SEEK_END);
    if (end >= 0) {
      if (write_all(file->get(), text)) return Appended{std::move(*file), end};
      take_back(id, end);
    }
  }
  log_.alert({"unable to append to bounce message; HELP! sleeping..."});
  return failure("unable to append to bounce message");
}

// Nobody else writes to the file meanwhile. One that was empty before goes: a recipient that is
// delivered at the next attempt must leave no bounce that tells of nobody.
void BounceNotes::take_back(wire::MessageId id, off_t former_end) {
  const std::string path = wire::bounce_path(id);
  const bool taken =
      former_end == 0 ? remove_file(path).has_value() : ::truncate(path.c_str(), former_end) == 0;
  if (!taken) log_.warning({"trouble writing to ", path});
}

// The name of a bounce file must be as durable as its text, or a crash forgets both. Whether this
// is its first paragraph, or the sync after that one failed, need not be known: the directory is
// synced beside the files, at no cost in time.
void BounceNotes::sync(std::vector<Fd> files, std::vector<Written> written) {
  auto directory = open_file("bounce", O_RDONLY | O_DIRECTORY);
  if (!directory) return synced(written, Syncer::Results(written.size() + 1, false));
  files.push_back(std::move(*directory));
  syncing_ = true;
  syncer_.sync(std::move(files),
               [this, written = std::move(written)](const Syncer::Results& durable) mutable {
                 synced(written, durable);
               });
}

// What is not durable is taken back like what is not whole, or the bounce would tell of its
// recipients once for each attempt.
void BounceNotes::synced(std::vector<Written>& written, const Syncer::Results& durable) {
  syncing_ = false;
  bool all_durable = true;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const bool is_durable = durable[i] && durable.back();
    if (!is_durable) take_back(written[i].id, written[i].former_end);
    all_durable = all_durable && is_durable;
    for (Noted& recipient : written[i].recipients) {
      recipient.durable = is_durable;
      noted_.push_back(recipient);
    }
  }
  if (!all_durable) log_.alert({"unable to append to bounce message; HELP! sleeping..."});
}

void BounceInjector::inject(wire::MessageId id, const std::string& sender, Fd bounce, Fd message,
                            std::int64_t now) {
  auto letter = std::make_shared<Letter>();
  const bool is_double = sender.empty();
  letter->home = home_;
  letter->log_fd = log_fd_;
  letter->from_user = names_.from_user;
  letter->from_host = names_.from_host;
  letter->recipient = is_double ? names_.double_to : mail::bounce_address(sender);
  letter->envelope_sender = is_double ? double_bounce_sender : "";
  letter->original_sender = mail::bounce_address(sender);
  letter->head = {now, letter->from_user, letter->from_host, letter->recipient, is_double};
  letter->bounce = std::move(bounce);
  letter->message = std::move(message);
  letter->result.id = id;
  workers_.run([letter] { send(*letter); },
               [this, letter] { injected_.push_back(letter->result); });
}

}  // namespace postern::send
