#pragma once

#include <cstdint>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// Which message's file our own phone is asked to upload again.
struct MediaRetryRequest {
  std::string message_id;
  wire::Jid own;  ///< our user, without device
  wire::Jid chat;
  bool from_me = false;
  wire::Jid participant;  ///< who wrote it, in groups; empty: a chat of two
};

/// <receipt type="server-error"> with the sealed message id.
/// Source: chapter 08 section 6.
[[nodiscard]] wire::Node build_media_retry(const MediaRetryRequest& request, ByteView media_key,
                                           Random& random);

/// Where the file lies now. media_key: of the message that the notification's id names.
/// Errors: not_found (the phone does not have it, or could not), crypto, malformed.
[[nodiscard]] Result<std::string> parse_media_retry(const wire::Node& notification,
                                                    ByteView media_key);

}  // namespace posthorn::chat
