#include "chat/send/sender.h"

#include <utility>

#include "chat/people/ids.h"

namespace posthorn::chat {

void MessageSender::send(const Job& job, Once<void(throttle::SendOutcome)> done) {
  if (open_) {
    throttle::SendOutcome outcome;
    outcome.kind = throttle::SendOutcome::Kind::not_sent;
    outcome.detail = "busy: another message is being sent";
    return done(std::move(outcome));
  }
  open_ = true;
  Once<void(throttle::SendOutcome)> ended =
      [this, done = std::move(done)](throttle::SendOutcome outcome) mutable {
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

void MessageSender::show_typing(const std::string& chat, bool on) {
  presence_.show_typing(chat, on ? Typing::text : Typing::none);
}

void MessageSender::cancel() {
  if (const auto flow = flow_.lock()) flow->cancel();
}

}  // namespace posthorn::chat
