#include "chat/own_devices.h"

#include <utility>

namespace posthorn::chat {

using Protocol = wa::Message::ProtocolMessage;

namespace {

/// What nobody waits for any more after a restart need not be kept.
bool is_answer(const Protocol& news) {
  return is_type(news.historysyncnotification(), HistoryType::on_demand);
}

}  // namespace

Result<void> OwnDevices::write(const wire::Jid& device, const std::string& message_id,
                               const Protocol& news) {
  if (news.type() == Protocol::APP_STATE_SYNC_KEY_SHARE) {
    TRY(const bool taken, keys_.take(news.appstatesynckeyshare()));
    new_keys_ = new_keys_ || taken;
  }
  if (news.type() == Protocol::APP_STATE_SYNC_KEY_REQUEST) {
    TRY(keys_.answer(device, news.appstatesynckeyrequest()));
  }
  if (news.type() == Protocol::HISTORY_SYNC_NOTIFICATION && !is_answer(news)) {
    TRY(history_.announce(message_id, news.historysyncnotification()));
  }
  return {};
}

void OwnDevices::afterwards(const std::string& message_id, const Protocol& news) {
  if (news.type() == Protocol::APP_STATE_SYNC_KEY_SHARE && std::exchange(new_keys_, false)) {
    state_.on_keys();
  }
  if (news.type() != Protocol::HISTORY_SYNC_NOTIFICATION) return;
  const HistoryNotification& history = news.historysyncnotification();
  if (is_answer(news)) return on_demand_.take(message_id, history);
  history_.on_announced(history);
  if (is_type(history, HistoryType::no_history)) on_demand_.take(message_id, history);
}

}  // namespace posthorn::chat
