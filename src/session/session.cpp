#include "posthorn/session/session.h"

#include "session/core.h"

namespace posthorn::session {

std::unique_ptr<Session> Session::make(const WhatsAppConfig& config, Outside outside,
                                       EventSink sink) {
  return std::make_unique<Core>(config, std::move(outside), std::move(sink));
}

}  // namespace posthorn::session
