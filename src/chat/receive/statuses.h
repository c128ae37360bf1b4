#pragma once

#include <cstddef>
#include <memory>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/receive/receipts.h"
#include "posthorn/base/function.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// What becomes of one <receipt>: how far a message of ours has come, or that we have read
/// something on another device.
class Statuses {
 public:
  /// context outlives this. on_retry: a device asks for a message again (<receipt type="retry">);
  /// its ack is the callee's.
  Statuses(const MessageContext& context, Function<void(const wire::Node& stanza)> on_retry);
  ~Statuses();
  Statuses(const Statuses&) = delete;
  Statuses& operator=(const Statuses&) = delete;

  /// Gives what the receipt leads to into the lane.
  void push(wire::Node stanza, ReceiveLane& lane);
  /// Receipts that are told and not stored yet.
  [[nodiscard]] std::size_t open() const { return open_; }

 private:
  struct ToldReceipt;
  /// stanza: its content is there for retry requests only. Errors: io and the like.
  [[nodiscard]] Result<LaneWork> take(const wire::Node& stanza,
                                      const Result<IncomingReceipt>& receipt);
  Result<void> take_status(const IncomingReceipt& receipt, wire::Node ack);
  Result<void> note_view(const IncomingReceipt& receipt, const wire::Jid& author,
                         store::MessageStore::Sent::Status status);
  void tell(Receipt event, store::MessageStore::Sent::Status status,
            const std::shared_ptr<ToldReceipt>& told);
  void finish(ToldReceipt& told);
  Result<void> take_own_read(const IncomingReceipt& receipt, LaneWork& work);

  const MessageContext& context_;
  Function<void(const wire::Node&)> on_retry_;
  std::size_t open_ = 0;
  /// Shared with callbacks that may come after this is gone.
  std::shared_ptr<Statuses*> self_ = std::make_shared<Statuses*>(this);
};

}  // namespace posthorn::chat
