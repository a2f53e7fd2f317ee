// Plays qmail-queue, the password checker, the recipient check and plugins for a server under test,
// by the name it is run as: does what $STAND_IN_HOME/NAME.orders says and keeps what it was given
// in $STAND_IN_HOME/seen, where it stands once this program has ended well.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "posix/files.h"
#include "posix/io.h"

namespace {

using namespace postern;

const std::string& home() {
  static const std::string directory = std::getenv("STAND_IN_HOME");
  return directory;
}

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// "exit 53": a word, and a number where there is one.
struct Orders {
  std::string word;
  int number = 0;
};
Orders read_orders(const std::string& name) {
  std::istringstream text(read_all(home() + "/" + name + ".orders"));
  Orders orders;
  text >> orders.word >> orders.number;
  if (orders.word == "crash") {
    std::signal(SIGKILL, SIG_DFL);
    std::raise(SIGKILL);
  }
  return orders;
}

void keep(const std::string& name, const std::string& bytes) {
  const std::string path = home() + "/seen/" + name;
  std::ofstream(path + ".new") << bytes;
  (void)rename_file(path + ".new", path);
}

int play_queue() {
  const auto message = read_to_end(0, 1 << 30);
  const auto envelope = read_to_end(1, 1 << 30);
  if (!message || !envelope || !envelope->ends_with(std::string_view("\0\0", 2))) return 54;
  const Orders orders = read_orders("queue");
  if (orders.word == "exit") return orders.number;
  if (orders.word == "text") {
    (void)write_all(6, read_all(home() + "/queue.text"));
    return 82;
  }
  keep("message", *message);
  keep("envelope", *envelope);
  return 0;
}

int play_checker() {
  const auto bytes = read_to_end(3, 512);
  if (!bytes) return 1;
  const std::string user = bytes->substr(0, bytes->find('\0'));
  // What the server tries the checker with is no login.
  if (!user.starts_with("nobody-")) keep("checked", *bytes);
  if (read_orders("checker").word == "anybody") return 0;
  std::istringstream logins(read_all(home() + "/checker.logins"));
  for (std::string line; std::getline(logins, line);) {
    const std::size_t tab = line.find('\t');
    const std::string secret = line.substr(tab + 1);
    const bool fits = secret.empty() || bytes->contains('\0' + secret + '\0');
    if (line.substr(0, tab) == user && fits) return 0;
  }
  return 1;
}

int play_recipient_check() {
  const auto text = [](const char* name) { return std::string(std::getenv(name)); };
  keep("recipient-check", text("SENDER") + " " + text("RECIPIENT"));
  return read_orders("rcptcheck").number;
}

// A plugin of qmail-spp: prints what it is told to.
int play_plugin(const std::string& name) {
  std::string variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    variables.append(*entry).append(1, '\0');
  }
  const Orders orders = read_orders(name);
  keep("environment", variables);
  (void)write_all(1, read_all(home() + "/" + name + ".text"));
  return orders.number;
}

}  // namespace

int main(int, char** argv) {
  const std::string_view name(argv[0]);
  if (name.ends_with("qmail-queue")) return play_queue();
  if (const auto plugin = name.find("plugin-"); plugin != std::string_view::npos) {
    return play_plugin(std::string(name.substr(plugin)));
  }
  if (name.ends_with("rcptcheck")) return play_recipient_check();
  return play_checker();
}
