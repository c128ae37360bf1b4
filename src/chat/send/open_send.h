#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "chat/lane/context.h"
#include "posthorn/base/job.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/throttle/sender.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// A job on its way.
class OpenSend {
 public:
  virtual ~OpenSend() = default;
  /// Ends it now; later answers are ignored.
  virtual void cancel() = 0;
};

/// Begins to send a job.
using StartSend = std::function<std::shared_ptr<OpenSend>(const Job& job,
                                                          Once<void(throttle::SendOutcome)> done)>;

/// What is left of an earlier try to send the same job.
struct EarlierSend {
  /// It was acknowledged before a crash that lost the news: the server would only drop a repeat.
  std::optional<throttle::SendOutcome> outcome;
  std::optional<wa::Message> message;  ///< as it was encrypted then
};
[[nodiscard]] Result<EarlierSend> find_earlier(const MessageContext& context,
                                               const std::string& id);

/// The message of a job, as it will be encrypted. peer: the chat, in the preferred form; to: as it
/// is written to now. Errors: unsupported (it cannot be said, or not any more), io.
[[nodiscard]] Result<wa::Message> message_of(const MessageContext& context, const Job& job,
                                             const wire::Jid& peer, const wire::Jid& to);

/// Keeps it for the receipts, for whoever asks for it again, and for what will be about it.
Result<void> save_sent(const MessageContext& context, const Job& job, const wire::Jid& peer,
                       const wa::Message& message);

}  // namespace posthorn::chat
