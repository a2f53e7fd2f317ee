// What stands around an SMTP session in a fuzz target: services that answer by what they are given
// alone, and remember what was accepted.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "fuzz/support/input.h"
#include "smtpd/services.h"

namespace postern::fuzz {

struct QueuedMessage {
  std::string message;
  std::string sender;
  std::vector<std::string> recipients;

  bool operator==(const QueuedMessage&) const = default;
};

inline unsigned sum_of(std::string_view bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0U,
                         [](unsigned sum, char c) { return sum + static_cast<unsigned char>(c); });
}

class Checker : public smtpd::PasswordChecker {
 public:
  explicit Checker(bool open) : open_(open) {}
  Verdict check(const std::string& bytes) override {
    require(bytes.find('\0') != bytes.npos && bytes.find('\0') > 0, "a checker is told a user");
    return sum_of(bytes) % 2 == 0 ? Verdict::accepted : static_cast<Verdict>(sum_of(bytes) % 6);
  }
  bool accepts_anybody() override { return open_; }
  void announce(std::string_view user, smtpd::Mechanism /*mechanism*/) override {
    require(!open_ && !user.empty() && !user.contains('\0'), "a login is a user's");
  }

 private:
  bool open_;
};

class Queue : public smtpd::MessageQueue {
 public:
  Result<std::unique_ptr<smtpd::OutgoingMessage>> open() override {
    if (++opened_ % 8 == 0) return failure("unable to fork", 11);
    return std::make_unique<Message>(*this);
  }
  std::vector<QueuedMessage> accepted;
  int open_messages = 0;

 private:
  class Message : public smtpd::OutgoingMessage {
   public:
    explicit Message(Queue& queue) : queue_(queue) { ++queue_.open_messages; }
    ~Message() override { --queue_.open_messages; }
    void write(std::string_view bytes) override { message_.message += bytes; }
    void sender(std::string_view address) override { message_.sender = address; }
    void recipient(std::string_view address) override {
      require(!address.empty(), "nobody is no recipient");
      message_.recipients.emplace_back(address);
    }
    wire::QueueReply finish() override {
      queue_.accepted.push_back(message_);  // the client's last byte has come, whatever we say now
      switch (sum_of(message_.sender) % 8) {
        case 1:
          return {"Zqq write error or disk full (#4.3.0)", 7};
        case 2:
          return {std::string("Dno\r\nsuch\0luck\n", 15), 7};
        default:
          return {"", 7};
      }
    }

   private:
    Queue& queue_;
    QueuedMessage message_;
  };
  unsigned opened_ = 0;
};

class Mailboxes : public smtpd::RecipientCheck {
 public:
  Verdict check(const std::string& /*sender*/, const std::string& recipient) override {
    return static_cast<Verdict>(sum_of(recipient) % 4);
  }
};

class NoPlugins : public smtpd::PluginPrograms {
 public:
  Result<std::string> run(const std::string& /*plugin*/) override { return ""; }
  void set(const std::string& /*name*/, std::string_view /*value*/) override {}
  void unset(const std::string& /*name*/) override {}
};

class Addresses : public smtpd::HostAddresses {
 public:
  Result<bool> are_named_by(std::string_view literal) override {
    if (literal == "[0]") return failure("unable to list this host's addresses", 24);
    return literal == "[::1]";
  }
};

}  // namespace postern::fuzz
