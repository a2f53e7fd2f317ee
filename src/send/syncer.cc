#include "send/syncer.h"

#include <unistd.h>

#include <memory>

namespace postern::send {
namespace {

struct Batch {
  std::vector<Fd> fds;
  std::vector<char> durable;  // not vector<bool>: threads write neighbouring elements
  std::size_t left = 0;       // counted on the loop's thread only
  std::function<void(const Syncer::Results&)> done;
};

}  // namespace

void Syncer::sync(std::vector<Fd> fds, std::function<void(const Results&)> done) {
  auto batch = std::make_shared<Batch>();
  batch->fds = std::move(fds);
  batch->durable.resize(batch->fds.size());
  batch->left = batch->fds.size();
  batch->done = std::move(done);
  for (std::size_t i = 0; i < batch->fds.size(); ++i) {
    workers_.run(
        [batch, i] {
          batch->durable[i] = ::fsync(batch->fds[i].get()) == 0;
          batch->fds[i].reset();
        },
        [batch] {
          if (--batch->left > 0) return;
          batch->done(Results(batch->durable.begin(), batch->durable.end()));
        });
  }
}

}  // namespace postern::send
