#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// A message that an outgoing one answers.
struct QuotedMessage {
  std::string id;
  std::string author;   ///< user JID in text, in the form the chat is addressed in
  std::string message;  ///< serialised wa::Message; empty: only the id is known
};

/// The message of the past that a message of ours is about: changes, takes back, reacts to.
struct TargetMessage {
  std::string chat;  ///< as it is addressed now
  bool from_me = true;
  std::string author;   ///< user JID in text; of somebody else's in a group, else empty
  std::string message;  ///< serialised wa::Message; empty: only the id is known
};

/// After how long the chat's messages disappear.
struct ChatTimer {
  std::uint32_t seconds = 0;  ///< 0: they stay
  std::int64_t set_at = 0;    ///< Unix seconds; 0: not known
};

/// What a message of ours has beside its content. All of it outlives the call.
struct Outgoing {
  ByteView secret32;  ///< random, kept with the message (chapter 06 section 2)
  const std::optional<QuotedMessage>& quoted;
  const std::optional<TargetMessage>& target = kNoTarget;
  const std::vector<std::string>& mentions = kNobody;  ///< JIDs in the form that the text names
  ChatTimer timer = {};
  Wall now = {};

  static const std::optional<TargetMessage> kNoTarget;
  static const std::vector<std::string> kNobody;
};

/// The message that says that. Errors: unsupported (a kind that is not sent).
[[nodiscard]] Result<wa::Message> build_message(const Content& content, const Outgoing& outgoing);

/// The copy for our own other devices: the message and the chat it went to.
[[nodiscard]] wa::Message build_device_sent(const wa::Message& message, const wire::Jid& chat);

}  // namespace posthorn::chat
