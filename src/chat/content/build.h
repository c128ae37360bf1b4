#pragma once

#include <optional>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// A message that an outgoing one answers.
struct QuotedMessage {
  std::string id;
  std::string author;   ///< user JID in text, in the form the chat is addressed in
  std::string message;  ///< serialised wa::Message; empty: only the id is known
};

/// What a message of ours has beside its content. Both outlive the call.
struct Outgoing {
  ByteView secret32;  ///< random, kept with the message (chapter 06 section 2)
  const std::optional<QuotedMessage>& quoted;
};

/// The message that says that. Errors: unsupported (a kind that is not sent).
[[nodiscard]] Result<wa::Message> build_message(const Content& content, const Outgoing& outgoing);

/// The copy for our own other devices: the message and the chat it went to.
[[nodiscard]] wa::Message build_device_sent(const wa::Message& message, const wire::Jid& chat);

}  // namespace posthorn::chat
