#include "daemon/inbox_mailbox.h"

#include <utility>

namespace posthorn::daemon {

std::optional<webhooks::Mailbox::Head> InboxMailbox::head(std::size_t ahead) {
  auto head = inbox_.head(ahead);
  if (!head) return std::nullopt;
  return Head{head->receipt_id, std::move(head->body)};
}

void InboxMailbox::remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) {
  inbox_.remove(receipt_id, std::move(done));
}

/// First into the list, then out of the queue: a cut between the two leaves it in both.
void InboxMailbox::set_aside(const Head& head, const Refusal& refusal,
                             Once<void(Result<bool>)> done) {
  refused_.add(head, refusal,
               [this, id = head.receipt_id, done = std::move(done)](Result<void> kept) mutable {
                 if (!kept) return done(tl::unexpected(std::move(kept.error())));
                 inbox_.remove(id, std::move(done));
               });
}

}  // namespace posthorn::daemon
