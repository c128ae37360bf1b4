#include "posthorn/signal/memory_key_store.h"

namespace posthorn::signal {

namespace {

template <class Map, class Key>
std::optional<typename Map::mapped_type> find(const Map& map, const Key& key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

std::uint32_t take_next(std::uint32_t& counter) {
  const std::uint32_t id = counter;
  counter = id == kMaxPreKeyId ? 1 : id + 1;
  return id;
}

}  // namespace

Result<void> MemoryKeyStore::apply(const KeyChanges& changes) {
  if (changes.session) sessions[changes.session->address] = changes.session->record;
  if (changes.peer_identity)
    identities[changes.peer_identity->address] = changes.peer_identity->key;
  if (changes.sender_key) sender_keys[changes.sender_key->name] = changes.sender_key->record;
  if (changes.used_pre_key) pre_keys.erase(*changes.used_pre_key);
  return {};
}

Result<std::optional<OwnIdentity>> MemoryKeyStore::own_identity() { return own; }

Result<void> MemoryKeyStore::save_own_identity(const OwnIdentity& identity) {
  own = identity;
  return {};
}

Result<std::optional<Bytes>> MemoryKeyStore::session(const Address& address) {
  return find(sessions, address);
}

Result<bool> MemoryKeyStore::has_session(const Address& address) {
  return sessions.contains(address);
}

Result<void> MemoryKeyStore::delete_session(const Address& address) {
  sessions.erase(address);
  return {};
}

Result<std::optional<PublicKey>> MemoryKeyStore::peer_identity(const Address& address) {
  return find(identities, address);
}

Result<void> MemoryKeyStore::forget_peer(std::string_view name) {
  std::erase_if(sessions, [name](const auto& entry) { return entry.first.name == name; });
  std::erase_if(identities, [name](const auto& entry) { return entry.first.name == name; });
  return {};
}

Result<std::vector<std::uint32_t>> MemoryKeyStore::add_pre_keys(std::span<const KeyPair> pairs,
                                                                PreKeyState state) {
  std::vector<std::uint32_t> ids;
  for (const KeyPair& pair : pairs) {
    ids.push_back(take_next(next_pre_key_id));
    pre_keys[ids.back()] = {pair, state};
  }
  return ids;
}

Result<std::optional<PreKey>> MemoryKeyStore::pre_key(std::uint32_t id) {
  const auto found = find(pre_keys, id);
  if (!found) return std::nullopt;
  return PreKey{id, found->key};
}

Result<std::vector<PreKey>> MemoryKeyStore::unoffered_pre_keys(std::size_t limit) {
  std::vector<PreKey> keys;
  for (const auto& [id, kept] : pre_keys) {
    if (keys.size() == limit) break;
    if (kept.state == PreKeyState::unoffered) keys.push_back({id, kept.key});
  }
  return keys;
}

Result<std::size_t> MemoryKeyStore::unoffered_pre_key_count() {
  std::size_t count = 0;
  for (const auto& [id, kept] : pre_keys) count += kept.state == PreKeyState::unoffered ? 1 : 0;
  return count;
}

Result<void> MemoryKeyStore::mark_offered(std::span<const std::uint32_t> ids) {
  for (const std::uint32_t id : ids) {
    if (const auto found = pre_keys.find(id); found != pre_keys.end())
      found->second.state = PreKeyState::offered;
  }
  return {};
}

Result<void> MemoryKeyStore::mark_none_offered() {
  for (auto& [id, kept] : pre_keys) {
    if (kept.state == PreKeyState::offered) kept.state = PreKeyState::unoffered;
  }
  return {};
}

Result<std::optional<SignedPreKey>> MemoryKeyStore::signed_pre_key(std::uint32_t id) {
  const auto found = find(signed_pre_keys, id);
  if (!found) return std::nullopt;
  return found->key;
}

Result<std::optional<SignedPreKey>> MemoryKeyStore::signed_pre_key(SignedPreKeyState state) {
  std::optional<SignedPreKey> newest;
  for (const auto& [id, kept] : signed_pre_keys) {
    if (kept.state == state) newest = kept.key;
  }
  return newest;
}

Result<SignedPreKey> MemoryKeyStore::add_pending_signed_pre_key(const SignedPreKey& key) {
  TRY(discard_pending_signed_pre_key());
  KeptSignedPreKey kept{key, SignedPreKeyState::pending};
  kept.key.id = take_next(next_signed_pre_key_id);
  signed_pre_keys[kept.key.id] = kept;
  return kept.key;
}

Result<void> MemoryKeyStore::make_current(std::uint32_t id) {
  const auto chosen = signed_pre_keys.find(id);
  if (chosen == signed_pre_keys.end() || chosen->second.state != SignedPreKeyState::pending) {
    return fail(Errc::not_found, "no pending signed prekey " + std::to_string(id));
  }
  for (auto& [other, kept] : signed_pre_keys) {
    if (kept.state == SignedPreKeyState::current) kept.state = SignedPreKeyState::previous;
  }
  chosen->second.state = SignedPreKeyState::current;
  while (signed_pre_keys.size() > 3) signed_pre_keys.erase(signed_pre_keys.begin());
  return {};
}

Result<void> MemoryKeyStore::discard_pending_signed_pre_key() {
  std::erase_if(signed_pre_keys,
                [](const auto& entry) { return entry.second.state == SignedPreKeyState::pending; });
  return {};
}

Result<std::optional<Bytes>> MemoryKeyStore::sender_key(const SenderKeyName& name) {
  return find(sender_keys, name);
}

Result<void> MemoryKeyStore::delete_sender_key(const SenderKeyName& name) {
  sender_keys.erase(name);
  return {};
}

}  // namespace posthorn::signal
