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
  Written written;
  while (!being_written_.empty() && files.size() < most_files) {
    const auto message = being_written_.extract(being_written_.begin());
    auto file = append(message.key(), message.mapped().text);
    for (const Noted& recipient : message.mapped().recipients) {
      if (file) {
        written.emplace_back(recipient, files.size());
      } else {
        noted_.push_back(recipient);
      }
    }
    if (file) files.push_back(std::move(*file));
  }
  if (!written.empty()) sync(std::move(files), std::move(written));
}

// All paragraphs of one message in one write. What cannot be written whole is taken back, and its
// recipients stay undone: they will be tried, and will fail, again.
Result<Fd> BounceNotes::append(wire::MessageId id, std::string_view text) {
  auto file = open_queue_file(wire::bounce_path(id), O_WRONLY | O_APPEND | O_CREAT);
  if (file) {
    const off_t end = ::lseek(file->get(), 0, SEEK_END);
    if (write_all(file->get(), text)) return file;
    if (end >= 0 && ::ftruncate(file->get(), end) != 0) {
      log_.warning({"trouble writing to ", wire::bounce_path(id)});
    }
  }
  log_.alert({"unable to append to bounce message; HELP! sleeping..."});
  return failure("unable to append to bounce message");
}

// The name of a bounce file must be as durable as its text, or a crash forgets both. Whether this
// is its first paragraph, or the sync after that one failed, need not be known: the directory is
// synced beside the files, at no cost in time.
void BounceNotes::sync(std::vector<Fd> files, Written written) {
  auto directory = open_file("bounce", O_RDONLY | O_DIRECTORY);
  if (!directory) return synced(written, {});
  files.push_back(std::move(*directory));
  syncing_ = true;
  syncer_.sync(std::move(files), [this, written = std::move(written)](
                                     const Syncer::Results& durable) { synced(written, durable); });
}

void BounceNotes::synced(const Written& written, const Syncer::Results& durable) {
  syncing_ = false;
  bool all_durable = true;
  for (auto [recipient, file] : written) {
    recipient.durable = !durable.empty() && durable[file] && durable.back();
    all_durable = all_durable && recipient.durable;
    noted_.push_back(recipient);
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
