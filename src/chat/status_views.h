#pragma once

#include "chat/lane/context.h"
#include "posthorn/chat/status_views.h"

namespace posthorn::chat {

/// The views that receipts have told, under the names that the API uses.
class StoredViews final : public StatusViews {
 public:
  /// context outlives this.
  explicit StoredViews(const MessageContext& context) : context_(context) {}

  Result<std::vector<StatusView>> of(const std::string& message_id) override;

 private:
  const MessageContext& context_;
};

}  // namespace posthorn::chat
