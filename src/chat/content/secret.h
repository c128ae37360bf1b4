#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

// Use cases: what is encrypted under another message's secret.
inline constexpr std::string_view kMessageEdit = "Message Edit";
inline constexpr std::string_view kPollVote = "Poll Vote";
inline constexpr std::string_view kEventResponse = "Event Response";
inline constexpr std::string_view kReaction = "Enc Reaction";

/// The message in whose secret an add-on is wrapped.
struct SecretParent {
  std::string id;
  std::string sender;    ///< user JID in text
  std::string modifier;  ///< who made the add-on, same form
  ByteView secret;       ///< messageSecret, 32 bytes
};

/// Opens an add-on. Votes and answers to events have associated data, the others none.
/// Errors: malformed (iv length), crypto (another parent, sender or modifier).
/// Source: chapter 07 section 6.
[[nodiscard]] Result<Bytes> open_secret(const SecretParent& parent, std::string_view use_case,
                                        ByteView iv, ByteView payload);

}  // namespace posthorn::chat
