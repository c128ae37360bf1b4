#pragma once

#include <string>

#include "chat/lane/context.h"
#include "posthorn/chat/earlier.h"

namespace posthorn::chat {

class EarlierFinder final : public Earlier {
 public:
  explicit EarlierFinder(const MessageContext& context) : context_(context) {}
  [[nodiscard]] Result<std::optional<EarlierMessage>> find(const std::string& chat,
                                                           const std::string& message_id) override;

 private:
  const MessageContext& context_;
};

}  // namespace posthorn::chat
