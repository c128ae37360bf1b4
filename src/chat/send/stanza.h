#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chat/content/attrs.h"
#include "posthorn/base/bytes.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// One device's copy of a message.
struct DeviceCopy {
  wire::Jid device;
  signal::Encrypted encrypted;
};

// What every form of <message> has.
[[nodiscard]] wire::Node build_enc(const signal::Encrypted& encrypted, const StanzaAttrs& attrs);
[[nodiscard]] wire::Node build_head(const std::string& id, const wire::Jid& to,
                                    const StanzaAttrs& attrs);
/// <participants>: a <to> for each copy.
[[nodiscard]] wire::Node build_copies(std::span<const DeviceCopy> copies, const StanzaAttrs& attrs);
[[nodiscard]] bool any_pkmsg(std::span<const DeviceCopy> copies);

/// A 1:1 <message> to be written. Source: chapter 06 section 3.2.
struct OutgoingMessage {
  std::string id;
  wire::Jid to;                                ///< bare
  std::optional<wire::Jid> peer_recipient_pn;  ///< when `to` is a LID and the number is known
  StanzaAttrs attrs;
  std::vector<DeviceCopy> copies;
  ByteView device_identity;  ///< ours; goes along when a copy is a pkmsg
  Bytes tctoken;             ///< empty: none
  Bytes cstoken;             ///< in its place for strangers; empty: none
};
[[nodiscard]] wire::Node build_message(const OutgoingMessage& message);

/// The answer to a retry receipt: one <enc> for one device. Source: chapter 06 section 8.2.
struct ResentMessage {
  std::string id;
  wire::Jid to;
  std::optional<wire::Jid> participant, recipient;  ///< as in the receipt
  std::string t;                                    ///< of the receipt's <retry>
  StanzaAttrs attrs;
  signal::Encrypted encrypted;
  std::uint32_t count = 1;
  ByteView device_identity;
  Bytes tctoken;
  std::string addressing_mode;  ///< of a group; empty: none
};
[[nodiscard]] wire::Node build_resend(const ResentMessage& message);

}  // namespace posthorn::chat
