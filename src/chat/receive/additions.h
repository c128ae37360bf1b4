#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chat/lane/context.h"
#include "chat/receive/envelope.h"
#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/store/poll_store.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// Reads what somebody adds to an earlier message under that message's secret: edits, reactions,
/// votes. nullopt: it cannot be opened, because the message is not remembered or because it was not
/// made for it. Errors: io. Source: chapter 07 section 6.
class Additions {
 public:
  explicit Additions(const MessageContext& context) : context_(context) {}

  /// The message that an edit or a reaction would be without that.
  [[nodiscard]] Result<std::optional<wa::Message>> edit(
      const Envelope& envelope, const wa::Message::SecretEncryptedMessage& secret);
  [[nodiscard]] Result<std::optional<wa::Message>> reaction(
      const Envelope& envelope, const wa::Message::EncReactionMessage& secret);

  struct Voted {
    content::PollVote told;
    store::PollStore::Vote vote;
    bool late = false;  ///< the voter has voted later than that
  };
  [[nodiscard]] Result<std::optional<Voted>> vote(const Envelope& envelope,
                                                  const wa::Message::PollUpdateMessage& update);

 private:
  struct Sealed {
    std::string_view use_case;
    const std::string& iv;
    const std::string& payload;
  };
  [[nodiscard]] Result<std::optional<Bytes>> open(const Envelope& envelope, const wire::Jid& author,
                                                  const std::string& id, ByteView secret,
                                                  const Sealed& sealed);
  [[nodiscard]] Result<Bytes> secret_of(const wire::Jid& chat, const std::string& id);
  [[nodiscard]] wire::Jid author_of(const Envelope& envelope, const wa::MessageKey& key) const;

  const MessageContext& context_;
};

}  // namespace posthorn::chat
