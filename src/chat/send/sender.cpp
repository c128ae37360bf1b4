#include "chat/send/sender.h"

#include <utility>

#include "chat/people/names.h"
#include "chat/send/typing.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {

void MessageSender::send(const Job& job, Once<void(throttle::SendOutcome)> done) {
  if (open_) {
    throttle::SendOutcome outcome;
    outcome.kind = throttle::SendOutcome::Kind::not_sent;
    outcome.detail = "busy: another message is being sent";
    return done(std::move(outcome));
  }
  open_ = true;
  flow_ = SendFlow::start(tools_, job,
                          [this, done = std::move(done)](throttle::SendOutcome outcome) mutable {
                            open_ = false;
                            done(std::move(outcome));
                          });
}

void MessageSender::show_typing(const std::string& chat, bool on) {
  const MessageContext& context = tools_.context;
  if (!context.line.online()) return;
  const auto jid = context.names.addressed(chat);
  const auto named = jid ? context.names.preferred(*jid) : fail(jid.error(), "typing");
  if (!named) return log::debug("messages", "typing is not shown", {{"why", named.error()}});
  for (wire::Node& stanza : build_typing(context.line.identity(), *named, on)) {
    context.line.write(std::move(stanza));
  }
}

void MessageSender::cancel() {
  if (const auto flow = flow_.lock()) flow->cancel();
}

}  // namespace posthorn::chat
