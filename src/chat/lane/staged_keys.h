#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "posthorn/signal/key_store.h"

namespace posthorn::chat {

/// Signal's keys as they will be once a batch of received messages is committed: changes are kept
/// in memory above the real store until flush(), so that nothing of a message is stored before its
/// notification is, and a busy session is written once per batch, not once per message. A database
/// transaction cannot do this: it would stay open over turns of the loop in which others write.
class StagedKeys final : public signal::KeyStore {
 public:
  /// base outlives this.
  explicit StagedKeys(signal::KeyStore& base) : base_(base) {}

  /// Writes what is staged to the base; call inside a transaction, and discard() when it is
  /// through.
  Result<void> flush();
  void discard();
  [[nodiscard]] bool empty() const;

  [[nodiscard]] bool lost_keys() const override { return base_.lost_keys(); }
  [[nodiscard]] std::uint64_t life() override { return base_.life(); }
  [[nodiscard]] std::uint64_t exact_since() override { return base_.exact_since(); }
  Result<void> apply(const signal::KeyChanges& changes) override;
  Result<std::optional<Bytes>> session(const signal::Address& address) override;
  Result<bool> has_session(const signal::Address& address) override;
  Result<void> delete_session(const signal::Address& address) override;
  Result<std::optional<signal::PublicKey>> peer_identity(const signal::Address& address) override;
  Result<void> forget_peer(std::string_view name) override;
  Result<std::optional<signal::PreKey>> pre_key(std::uint32_t id) override;
  Result<std::optional<Bytes>> sender_key(const signal::SenderKeyName& name) override;
  Result<void> delete_sender_key(const signal::SenderKeyName& name) override;

  // Our own keys are not staged: what is made here is handed out only after it is in the base.
  Result<std::optional<signal::OwnIdentity>> own_identity() override;
  Result<void> save_own_identity(const signal::OwnIdentity& identity) override;
  Result<std::vector<std::uint32_t>> add_pre_keys(std::span<const signal::KeyPair> pairs,
                                                  signal::PreKeyState state) override;
  Result<std::vector<signal::PreKey>> unoffered_pre_keys(std::size_t limit) override;
  Result<std::size_t> unoffered_pre_key_count() override;
  Result<void> mark_offered(std::span<const std::uint32_t> ids) override;
  Result<void> mark_none_offered() override;
  Result<std::optional<signal::SignedPreKey>> signed_pre_key(std::uint32_t id) override;
  Result<std::optional<signal::SignedPreKey>> signed_pre_key(
      signal::SignedPreKeyState state) override;
  Result<signal::SignedPreKey> add_pending_signed_pre_key(const signal::SignedPreKey& key) override;
  Result<void> make_current(std::uint32_t id) override;
  Result<void> discard_pending_signed_pre_key() override;

 private:
  [[nodiscard]] bool forgotten(const signal::Address& address) const;

  signal::KeyStore& base_;
  std::map<signal::Address, std::optional<Bytes>> sessions_;  ///< nullopt: deleted
  std::map<signal::Address, signal::PublicKey> identities_;
  std::map<signal::SenderKeyName, std::optional<Bytes>> sender_keys_;
  std::set<signal::Address> leapt_sessions_;
  std::set<signal::SenderKeyName> leapt_sender_keys_;
  std::set<std::uint32_t> used_pre_keys_;
  std::set<std::string, std::less<>> forgotten_;  ///< names whose rows in the base do not count
};

}  // namespace posthorn::chat
