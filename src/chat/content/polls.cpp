#include "chat/content/polls.h"

#include <algorithm>

#include "chat/content/kinds.h"
#include "posthorn/base/crypto.h"

// pollCreationMessage in all its versions, and the votes (chapter 07 section 5.5).
namespace posthorn::chat {
namespace {

constexpr int kMostOptions = 100;  // the apps show 12

using Creation = wa::Message::PollCreationMessage;

const Creation* creation_of(const wa::Message& message) {
  if (message.has_pollcreationmessage()) return &message.pollcreationmessage();
  if (message.has_pollcreationmessagev2()) return &message.pollcreationmessagev2();
  if (message.has_pollcreationmessagev3()) return &message.pollcreationmessagev3();
  if (message.has_pollcreationmessagev5()) return &message.pollcreationmessagev5();
  if (message.has_pollcreationmessagev6()) return &message.pollcreationmessagev6();
  return nullptr;
}

}  // namespace

bool read(const wa::Message& message, content::Poll& kind, Beside&) {
  const Creation* poll = creation_of(message);
  if (poll == nullptr) return false;
  kind.name = poll->name();
  for (const auto& option : poll->options()) {
    if (kind.options.size() == kMostOptions) break;
    kind.options.push_back(option.optionname());
  }
  kind.multiple = poll->selectableoptionscount() != 1;
  return true;
}

/// Single choice has a field of its own, as the official apps send it.
Result<wa::Message> write(const content::Poll& kind, const Outgoing&) {
  wa::Message message;
  Creation& poll = kind.multiple ? *message.mutable_pollcreationmessage()
                                 : *message.mutable_pollcreationmessagev3();
  poll.set_name(kind.name);
  for (const std::string& option : kind.options) poll.add_options()->set_optionname(option);
  poll.set_selectableoptionscount(kind.multiple ? 0 : 1);
  return message;
}

/// Never read: a vote is encrypted, and says nothing without its poll.
bool read(const wa::Message&, content::PollVote&, Beside&) { return false; }

Result<wa::Message> write(const content::PollVote&, const Outgoing&) {
  return fail(Errc::unsupported, "votes are not sent by this release");
}

std::vector<std::string> chosen_options(const content::Poll& poll,
                                        const wa::Message::PollVoteMessage& vote) {
  std::vector<std::string> chosen;
  for (const std::string& option : poll.options) {
    const auto digest = crypto::sha256(as_bytes(option));
    const bool is =
        std::any_of(vote.selectedoptions().begin(), vote.selectedoptions().end(),
                    [&](const std::string& hash) { return hash == as_text(ByteView(digest)); });
    if (is) chosen.push_back(option);
  }
  return chosen;
}

}  // namespace posthorn::chat
