#pragma once

#include <memory>

#include "posthorn/base/clock.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/chat/events.h"
#include "posthorn/session/line.h"
#include "posthorn/store/group_store.h"
#include "posthorn/store/media_store.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/store.h"
#include "posthorn/store/view_store.h"

namespace posthorn::chat {

class Addressing;
class Names;

/// What the parts of message handling share. Everything outlives them.
struct MessageContext {
  session::Line& line;
  const EventSink& sink;
  Scheduler& scheduler;
  const Clock& clock;
  Random& random;
  store::Store& store;
  store::MessageStore& messages;
  store::GroupStore& groups;
  store::MediaStore& media;
  store::ViewStore& views;
  Names& names;
  Addressing& addressing;
  /// False once message handling has ended; shared with answers that may come after that.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  /// Others see the account as there: announced on this connection and not taken back. Shared with
  /// who announces it.
  std::shared_ptr<bool> available = std::make_shared<bool>(false);
};

}  // namespace posthorn::chat
