#include "send/syncer.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "posix/files.h"

namespace postern::send {
namespace {

// A thread's share of a batch. To hand each file to a thread of its own costs more than to sync it.
constexpr std::size_t share = 4;

struct Batch {
  std::vector<Fd> fds;
  std::vector<char> durable;    // not vector<bool>: threads write neighbouring elements
  std::size_t shares_left = 0;  // counted on the loop's thread only
  std::function<void(const Syncer::Results&)> done;
};

// The files of a share are on their way to the disk before the first is waited for: they have a
// commit of the journal in common, and the others find it done. An error on that way is final too:
// fsync need not hear of it.
void sync_share(Batch& batch, std::size_t first) {
  const std::size_t end = std::min(first + share, batch.fds.size());
  for (std::size_t i = first; i < end; ++i) {
    batch.durable[i] = start_writing_out(batch.fds[i].get(), {}).has_value();
  }
  for (std::size_t i = first; i < end; ++i) {
    batch.durable[i] = ::fsync(batch.fds[i].get()) == 0 && batch.durable[i];
    batch.fds[i].reset();
  }
}

}  // namespace

void Syncer::sync(std::vector<Fd> fds, std::function<void(const Results&)> done) {
  auto batch = std::make_shared<Batch>();
  batch->fds = std::move(fds);
  batch->durable.resize(batch->fds.size());
  batch->shares_left = (batch->fds.size() + share - 1) / share;
  batch->done = std::move(done);
  for (std::size_t first = 0; first < batch->fds.size(); first += share) {
    workers_.run([batch, first] { sync_share(*batch, first); },
                 [batch] {
                   if (--batch->shares_left > 0) return;
                   batch->done(Results(batch->durable.begin(), batch->durable.end()));
                 });
  }
}

}  // namespace postern::send
