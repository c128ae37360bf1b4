#pragma once

#include <vector>

#include "chat/lane/context.h"
#include "chat/receive/receipts.h"
#include "posthorn/chat/events.h"
#include "posthorn/store/message_store.h"

namespace posthorn::chat {

/// The statuses that a receipt tells: for ids of messages of ours only, posted by the till or typed
/// on the phone, that went to the chat the receipt comes from and have not come that far yet.
/// Anybody may write anything into a receipt; ids that we do not know tell nothing.
/// kind, status: what the receipt says. Errors: io and the like.
[[nodiscard]] Result<std::vector<Receipt>> believed_statuses(
    const MessageContext& context, const IncomingReceipt& receipt, Receipt::Kind kind,
    store::MessageStore::Sent::Status status);

}  // namespace posthorn::chat
