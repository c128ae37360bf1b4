#pragma once

#include <map>

#include "posthorn/signal/key_store.h"

namespace posthorn::signal {

/// Keys in maps, for as long as the object lives: the simulator's customers and tests.
class MemoryKeyStore final : public KeyStore {
 public:
  Result<void> apply(const KeyChanges& changes) override;
  Result<std::optional<OwnIdentity>> own_identity() override;
  Result<void> save_own_identity(const OwnIdentity& identity) override;
  Result<std::optional<Bytes>> session(const Address& address) override;
  Result<bool> has_session(const Address& address) override;
  Result<void> delete_session(const Address& address) override;
  Result<std::optional<PublicKey>> peer_identity(const Address& address) override;
  Result<void> forget_peer(std::string_view name) override;
  Result<std::vector<std::uint32_t>> add_pre_keys(std::span<const KeyPair> pairs,
                                                  PreKeyState state) override;
  Result<std::optional<PreKey>> pre_key(std::uint32_t id) override;
  Result<std::vector<PreKey>> unoffered_pre_keys(std::size_t limit) override;
  Result<std::size_t> unoffered_pre_key_count() override;
  Result<void> mark_offered(std::span<const std::uint32_t> ids) override;
  Result<void> mark_none_offered() override;
  Result<std::optional<SignedPreKey>> signed_pre_key(std::uint32_t id) override;
  Result<std::optional<SignedPreKey>> signed_pre_key(SignedPreKeyState state) override;
  Result<SignedPreKey> add_pending_signed_pre_key(const SignedPreKey& key) override;
  Result<void> make_current(std::uint32_t id) override;
  Result<void> discard_pending_signed_pre_key() override;
  Result<std::optional<Bytes>> sender_key(const SenderKeyName& name) override;
  Result<void> delete_sender_key(const SenderKeyName& name) override;

  struct KeptPreKey {
    KeyPair key;
    PreKeyState state = PreKeyState::unoffered;
  };
  struct KeptSignedPreKey {
    SignedPreKey key;
    SignedPreKeyState state = SignedPreKeyState::pending;
  };

  std::optional<OwnIdentity> own;
  std::map<Address, Bytes> sessions;
  std::map<Address, PublicKey> identities;
  std::map<std::uint32_t, KeptPreKey> pre_keys;
  std::map<std::uint32_t, KeptSignedPreKey> signed_pre_keys;
  std::map<SenderKeyName, Bytes> sender_keys;
  std::uint32_t next_pre_key_id = 1;
  std::uint32_t next_signed_pre_key_id = 1;
};

}  // namespace posthorn::signal
