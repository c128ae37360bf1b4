#include "chat/state/keyring.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

constexpr std::size_t kMaxKeyId = 32;
constexpr std::size_t kMaxFingerprint = 1024;
constexpr std::size_t kKeyBytes = 32;
constexpr int kMaxPerMessage = 200;
constexpr std::size_t kExpandedMax = 16;

std::uint64_t number(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

}  // namespace

bool is_newer_key(ByteView id, ByteView than) {
  constexpr std::size_t kIdBytes = 6;
  if (id.size() != kIdBytes) return false;
  if (than.size() != kIdBytes) return true;
  const std::uint64_t epoch = number(id.subspan(2));
  const std::uint64_t other = number(than.subspan(2));
  return epoch != other ? epoch > other : number(id.first(2)) < number(than.first(2));
}

Result<bool> Keyring::take(const wa::Message::AppStateSyncKeyShare& share) {
  bool news = false;
  int taken = 0;
  for (const auto& key : share.keys()) {
    const ByteView id = as_bytes(key.keyid().keyid());
    const ByteView data = as_bytes(key.keydata().keydata());
    // Without data: that device does not have it either.
    if (id.empty() || id.size() > kMaxKeyId || data.size() != kKeyBytes) continue;
    if (++taken > kMaxPerMessage) break;
    TRY(const auto known, store_.key(id));
    if (known && std::ranges::equal(*known, data)) continue;
    store::SyncStore::Key row;
    row.id = to_bytes(id);
    row.data = to_bytes(data);
    row.fingerprint = to_bytes(as_bytes(key.keydata().fingerprint().SerializeAsString()));
    if (row.fingerprint.size() > kMaxFingerprint) row.fingerprint.clear();
    row.timestamp = key.keydata().timestamp();
    TRY(store_.save_key(row));
    expanded_.erase(row.id);
    news = true;
  }
  return news;
}

Result<std::optional<wire::SyncKeys>> Keyring::find(ByteView id) {
  const Bytes name = to_bytes(id);
  if (const auto at = expanded_.find(name); at != expanded_.end()) return std::optional(at->second);
  TRY(const auto data, store_.key(id));
  if (!data) return std::optional<wire::SyncKeys>();
  if (expanded_.size() >= kExpandedMax) expanded_.clear();
  return std::optional(expanded_.emplace(name, wire::expand_sync_key(*data)).first->second);
}

Result<std::optional<Keyring::Active>> Keyring::active() {
  TRY(const auto keys, store_.keys());
  const Bytes* newest = nullptr;
  for (const auto& key : keys) {
    if (newest == nullptr || is_newer_key(key.id, *newest)) newest = &key.id;
  }
  if (newest == nullptr) return std::optional<Active>();
  TRY(auto expanded, find(*newest));
  if (!expanded) return std::optional<Active>();
  return std::optional(Active{*newest, *expanded});
}

Result<void> Keyring::ask(ByteView id) {
  const std::int64_t now = context_.clock.now().unix_seconds();
  TRY(const std::int64_t asked_at, store_.key_asked(id));
  if (asked_at != 0 && now - asked_at < std::chrono::seconds(kAskAgain).count()) return {};
  TRY(store_.save_key_asked(id, now));
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::APP_STATE_SYNC_KEY_REQUEST);
  protocol.mutable_appstatesynckeyrequest()->add_keyids()->set_keyid(to_string(id));
  peers_.send(std::move(message), PeerMessages::To::all_devices, [](Result<void> sent) {
    if (!sent) log::warn("state", "a sync key was not asked for", {{"why", sent.error()}});
  });
  return {};
}

Result<void> Keyring::answer(const wire::Jid& device,
                             const wa::Message::AppStateSyncKeyRequest& request) {
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::APP_STATE_SYNC_KEY_SHARE);
  auto& share = *protocol.mutable_appstatesynckeyshare();
  TRY(const auto keys, store_.keys());
  int answered = 0;
  for (const auto& asked : request.keyids()) {
    if (++answered > kMaxPerMessage) break;
    auto& entry = *share.add_keys();
    *entry.mutable_keyid() = asked;
    const auto known = std::find_if(keys.begin(), keys.end(), [&](const auto& key) {
      return std::ranges::equal(key.id, as_bytes(asked.keyid()));
    });
    if (known == keys.end()) continue;  // an id alone says: not here either
    auto& data = *entry.mutable_keydata();
    data.set_keydata(to_string(known->data));
    data.set_timestamp(known->timestamp);
    if (!data.mutable_fingerprint()->ParseFromString(to_string(known->fingerprint)))
      data.clear_fingerprint();
  }
  if (answered == 0) return {};
  peers_.answer(std::move(message), device, [](Result<void> sent) {
    if (!sent) log::warn("state", "sync keys were not handed on", {{"why", sent.error()}});
  });
  return {};
}

}  // namespace posthorn::chat
