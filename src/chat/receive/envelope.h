#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/session/line.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// One <enc> of a message.
struct EncPart {
  enum class Kind : std::uint8_t { pkmsg, msg, skmsg, other };
  Kind kind = Kind::other;
  std::string type;                    ///< as received
  ByteView ciphertext;                 ///< looks into the stanza
  bool hide_failure = false;           ///< decrypt-fail="hide"
  std::optional<std::uint32_t> count;  ///< resend number
};

/// Who a <message> is from and where it belongs. Source: chapter 06 section 6.1.
struct Envelope {
  std::string id;
  std::string type;
  std::string category;
  std::string edit;
  wire::Jid from;                        ///< verbatim: receipts and acks go there
  std::optional<wire::Jid> participant;  ///< verbatim
  std::optional<wire::Jid> recipient;    ///< verbatim
  wire::Jid sender;                      ///< the device that encrypted it
  wire::Jid chat;                        ///< without device
  std::optional<wire::Jid> sender_alt;   ///< the sender's other name, bare
  std::optional<wire::Jid> chat_alt;     ///< the chat's other name, bare (own copies)
  bool from_me = false;
  bool offline = false;
  Wall timestamp;
  std::string push_name;
  std::vector<EncPart> parts;  ///< look into the stanza
  bool unavailable = false;    ///< <unavailable> and nothing encrypted
  std::string unavailable_type;

  /// Somebody's status post: no chat message.
  [[nodiscard]] bool is_status() const {
    return chat.server == wire::kServerBroadcast && chat.user == "status";
  }
};

/// stanza outlives the envelope. now: for messages without a time.
/// The push name is cut to 128 bytes.
/// Errors: malformed (no id, one over 128 bytes, no from, group message without participant).
[[nodiscard]] Result<Envelope> parse_envelope(const wire::Node& stanza,
                                              const session::Identity& self, Wall now);

}  // namespace posthorn::chat
