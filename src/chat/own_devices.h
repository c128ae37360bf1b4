#pragma once

#include <string>

#include "chat/history/history.h"
#include "chat/history/on_demand.h"
#include "chat/receive/inbound.h"
#include "chat/state/app_state.h"
#include "chat/state/keyring.h"

namespace posthorn::chat {

/// Takes what our own devices say to the room that it is for.
class OwnDevices final : public OwnDeviceNews {
 public:
  /// All outlive this.
  OwnDevices(Keyring& keys, AppState& state, History& history, OnDemandHistory& on_demand)
      : keys_(keys), state_(state), history_(history), on_demand_(on_demand) {}

  Result<void> write(const wire::Jid& device, const std::string& message_id,
                     const wa::Message::ProtocolMessage& news) override;
  void afterwards(const std::string& message_id, const wa::Message::ProtocolMessage& news) override;

 private:
  Keyring& keys_;
  AppState& state_;
  History& history_;
  OnDemandHistory& on_demand_;
  bool new_keys_ = false;  ///< written, and not yet on disk
};

}  // namespace posthorn::chat
