#include "chat/lane/staged_keys.h"

namespace posthorn::chat {

using signal::Address;
using signal::KeyChanges;
using signal::SenderKeyName;

bool StagedKeys::forgotten(const Address& address) const {
  return forgotten_.contains(address.name);
}

bool StagedKeys::empty() const {
  return sessions_.empty() && identities_.empty() && sender_keys_.empty() &&
         used_pre_keys_.empty() && forgotten_.empty();
}

void StagedKeys::discard() {
  sessions_.clear();
  identities_.clear();
  sender_keys_.clear();
  leapt_sessions_.clear();
  leapt_sender_keys_.clear();
  used_pre_keys_.clear();
  forgotten_.clear();
}

Result<void> StagedKeys::flush() {
  for (const std::string& name : forgotten_) {
    TRY(base_.forget_peer(name));
  }
  for (const auto& [address, key] : identities_) {
    KeyChanges changes;
    changes.peer_identity = KeyChanges::PeerIdentity{address, key};
    TRY(base_.apply(changes));
  }
  for (const auto& [address, record] : sessions_) {
    if (!record) {
      TRY(base_.delete_session(address));
      continue;
    }
    KeyChanges changes;
    changes.session = KeyChanges::Session{address, *record, leapt_sessions_.contains(address)};
    TRY(base_.apply(changes));
  }
  for (const auto& [name, record] : sender_keys_) {
    if (!record) {
      TRY(base_.delete_sender_key(name));
      continue;
    }
    KeyChanges changes;
    changes.sender_key = KeyChanges::SenderKey{name, *record, leapt_sender_keys_.contains(name)};
    TRY(base_.apply(changes));
  }
  for (const std::uint32_t id : used_pre_keys_) {
    KeyChanges changes;
    changes.used_pre_key = id;
    TRY(base_.apply(changes));
  }
  return {};
}

Result<void> StagedKeys::apply(const KeyChanges& changes) {
  if (changes.session) {
    sessions_[changes.session->address] = changes.session->record;
    if (changes.session->leapt) leapt_sessions_.insert(changes.session->address);
  }
  if (changes.peer_identity) {
    identities_[changes.peer_identity->address] = changes.peer_identity->key;
  }
  if (changes.sender_key) {
    sender_keys_[changes.sender_key->name] = changes.sender_key->record;
    if (changes.sender_key->leapt) leapt_sender_keys_.insert(changes.sender_key->name);
  }
  if (changes.used_pre_key) used_pre_keys_.insert(*changes.used_pre_key);
  return {};
}

Result<std::optional<Bytes>> StagedKeys::session(const Address& address) {
  if (const auto at = sessions_.find(address); at != sessions_.end()) return at->second;
  if (forgotten(address)) return std::optional<Bytes>();
  return base_.session(address);
}

Result<bool> StagedKeys::has_session(const Address& address) {
  if (const auto at = sessions_.find(address); at != sessions_.end()) return at->second.has_value();
  if (forgotten(address)) return false;
  return base_.has_session(address);
}

Result<void> StagedKeys::delete_session(const Address& address) {
  sessions_[address] = std::nullopt;
  return {};
}

Result<std::optional<signal::PublicKey>> StagedKeys::peer_identity(const Address& address) {
  if (const auto at = identities_.find(address); at != identities_.end()) {
    return std::optional(at->second);
  }
  if (forgotten(address)) return std::optional<signal::PublicKey>();
  return base_.peer_identity(address);
}

Result<void> StagedKeys::forget_peer(std::string_view name) {
  std::erase_if(sessions_, [&](const auto& entry) { return entry.first.name == name; });
  std::erase_if(identities_, [&](const auto& entry) { return entry.first.name == name; });
  forgotten_.emplace(name);
  return {};
}

Result<std::optional<signal::PreKey>> StagedKeys::pre_key(std::uint32_t id) {
  if (used_pre_keys_.contains(id)) return std::optional<signal::PreKey>();
  return base_.pre_key(id);
}

Result<std::optional<Bytes>> StagedKeys::sender_key(const SenderKeyName& name) {
  if (const auto at = sender_keys_.find(name); at != sender_keys_.end()) return at->second;
  return base_.sender_key(name);
}

Result<void> StagedKeys::delete_sender_key(const SenderKeyName& name) {
  sender_keys_[name] = std::nullopt;
  return {};
}

Result<std::optional<signal::OwnIdentity>> StagedKeys::own_identity() {
  return base_.own_identity();
}

Result<void> StagedKeys::save_own_identity(const signal::OwnIdentity& identity) {
  return base_.save_own_identity(identity);
}

Result<std::vector<std::uint32_t>> StagedKeys::add_pre_keys(std::span<const signal::KeyPair> pairs,
                                                            signal::PreKeyState state) {
  return base_.add_pre_keys(pairs, state);
}

Result<std::vector<signal::PreKey>> StagedKeys::unoffered_pre_keys(std::size_t limit) {
  return base_.unoffered_pre_keys(limit);
}

Result<std::size_t> StagedKeys::unoffered_pre_key_count() {
  return base_.unoffered_pre_key_count();
}

Result<void> StagedKeys::mark_offered(std::span<const std::uint32_t> ids) {
  return base_.mark_offered(ids);
}

Result<void> StagedKeys::mark_none_offered() { return base_.mark_none_offered(); }

Result<std::optional<signal::SignedPreKey>> StagedKeys::signed_pre_key(std::uint32_t id) {
  return base_.signed_pre_key(id);
}

Result<std::optional<signal::SignedPreKey>> StagedKeys::signed_pre_key(
    signal::SignedPreKeyState state) {
  return base_.signed_pre_key(state);
}

Result<signal::SignedPreKey> StagedKeys::add_pending_signed_pre_key(
    const signal::SignedPreKey& key) {
  return base_.add_pending_signed_pre_key(key);
}

Result<void> StagedKeys::make_current(std::uint32_t id) { return base_.make_current(id); }

Result<void> StagedKeys::discard_pending_signed_pre_key() {
  return base_.discard_pending_signed_pre_key();
}

}  // namespace posthorn::chat
