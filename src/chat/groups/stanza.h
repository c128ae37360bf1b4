#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/send/stanza.h"
#include "posthorn/base/bytes.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// A group's <message> to be written. Source: chapters 06 section 4.1, 10 section 10.
struct GroupMessage {
  std::string id;
  wire::Jid to;
  std::string addressing_mode;  ///< "lid", "pn"; empty: none (stories)
  std::string phash;            ///< empty: none
  StanzaAttrs attrs;
  std::vector<DeviceCopy> copies;  ///< our key for those who lack it; none: no such node
  std::vector<wire::Jid> holders;  ///< users named without a copy: stories, whose phone has the key
  std::optional<Bytes> sealed;     ///< under the sender key
  ByteView device_identity;
};
[[nodiscard]] wire::Node build_group_message(const GroupMessage& message);

}  // namespace posthorn::chat
