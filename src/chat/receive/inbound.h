#pragma once

#include <set>
#include <string>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/people/tokens.h"
#include "chat/receive/awaited.h"
#include "chat/receive/message.h"
#include "chat/receive/retry_request.h"
#include "posthorn/base/result.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// What our own devices say to this one and nobody sees. Believed: it came from one of them.
class OwnDeviceNews {
 public:
  virtual ~OwnDeviceNews() = default;
  /// Keeps of it what has to be kept, inside the batch's transaction.
  virtual Result<void> write(const wire::Jid& device, const std::string& message_id,
                             const wa::Message::ProtocolMessage& news) = 0;
  /// All of that is on disk.
  virtual void afterwards(const std::string& message_id,
                          const wa::Message::ProtocolMessage& news) = 0;
};

/// What becomes of one <message>: an event, a request to send it again, or a message that nobody
/// could read; and what is kept of it.
class Inbound {
 public:
  /// All outlive this. protocol: on staged keys.
  Inbound(const MessageContext& context, ReceiveLane& lane, signal::Protocol& protocol,
          Tokens& tokens, OwnDeviceNews& own_devices, store::AwaitedStore& awaited,
          Awaited::AskPhone ask_phone);

  /// For the lane. Errors: io and the like; what a stanza says makes one at most once, then it is
  /// refused.
  [[nodiscard]] Result<LaneWork> take(const wire::Node& stanza, bool batch_open);
  /// The connection is gone: the server will deliver what was not acked.
  void forget_waiting();
  void on_online() { awaited_.on_online(); }
  Result<void> on_logged_out() { return awaited_.forget_all(); }

 private:
  [[nodiscard]] Result<LaneWork> read(const wire::Node& stanza, bool batch_open);
  [[nodiscard]] LaneWork refuse(const wire::Node& stanza);
  [[nodiscard]] LaneWork work_of(Reception reception, const std::string& id);
  Result<void> ask_again(LaneWork& work, Reception& reception);
  void give_up(LaneWork& work, Reception& reception);
  void await(LaneWork& work, Reception& reception, const wire::Node& stanza, Awaited::From from);
  void tell_undecryptable(LaneWork& work, const wire::Node& stanza);
  void end_waiting(Reception& reception);
  void ask_for(const Reception& reception);
  void show_given_up(std::uint64_t key, const wire::Node& stanza);
  void take_copies(const wa::Message::PeerDataOperationRequestResponseMessage& answer);
  [[nodiscard]] Result<LaneWork> read_copy(const wa::WebMessageInfo& info);
  [[nodiscard]] Result<Message> undecryptable(const wire::Node& stanza);
  Result<void> write_reception(const Reception& reception, const std::string& id);

  const MessageContext& context_;
  ReceiveLane& lane_;
  Tokens& tokens_;
  OwnDeviceNews& own_devices_;
  Receiver receiver_;
  RetryRequests retries_;
  Awaited awaited_;
  std::set<std::string> refused_;  ///< ids of messages that made a batch fail, since the start
};

}  // namespace posthorn::chat
