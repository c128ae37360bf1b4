#pragma once

#include <string>

#include "posthorn/api/ports.h"

namespace posthorn::api {

/// The answer of receiveNotification for the head of the inbox.
[[nodiscard]] std::string notification_text(const InboxPort::Head& head);

}  // namespace posthorn::api
