#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/base/typing.h"

namespace posthorn {

/// Longer than this nobody is shown "typing…" (Green-API's limit).
inline constexpr milliseconds kLongestTyping{20'000};

/// The chat of statuses, which those see whom the account lets see them.
inline constexpr const char* kStoryChat = "status@broadcast";

/// One accepted outgoing message, from the POST to the wire: made by api, kept by the outbox, timed
/// by throttle, sent by session. The id is WhatsApp's own message id and is fixed here for good, so
/// that WhatsApp drops a repeat after a crash.
struct Job {
  std::string id;    ///< "3EB0" + 18 upper-case hex digits (chapter 06 section 1)
  std::string chat;  ///< Green-API chatId: "4915550001234@c.us", "…@g.us", "…@lid"
  std::vector<std::string> audience = {};  ///< of a status: chatIds of who sees it; empty: contacts
  Content content;         ///< a text has 1 .. 20000 characters; of a quote only the id is kept
  bool urgent = false;     ///< before the rest of its lane (one-time codes)
  milliseconds typing{0};  ///< "typing…" is shown for so long before it is sent, 0 .. 20 s
  Typing typing_type = Typing::text;  ///< what is shown for so long: text or recording
  std::string consent;                ///< "order", "form", "spoken" or empty
  std::string transport;              ///< "own", "official", "auto"; empty: as the settings say
  Wall accepted_at;                   ///< when the POST was answered
  Wall expires_at;                    ///< after this the job fails with "expired"
  std::string idempotency_key;        ///< of the POST; empty: none
  std::string body_digest;            ///< of the POST that brought that key; empty: none
  std::string method;                 ///< that posted it, when its kind does not say so; else empty
  std::string external_id;  ///< the till's own number of it, 128 bytes at most; may be empty
  std::string posted;       ///< the POST's body without `message`, JSON; empty: not kept

  bool operator==(const Job&) const = default;
};

/// A new id: "3EB0" and the first 9 bytes of a SHA-256 in upper-case hex (chapter 06 section 1).
class Random;
[[nodiscard]] std::string make_message_id(Random& random, Wall now, std::string_view own_user);

/// JSON, because an older program must be able to read what a newer one wrote: unknown members are
/// kept out of the way, absent ones take their defaults. Errors: malformed; unsupported (a kind of
/// a later release).
[[nodiscard]] Bytes encode_job(const Job& job);
[[nodiscard]] Result<Job> decode_job(ByteView record);

}  // namespace posthorn
