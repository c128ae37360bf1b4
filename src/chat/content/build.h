#pragma once

#include <optional>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/job.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// A message that an outgoing text answers.
struct QuotedMessage {
  std::string id;
  std::string author;   ///< user JID in text, in the form the chat is addressed in
  std::string message;  ///< serialised wa::Message; empty: only the id is known
};

/// A text as WhatsApp wants it: plain when nothing else is said, extended when it quotes.
/// secret32: random, kept with the message (chapter 06 section 2).
[[nodiscard]] wa::Message build_text(const std::string& text, ByteView secret32,
                                     const std::optional<QuotedMessage>& quoted);

/// The copy for our own other devices: the message and the chat it went to.
[[nodiscard]] wa::Message build_device_sent(const wa::Message& message, const wire::Jid& chat);

}  // namespace posthorn::chat
