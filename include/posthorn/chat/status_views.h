#pragma once

#include <string>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::chat {

/// One person and one status of ours.
struct StatusView {
  std::string chat;   ///< chatId of the person
  bool seen = false;  ///< else it only came to one of their devices
  Wall at;
};

/// Who has seen the account's statuses.
class StatusViews {
 public:
  virtual ~StatusViews() = default;

  /// Of those that the box posted, the newest 5,000 views of all. Empty: nobody, or no such status.
  /// Errors: io.
  [[nodiscard]] virtual Result<std::vector<StatusView>> of(const std::string& message_id) = 0;
};

}  // namespace posthorn::chat
