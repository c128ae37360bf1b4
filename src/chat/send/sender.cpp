#include "chat/send/sender.h"

#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"

namespace posthorn::chat {
namespace {

using throttle::SendOutcome;

constexpr char kBlockedByOwner[] =
    "this person is blocked on the shop's phone: unblock them there (WhatsApp, Settings, Privacy, "
    "Blocked contacts) and send again";

}  // namespace

std::optional<SendOutcome> MessageSender::refusal(const std::string& chat) const {
  SendOutcome outcome;
  if (open_) {
    outcome.kind = SendOutcome::Kind::not_sent;
    outcome.detail = "busy: another message is being sent";
    return outcome;
  }
  const auto person = tools_.context.names.addressed(chat);
  if (!person || !person->is_person() || !blocked_.holds(*person).value_or(false)) return {};
  outcome.kind = SendOutcome::Kind::rejected;
  outcome.detail = kBlockedByOwner;
  return outcome;
}

void MessageSender::send(const Job& job, Once<void(SendOutcome)> done) {
  if (auto refused = refusal(job.chat)) return done(std::move(*refused));
  open_ = true;
  Once<void(SendOutcome)> ended = [this, done = std::move(done)](SendOutcome outcome) mutable {
    open_ = false;
    done(std::move(outcome));
  };
  const auto chat = parse_chat_id(job.chat);
  if (chat && !chat->is_person()) {
    flow_ = to_group_(job, std::move(ended));
  } else {
    flow_ = SendFlow::start(tools_, job, std::move(ended));
  }
}

void MessageSender::show_typing(const std::string& chat, Typing what) {
  presence_.show_typing(chat, what);
}

void MessageSender::cancel() {
  if (const auto flow = flow_.lock()) flow->cancel();
}

}  // namespace posthorn::chat
