// What the plugins of qmail-spp make of a session: runs those of an event one after another, obeys
// what they print, and remembers what they want done later. Pure but for the programs it is given.
// Described in docs/wire/spp.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "smtpd/services.h"
#include "smtpd/spp_commands.h"
#include "smtpd/spp_config.h"

namespace postern::smtpd {

class SppSession {
 public:
  /// What plugins want kept of one event, in bytes; more header lines are not taken.
  static constexpr std::size_t most_kept_bytes = 65536;

  /// What the plugins of an event have decided.
  struct Verdict {
    bool refused = false;    // the command is not carried out: `text` is the reply
    bool closing = false;    // and the connection is closed
    bool unchecked = false;  // our own checks of the address are left out
    std::string text{};      // for the client; goes before our own reply
    std::string log{};       // a line for the log; empty: none
  };

  SppSession(SppConfig config, PluginPrograms& programs)
      : config_(std::move(config)), programs_(programs) {}

  Verdict connection() { return run(SppEvent::connection, nullptr); }
  Verdict helo(std::string_view name);
  /// After a good password.
  Verdict auth(std::string_view user, std::string_view mechanism);
  /// May change the address.
  Verdict mail(std::string& sender);
  /// May change the address. `hosts_ok`: rcpthosts, or the right to relay, lets it pass.
  Verdict rcpt(std::string& recipient, bool hosts_ok);
  void recipient_accepted() { ++recipients_; }
  Verdict data();
  /// RSET and what does the same: what was wanted for the transaction is forgotten.
  void end_transaction();
  /// Lines for the message's header, each with its LF.
  [[nodiscard]] std::string headers() const;

 private:
  struct Kept {
    std::string headers;
    std::array<std::string, spp_event_count> replies;  // to later commands
  };
  // A plugin's turn: what it is asked about, and what has come of it and of those before it.
  struct Turn {
    SppEvent event;
    std::string* address;  // that C changes; nullptr: there is none
    std::string plugin{};
    Verdict verdict{};
  };

  Kept& kept(SppEvent event) { return kept_[static_cast<std::size_t>(event)]; }
  [[nodiscard]] bool active() const { return !off_ && !config_.empty(); }
  Verdict run(SppEvent event, std::string* address);
  // These return whether the plugins of the event have more to say.
  bool take_turn(Turn& turn);
  bool obey(const SppCommand& command, Turn& turn);
  static bool answer(std::string_view text, Turn& turn);
  bool change_address(std::string_view text, Turn& turn);
  /// The command is refused for now; the log says why.
  static bool fail(std::string_view why, Turn& turn);
  /// The log says what is wrong with `text`, which is passed over.
  static void complain(std::string_view what, std::string_view text, Turn& turn);

  void keep_reply(const SppCommand& command, Turn& turn);
  void keep_header(std::string_view line, Turn& turn);
  void set_variable(std::string_view text, Turn& turn);
  [[nodiscard]] Verdict reply_kept_for(SppEvent event) const;

  SppConfig config_;
  PluginPrograms& programs_;
  bool off_ = false;
  std::array<Kept, spp_event_count> kept_;
  std::uint64_t recipients_ = 0;
  std::uint64_t recipients_tried_ = 0;
};

}  // namespace postern::smtpd
