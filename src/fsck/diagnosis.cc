// A message is given back to the queue when it has its text, and an envelope that can be read:
// todo, or info with local or remote. Anything else cannot be delivered, or qmail-send would take
// it for something finished or never accepted and remove it; it is set aside, whole.
#include "fsck/diagnosis.h"

#include <cstdio>

#include "wire/time_limits.h"

namespace postern::fsck {
namespace {

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode));
  return text;
}

std::string short_name(Kind kind, MessageId number) {
  return std::string(facts_of(kind).name) + "/" + std::to_string(number);
}

// "mess/100, todo/100": the files of a message, without the directories of the split.
std::string list_files(const Message& message, MessageId number) {
  std::string text;
  for (const auto& file : message.files) {
    if (!file) continue;
    if (!text.empty()) text += ", ";
    text += short_name(file->kind, number);
  }
  return text;
}

std::vector<QueueFile> files_of(const Message& message) {
  std::vector<QueueFile> files;
  for (const auto& file : message.files) {
    if (file) files.push_back(*file);
  }
  return files;
}

class Examiner {
 public:
  Examiner(const Snapshot& snapshot, const Rules& rules) : snapshot_(snapshot), rules_(rules) {}
  Diagnosis examine();

 private:
  void claim_texts();
  void examine_message(MessageId number, const Message& message);
  std::string reason_to_set_aside(MessageId number, const Message& message) const;
  [[nodiscard]] bool is_being_written(MessageId number, const Message& message) const;
  void keep(MessageId number, const Message& message);
  void check_owner(const QueueFile& file, const Message& message);
  void check_parts();
  void check_strays();
  void find(std::string what, std::string mend) {
    diagnosis_.findings.push_back({std::move(what), std::move(mend)});
  }

  const Snapshot& snapshot_;
  const Rules& rules_;
  Diagnosis diagnosis_;
  std::map<std::uint64_t, MessageId> text_of_;  // inode number of a text: whose it is
};

Diagnosis Examiner::examine() {
  claim_texts();
  for (const auto& [number, message] : snapshot_.messages) examine_message(number, message);
  check_parts();
  check_strays();
  return std::move(diagnosis_);
}

// Two names for one text: it belongs to the message that bears its number, or that has an envelope.
void Examiner::claim_texts() {
  const auto worth = [&](MessageId number) {
    const Message& message = snapshot_.messages.at(number);
    const bool has_envelope = message.has(Kind::todo) || message.has(Kind::info);
    return 2 * int{message.file(Kind::mess)->inode == number} + int{has_envelope};
  };
  for (const auto& [number, message] : snapshot_.messages) {
    if (!message.has(Kind::mess)) continue;
    const auto [place, is_new] = text_of_.insert({message.file(Kind::mess)->inode, number});
    if (!is_new && worth(number) > worth(place->second)) place->second = number;
  }
}

void Examiner::examine_message(MessageId number, const Message& message) {
  ++diagnosis_.messages;
  const std::string name = "message " + std::to_string(number);
  const std::string place = std::string(set_aside) + "/" + std::to_string(number);
  if (!message.doubles.empty()) {
    std::string paths;
    for (const auto& file : message.doubles) paths += " " + file.path;
    const std::string reason = "other files bear the same number:" + paths;
    find(name + ": " + reason, "set aside: " + place);
    diagnosis_.asides.push_back({number, reason, message.doubles});
  }
  if (const std::string reason = reason_to_set_aside(number, message); !reason.empty()) {
    find(name + ": " + reason, "set aside: " + place);
    diagnosis_.asides.push_back({number, reason, files_of(message)});
  } else {
    keep(number, message);
  }
}

std::string Examiner::reason_to_set_aside(MessageId number, const Message& message) const {
  const auto name = [number](Kind kind) { return short_name(kind, number); };
  if (!message.has(Kind::mess)) {
    return "there is no text, " + name(Kind::mess) + ", for " + list_files(message, number) +
           ": nothing can be delivered";
  }
  if (const MessageId owner = text_of_.at(message.file(Kind::mess)->inode); owner != number) {
    return "its text is also that of message " + std::to_string(owner);
  }
  if (const auto& todo = message.file(Kind::todo); todo) {
    if (todo->fault.empty()) return {};
    return name(Kind::todo) + ": " + todo->fault + ": not known for whom it is";
  }
  if (const auto& info = message.file(Kind::info); info) {
    if (!info->fault.empty()) return name(Kind::info) + ": " + info->fault;
    for (const Kind kind : {Kind::local, Kind::remote}) {
      const auto& recipients = message.file(kind);
      if (!recipients || recipients->fault.empty()) continue;
      return name(kind) + ": " + recipients->fault + ": not known for whom it is";
    }
    if (message.has(Kind::local) || message.has(Kind::remote) || message.has(Kind::bounce))
      return {};
    return "neither " + name(Kind::local) + " nor " + name(Kind::remote) +
           ": everybody has it, or they were not copied; qmail-send would remove it";
  }
  if (message.has(Kind::local) || message.has(Kind::remote) || message.has(Kind::bounce)) {
    return "neither " + name(Kind::todo) + " nor " + name(Kind::info) + ": the sender is not known";
  }
  if (is_being_written(number, message)) return {};
  return "neither " + name(Kind::todo) + " nor " + name(Kind::info) +
         ": never accepted, or not wholly copied; qmail-send would remove it";
}

// What qmail-send would not touch yet either. A text under a wrong number nobody is writing.
bool Examiner::is_being_written(MessageId number, const Message& message) const {
  const auto& text = message.file(Kind::mess);
  return text->inode == number && text->read_at >= rules_.now - wire::debris_age;
}

void Examiner::keep(MessageId number, const Message& message) {
  ++diagnosis_.kept;
  const MessageId right = message.file(Kind::mess)->inode;
  std::string misplaced;
  for (const auto& file : message.files) {
    if (!file) continue;
    check_owner(*file, message);
    if (file->path == place_of(file->kind, right, rules_.split)) continue;
    misplaced += " " + file->path;
    diagnosis_.moves.push_back({file->path, {file->kind, number, right}});
  }
  const std::string name = "message " + std::to_string(number);
  if (right != number) {
    find(name + ": its text is file number " + std::to_string(right) +
             ": the queue was copied, and new mail could get the number " + std::to_string(number),
         "becomes message " + std::to_string(right));
  } else if (!misplaced.empty()) {
    find(name + ": in a directory where nothing looks for it:" + misplaced, "moved");
  }
}

void Examiner::check_owner(const QueueFile& file, const Message& message) {
  const KindFacts& facts = facts_of(file.kind);
  const uid_t uid = facts.of_send ? rules_.send : rules_.queue;
  if (file.uid == uid && file.mode == facts.mode) return;
  std::string what = file.path + ": ";
  if (file.uid != uid) {
    what += "belongs to user " + std::to_string(file.uid) + ", not to " +
            (facts.of_send ? "qmails" : "qmailq");
    if (file.mode != facts.mode) what += "; ";
  }
  if (file.mode != facts.mode)
    what += "its mode is " + octal(file.mode) + ", not " + octal(facts.mode);
  // intd/N and todo/N are one file. Any other second name could lead out of the queue, to a file
  // that the owner of this directory would like to have.
  const auto& todo = message.file(Kind::todo);
  const auto& intd = message.file(Kind::intd);
  const bool is_pair = todo && intd && todo->inode == intd->inode && todo->inode == file.inode;
  if (file.links > (is_pair ? 2U : 1U)) {
    find(what + "; it has another name, so nothing was changed", "");
    return;
  }
  find(what, "set right");
  diagnosis_.repossessions.push_back({file.path, uid, facts.mode});
}

void Examiner::check_parts() {
  for (const auto& facts : kinds) {
    const std::string name(facts.name);
    const MessageId wanted = facts.is_split ? rules_.split : 0;
    std::size_t count = 0;
    for (const MessageId part : snapshot_.parts[static_cast<std::size_t>(facts.kind)]) {
      if (part < wanted) continue;
      ++count;
      diagnosis_.emptied.push_back(name + "/" + std::to_string(part));
    }
    if (count == 0) continue;
    find(name + ": " + std::to_string(count) + " directories more than the split of " +
             std::to_string(wanted) + " has: nothing looks into them",
         "removed");
  }
}

void Examiner::check_strays() {
  for (const auto& path : snapshot_.strays) {
    find(path + ": does not belong in a queue", "set aside: " + std::string(set_aside) + "/strays");
  }
  diagnosis_.strays = snapshot_.strays;
}

}  // namespace

Diagnosis diagnose(const Snapshot& snapshot, const Rules& rules) {
  return Examiner(snapshot, rules).examine();
}

}  // namespace postern::fsck
