#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "posthorn/base/clock.h"
#include "posthorn/base/config.h"
#include "posthorn/base/identities.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/base/worker.h"
#include "posthorn/session/events.h"
#include "posthorn/session/line.h"
#include "posthorn/session/linking.h"
#include "posthorn/session/listener.h"

namespace posthorn::store {
class Store;
}

namespace posthorn::session {

/// The shop's WhatsApp session: links, logs in, stays in (Linking), and is the line over which chat
/// speaks (Line).
class Session : public Linking, public Line {
 public:
  struct Outside {
    Scheduler& scheduler;
    Clock& clock;
    Random& random;
    Worker& worker;
    Dialer& dialer;
    store::Store& store;
    /// Before this no linked device connects, whoever asks for it (the throttle's word after a
    /// temporary ban); asked before each attempt. May be empty.
    std::function<std::optional<Wall>()> not_before = {};
  };

  /// Everything in `outside` outlives the session. Nothing happens before start().
  [[nodiscard]] static std::unique_ptr<Session> make(const WhatsAppConfig& config, Outside outside,
                                                     EventSink sink);

  /// Once, before start(). The listener outlives stop().
  virtual void join(Listener& listener) = 0;
  virtual void start() = 0;
  /// Leaves in order; pending questions get Errc::cancelled.
  virtual void stop() = 0;
};

}  // namespace posthorn::session
