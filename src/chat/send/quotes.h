#pragma once

#include <string>

#include "chat/content/build.h"
#include "chat/lane/context.h"
#include "posthorn/chat/quotes.h"
#include "posthorn/wire/jid.h"

namespace posthorn::chat {

/// Our own name in the form that a chat is addressed in: the LID beside a LID, else the number.
[[nodiscard]] wire::Jid own_name_beside(const wire::Jid& peer, const session::Identity& self);

/// What a message to `peer` answers: a message of theirs or of ours, or only its id. Errors: io.
[[nodiscard]] Result<QuotedMessage> find_quoted(const MessageContext& context,
                                                const wire::Jid& peer, const std::string& id);

/// The message that this content changes, takes back or reacts to; "": it is about none.
[[nodiscard]] std::string target_id_of(const Content& content);
/// Who wrote it, and what it said, as far as that is remembered. to: as `peer` is written to now.
[[nodiscard]] Result<TargetMessage> find_target(const MessageContext& context,
                                                const wire::Jid& peer, const wire::Jid& to,
                                                const std::string& id);

/// The same for people.
class QuoteFinder final : public Quotes {
 public:
  explicit QuoteFinder(const MessageContext& context) : context_(context) {}
  [[nodiscard]] Result<Quote> find(const std::string& chat, const std::string& message_id) override;

 private:
  const MessageContext& context_;
};

}  // namespace posthorn::chat
