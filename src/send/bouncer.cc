#include "send/bouncer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

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

void BounceNotes::add(Channel channel, std::vector<Deliveries::Failure> failures) {
  for (const auto& failure : failures) {
    waiting_.push_back({{channel, failure.id, failure.offset, false},
                        mail::format_bounce_paragraph(
                            without_virtual_prefix(failure.address, rules_), failure.report)});
  }
}

void BounceNotes::work() {
  if (syncing_ || waiting_.empty()) return;
  std::vector<Waiting> batch = std::exchange(waiting_, {});
  std::ranges::stable_sort(batch, {}, [](const Waiting& one) { return one.recipient.id; });
  std::vector<Fd> fds;
  std::vector<std::pair<Noted, std::size_t>> written;  // with the index of its file
  for (auto first = batch.begin(); first != batch.end();) {
    const auto last = std::find_if(first, batch.end(), [&](const auto& one) {
      return one.recipient.id != first->recipient.id;
    });
    if (fds.size() >= most_files) {
      waiting_.insert(waiting_.end(), first, batch.end());
      break;
    }
    auto fd = append(first, last);
    for (; first != last; ++first) {
      if (fd)
        written.emplace_back(first->recipient, fds.size());
      else
        noted_.push_back(first->recipient);
    }
    if (fd) fds.push_back(std::move(*fd));
  }
  if (written.empty()) return;
  // The name of a bounce file must be as durable as its text, or a crash forgets both. Whether this
  // is its first paragraph, or the sync after that one failed, need not be known.
  if (auto directory = open_file("bounce", O_RDONLY | O_DIRECTORY)) {
    fds.push_back(std::move(*directory));
  } else {
    fds.clear();
  }
  const auto finish = [this, written = std::move(written)](const Syncer::Results& durable) {
    syncing_ = false;
    bool all_good = true;
    for (auto [recipient, file] : written) {
      recipient.durable = !durable.empty() && durable[file] && durable.back();
      all_good = all_good && recipient.durable;
      noted_.push_back(recipient);
    }
    if (!all_good) log_.alert({"unable to append to bounce message; HELP! sleeping..."});
  };
  syncing_ = true;
  if (fds.empty()) return finish({});
  syncer_.sync(std::move(fds), finish);
}

// All paragraphs of one message in one write. What cannot be written whole is taken back, and its
// recipients stay undone: they will be tried, and will fail, again.
Result<Fd> BounceNotes::append(Iterator first, Iterator last) {
  std::string text;
  for (auto one = first; one != last; ++one) text += one->paragraph;
  auto fd = open_queue_file(wire::bounce_path(first->recipient.id), O_WRONLY | O_APPEND | O_CREAT);
  if (fd) {
    const off_t end = ::lseek(fd->get(), 0, SEEK_END);
    if (write_all(fd->get(), text)) return fd;
    if (end >= 0) [[maybe_unused]]
      const int cut = ::ftruncate(fd->get(), end);
  }
  log_.alert({"unable to append to bounce message; HELP! sleeping..."});
  return failure("unable to append to bounce message");
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
