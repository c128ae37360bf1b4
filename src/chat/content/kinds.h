#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/content/build.h"
#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// What a received message has beside its kind.
struct Beside {
  std::optional<Quote> quote;  ///< participant is a JID in text here; empty: see target_from_me
  bool forwarded = false;
  int forwarding_score = 0;
  std::vector<std::string> mentions;  ///< JIDs in text
  bool target_from_me = false;        ///< the sender of this message wrote the one that it is about
};

/// The translator between Content and WhatsApp's protobuf, a pair of functions for each kind, in
/// the file of its family beside this one. Both are pure.
///
/// read: whether the message, already out of its wrappers, is of that kind; fills in what it says.
/// write: the message to send; what stands beside the kind is added afterwards. Errors: unsupported
/// (this kind is not sent here).
#define POSTHORN_DECLARE_(Kind)                                                             \
  [[nodiscard]] bool read(const wa::Message& message, content::Kind& kind, Beside& beside); \
  [[nodiscard]] Result<wa::Message> write(const content::Kind& kind, const Outgoing& outgoing);
POSTHORN_CONTENT_KINDS(POSTHORN_DECLARE_)
#undef POSTHORN_DECLARE_

}  // namespace posthorn::chat
