#pragma once

#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/people/bundles_fetch.h"
#include "chat/people/devices.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// What the account's devices say to each other and nobody sees: questions to the phone for keys,
/// history and the like, and answers to other devices. Source: chapter 06 section 4.5.
class PeerMessages {
 public:
  /// To whom: the phone alone, or every other device of the account.
  enum class To : std::uint8_t { phone, all_devices };

  /// All outlive this.
  PeerMessages(const MessageContext& context, ReceiveLane& lane, signal::Protocol& protocol,
               Devices& devices, SessionBuilder& sessions)
      : context_(context),
        lane_(lane),
        protocol_(protocol),
        devices_(devices),
        sessions_(sessions) {}

  /// done: the stanzas are written; nobody waits for their acks. Errors: disconnected, timeout,
  /// not_found (no device of ours has keys), io.
  void send(wa::Message message, To to, Once<void(Result<void>)> done);
  /// A question to the phone whose answer names `id`, a message id.
  void ask_phone(wa::Message message, const std::string& id, Once<void(Result<void>)> done);
  /// To one device of ours, in answer to what it asked.
  void answer(wa::Message message, const wire::Jid& device, Once<void(Result<void>)> done);

 private:
  struct Work;
  /// id: of the one stanza; empty: each gets one of its own.
  void send_to(std::vector<wire::Jid> devices, wa::Message message, const std::string& id,
               Once<void(Result<void>)> done);
  [[nodiscard]] wire::Jid own_name() const;
  Result<void> encrypt(Work& work);

  const MessageContext& context_;
  ReceiveLane& lane_;
  signal::Protocol& protocol_;
  Devices& devices_;
  SessionBuilder& sessions_;
};

/// The stanza for one device of ours.
[[nodiscard]] wire::Node build_peer_message(const std::string& id, const wire::Jid& device,
                                            const signal::Encrypted& encrypted,
                                            ByteView device_identity);

}  // namespace posthorn::chat
