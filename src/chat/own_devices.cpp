#include "chat/own_devices.h"

#include <utility>

namespace posthorn::chat {

using Protocol = wa::Message::ProtocolMessage;
Result<void> OwnDevices::write(const wire::Jid& device, const std::string& message_id,
                               const Protocol& news) {
  if (news.type() == Protocol::APP_STATE_SYNC_KEY_SHARE) {
    TRY(const bool taken, keys_.take(news.appstatesynckeyshare()));
    new_keys_ = new_keys_ || taken;
  }
  if (news.type() == Protocol::APP_STATE_SYNC_KEY_REQUEST) {
    TRY(keys_.answer(device, news.appstatesynckeyrequest()));
  }
  if (news.type() == Protocol::HISTORY_SYNC_NOTIFICATION) {
    TRY(history_.announce(message_id, news.historysyncnotification()));
  }
  return {};
}

void OwnDevices::afterwards(const std::string&, const Protocol& news) {
  if (news.type() == Protocol::APP_STATE_SYNC_KEY_SHARE && std::exchange(new_keys_, false)) {
    state_.on_keys();
  }
  if (news.type() == Protocol::HISTORY_SYNC_NOTIFICATION) history_.on_announced();
}

}  // namespace posthorn::chat
