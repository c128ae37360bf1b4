#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// The message inside all wrappers, and what the wrappers said. Points into the message given.
struct Unwrapped {
  const wa::Message* message = nullptr;
  const wa::Message::DeviceSentMessage* device_sent = nullptr;  ///< nullptr: none
  bool view_once = false;
  bool ephemeral = false;
  bool edited = false;
  bool group_status = false;  ///< not a chat message: no event
};

/// Opens wrappers until none applies. Errors: malformed (nested deeper than 8).
/// Source: chapter 07 section 2.
[[nodiscard]] Result<Unwrapped> open_wrappers(const wa::Message& message);

/// What a message means, before anybody asks who sent it.
struct Parsed {
  std::optional<Content> content;  ///< nullopt: housekeeping, or keys and context only: no event
  bool target_from_me = false;     ///< the sender of this message wrote the one that it is about
  /// Housekeeping; points into the message given. nullptr: it is none.
  const wa::Message::ProtocolMessage* protocol = nullptr;
};

/// message: already out of its wrappers. Source: chapters 06 section 6.4, 07 sections 2 - 5.
[[nodiscard]] Parsed parse_content(const wa::Message& message);

/// The text that a person reads: text, caption, or empty.
[[nodiscard]] std::string text_of(const wa::Message& message);
/// At most `limit` bytes, cut at a character boundary (continuation bytes of UTF-8 are 10xxxxxx).
[[nodiscard]] std::string cut_utf8(std::string text, std::size_t limit);
/// The protobuf field that holds the content, e.g. "imageMessage"; empty when there is none.
[[nodiscard]] std::string content_field(const wa::Message& message);

}  // namespace posthorn::chat
