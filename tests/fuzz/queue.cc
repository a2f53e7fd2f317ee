// qmail-queue given any message and any envelope, then qmail-clean given any orders.
#include "base/ascii.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "posix/files.h"
#include "queue/clean_server.h"
#include "queue/enqueue.h"
#include "spawn/order_check.h"
#include "unit/queue/queue_fixture.h"
#include "wire/envelope.h"

namespace postern::fuzz {
namespace {

using Files = std::map<std::string, std::string>;

// In memory there is nothing to make durable.
class NoDisk : public queue::Disk {
 public:
  Status sync(std::span<const queue::OpenFile> /*files*/) override { return {}; }
};

bool is_whole(std::string_view envelope) {
  std::string records;
  return wire::EnvelopeParser().feed(envelope, records) == wire::EnvelopeParser::State::complete;
}

void check_accepted(const Files& files, std::string_view message, std::string_view envelope) {
  require(files.size() == 3, "a message has a mess, an intd and a todo file");
  for (const auto& [path, bytes] : files) {
    if (path.starts_with("mess/")) {
      require(bytes.starts_with("Received: ") && bytes.ends_with(message) &&
                  bytes.find('\n') == bytes.size() - message.size() - 1,
              "a message is kept behind one line");
    } else {
      const auto todo = wire::parse_todo(bytes);
      require(todo && envelope.starts_with(wire::format_envelope(todo->envelope)),
              "its envelope is the one that was given");
    }
  }
}

// An envelope, a NUL pair that ends it among its bytes or not, after "--\n" the message.
void enqueue(Input input) {
  const std::size_t mark = std::min(input.rest().find("--\n"), input.rest().size());
  const std::string_view envelope = input.rest().substr(0, mark);
  const std::string_view message = input.rest().substr(std::min(mark + 3, input.rest().size()));
  const Fd message_fd = memory_file(message);
  const Fd envelope_fd = memory_file(envelope);
  NoDisk disk;
  const auto done =
      queue::enqueue({message_fd.get(), envelope_fd.get(), 4711, 1000, "by alias", 1}, disk);
  const Files files = queue::QueueDirectory::files();
  require(done.has_value() == is_whole(envelope), "what is whole is taken, and nothing else");
  if (done) {
    check_accepted(files, message, envelope);
  } else {
    require(files.empty(), "what is refused leaves nothing behind");
  }
  for (const auto& [path, bytes] : files) require(::unlink(path.c_str()) == 0, "files go");
}

void clean(Input input) {
  for (const char* path : {"mess/8/100", "intd/100", "todo/100", "lock/tcpto"}) {
    queue::put_file(path, "x");
  }
  const Fd orders = memory_file(input.rest());
  const Fd replies = memory_file();
  require(queue::serve_clean_orders(orders.get(), replies.get()) == 0, "orders end");
  const std::string said = contents_of(replies);
  require(said.size() == static_cast<std::size_t>(std::ranges::count(input.rest(), '\0')),
          "every order has its answer");
  require(said.find_first_not_of("+!x") == said.npos, "an answer is one of three");
  const Files files = queue::QueueDirectory::files();
  require(files.contains("lock/tcpto"), "nothing else is removed");
  const std::string orders_end("\0", 1);
  const std::string asked = orders_end + std::string(input.rest());
  const auto named = [&](std::string_view order) {
    return asked.contains(orders_end + std::string(order) + orders_end);
  };
  require(files.contains("mess/8/100") != named("foop/100"), "a message goes when it is named");
  require(files.contains("todo/100") != named("todo/100"), "and so does what was to do");
  for (const auto& [path, bytes] : files) require(::unlink(path.c_str()) == 0, "files go");
}

void order(Input input) {
  const std::string message(input.line());
  if (!spawning::check_order(message, input.line())) return;
  require(!message.starts_with('/') && !message.contains('.') && message.size() <= 100,
          "a message is in the queue");
}

constexpr std::array tries = {enqueue, clean, order};

}  // namespace

void try_input(Input input) {
  static const queue::QueueDirectory directory;
  tries[input.choose(tries.size())](input);
}

}  // namespace postern::fuzz
