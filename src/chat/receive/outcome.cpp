#include <utility>

#include "chat/receive/receipts.h"
#include "chat/receive/work.h"

/// What a message that was looked at is answered with, and what its failure asks for.
namespace posthorn::chat {

using wire::Node;

void Receiver::ask_again(Work& work, signal::DecryptError why, bool hide_failure) {
  // Nobody waits for a story: asking its author for it again would only show that we look.
  if (work.envelope.is_status()) {
    work.ignored = true;
    return;
  }
  work.failed_content = true;
  FailedMessage failed;
  failed.reason = signal::retry_reason(why);
  failed.without_session = why == signal::DecryptError::no_session ||
                           why == signal::DecryptError::invalid_key_id ||
                           why == signal::DecryptError::too_far;
  failed.hide_failure = hide_failure;
  work.out.failed = std::move(failed);
}

/// Who waits for a receipt gets one. A story, a note to ourselves and what the server did not have
/// for us are only acknowledged, also when they come again.
Node Receiver::thanks_for(const Work& work) const {
  const session::Identity& self = context_.line.identity();
  const Envelope& envelope = work.envelope;
  const bool to_self = envelope.from_me && envelope.chat.is_person() && !envelope.recipient &&
                       envelope.category != "peer";
  if (work.ignored || envelope.unavailable || to_self || envelope.is_status()) {
    return build_ack(work.stanza, self);
  }
  return build_delivery_receipt(envelope, self,
                                *context_.available ? Available::yes : Available::no);
}

void Receiver::finish(Work& work) {
  const session::Identity& self = context_.line.identity();
  Reception& out = work.out;
  // What was said has been read: what failed was a group's key beside it, which the next message
  // under that key brings to light. Asked for, it would be told a second time.
  if (work.failed_content && !work.says_something()) {
    // Its ack leaves together with the retry request: a crash before that brings it again.
    out.failed->stanza = work.stanza;
    out.seen_key.reset();
    return;
  }
  out.failed.reset();
  // A no to a story would hold up the whole backlog.
  if (work.envelope.is_status()) work.nack = 0;
  if (work.nack != 0 && !work.any_read) {
    out.replies.push_back(build_ack(work.stanza, self, work.nack));
    out.seen_key.reset();
    return;
  }
  // A decrypted part that was not a message: the ratchet has moved, and asking again gives the
  // same.
  if (work.nack != 0) {
    out.replies.push_back(build_ack(work.stanza, self, work.nack));
    return;
  }
  out.replies.push_back(thanks_for(work));
  const bool only_acked = out.replies.back().tag == "ack";
  if (only_acked && !out.event) out.seen_key.reset();
}

}  // namespace posthorn::chat
