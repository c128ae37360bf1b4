#include <sqlite3.h>

#include <algorithm>

#include "store/peer_bounds.h"
#include "store/store_impl.h"

namespace posthorn::store {

using signal::KeyChanges;
using signal::SignedPreKeyState;

namespace {

constexpr std::string_view kPreKeyCounter = "pre_key";
constexpr std::string_view kSignedPreKeyCounter = "signed_pre_key";

template <class Array>
Result<Array> array_of(ByteView bytes) {
  Array out;
  if (bytes.size() != out.size()) return fail(Errc::malformed, "stored key has a wrong length");
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

/// From columns `first` (public) and the one behind it (private).
Result<signal::KeyPair> read_pair(const Query& query, int first) {
  TRY(auto public_key, array_of<signal::PublicKey>(query.blob(first)));
  TRY(auto private_key, array_of<signal::PrivateKey>(query.blob(first + 1)));
  return signal::KeyPair{public_key, private_key};
}

Result<signal::PreKey> read_pre_key(const Query& query) {
  TRY(auto pair, read_pair(query, 1));
  return signal::PreKey{static_cast<std::uint32_t>(query.integer(0)), pair};
}

Result<std::optional<signal::SignedPreKey>> read_signed(Query query) {
  TRY(const bool found, query.next());
  if (!found) return std::nullopt;
  signal::SignedPreKey key;
  key.id = static_cast<std::uint32_t>(query.integer(0));
  TRY(key.key, read_pair(query, 1));
  TRY(key.signature, array_of<signal::Signature>(query.blob(3)));
  key.made = Wall{milliseconds(query.integer(4)), true};
  return key;
}

Result<std::optional<Bytes>> read_record(Query query) {
  TRY(const bool found, query.next());
  if (!found) return std::nullopt;
  return to_bytes(query.blob(0));
}

}  // namespace

Result<void> Store::Impl::apply_all(const KeyChanges& changes) {
  if (changes.peer_identity) {
    const auto& [address, key] = *changes.peer_identity;
    TRY(save_peer.run(address.name, address.device, key));
  }
  if (changes.session) {
    const auto& [address, record, leapt] = *changes.session;
    lease->step(address, leapt || !db->in_relaxed_transaction());
    TRY(update_session.run(address.name, address.device, record));
    if (!changed_a_row()) {
      TRY(add_session.run(address.name, address.device, record));
      TRY(count_new_peer());
    }
  }
  if (changes.sender_key) TRY(save_sender_key(*changes.sender_key));
  if (changes.used_pre_key) TRY(delete_pre_key.run(*changes.used_pre_key));
  return {};
}

Result<void> Store::Impl::save_sender_key(const KeyChanges::SenderKey& key) {
  const auto& [name, record, leapt] = key;
  const auto& [sender, device] = name.sender;
  lease->step({name.group, device}, leapt || !db->in_relaxed_transaction());
  TRY(update_sender_key.run(sender, device, name.group, record));
  if (changed_a_row()) return {};
  TRY(add_sender_key.run(sender, device, name.group, record));
  TRY(drop_sender_keys_over.run(sender, device, kSenderKeysPerDevice));
  return count_new_peer();
}

bool Store::Impl::changed_a_row() const { return sqlite3_changes(db->handle()) > 0; }

Result<void> Store::Impl::count_new_peer() {
  if (++new_peers < kLookAtPeersEvery) return {};
  new_peers = 0;
  return bound_peers(*db);
}

bool Store::lost_keys() const { return impl_->lost_keys; }
std::uint64_t Store::life() { return impl_->lease->life(); }
std::uint64_t Store::exact_since() { return impl_->lease->exact_since(); }

Result<void> Store::apply(const KeyChanges& changes) {
  const int count = (changes.session ? 1 : 0) + (changes.peer_identity ? 1 : 0) +
                    (changes.sender_key ? 1 : 0) + (changes.used_pre_key ? 1 : 0);
  if (count <= 1) return impl_->apply_all(changes);  // one statement is whole by itself
  TRY(Transaction transaction, impl_->db->begin());
  TRY(impl_->apply_all(changes));
  return transaction.commit();
}

Result<std::optional<signal::OwnIdentity>> Store::own_identity() {
  Query query = impl_->load_own.query();
  TRY(const bool found, query.next());
  if (!found) return std::nullopt;
  TRY(auto pair, read_pair(query, 0));
  return signal::OwnIdentity{pair, static_cast<std::uint32_t>(query.integer(2))};
}

Result<void> Store::save_own_identity(const signal::OwnIdentity& identity) {
  impl_->beside->touch();
  return impl_->save_own.run(identity.key.public_key, identity.key.private_key,
                             identity.registration_id);
}

Result<std::optional<Bytes>> Store::session(const signal::Address& address) {
  return read_record(impl_->load_session.query(address.name, address.device));
}

Result<bool> Store::has_session(const signal::Address& address) {
  return impl_->has_session.query(address.name, address.device).next();
}

Result<void> Store::delete_session(const signal::Address& address) {
  return impl_->delete_session.run(address.name, address.device);
}

Result<std::optional<signal::PublicKey>> Store::peer_identity(const signal::Address& address) {
  Query query = impl_->load_peer.query(address.name, address.device);
  TRY(const bool found, query.next());
  if (!found) return std::nullopt;
  TRY(auto key, array_of<signal::PublicKey>(query.blob(0)));
  return key;
}

Result<void> Store::forget_peer(std::string_view name) {
  TRY(Transaction transaction, impl_->db->begin());
  TRY(impl_->delete_sessions.run(name));
  TRY(impl_->delete_peers.run(name));
  return transaction.commit();
}

Result<std::uint32_t> Store::Impl::take_ids(std::string_view counter, std::size_t count) {
  std::uint32_t first = 1;
  {
    Query query = load_counter.query(counter);
    TRY(const bool found, query.next());
    if (found) first = static_cast<std::uint32_t>(query.integer(0));
  }
  const std::uint64_t next = (first - 1 + count) % signal::kMaxPreKeyId + 1;
  TRY(save_counter.run(counter, next));
  return first;
}

Result<std::vector<std::uint32_t>> Store::add_pre_keys(std::span<const signal::KeyPair> pairs,
                                                       signal::PreKeyState state) {
  TRY(Transaction transaction, impl_->db->begin());
  TRY(std::uint32_t id, impl_->take_ids(kPreKeyCounter, pairs.size()));
  std::vector<std::uint32_t> ids;
  ids.reserve(pairs.size());
  for (const signal::KeyPair& pair : pairs) {
    TRY(impl_->add_pre_key.run(id, pair.public_key, pair.private_key, static_cast<int>(state)));
    ids.push_back(id);
    id = id % signal::kMaxPreKeyId + 1;
  }
  if (state == signal::PreKeyState::in_retry) {
    TRY(impl_->drop_retry_keys.run(id, signal::kMaxPreKeyId, signal::kRetryKeysMost));
  }
  TRY(transaction.commit());
  return ids;
}

Result<std::optional<signal::PreKey>> Store::pre_key(std::uint32_t id) {
  Query query = impl_->load_pre_key.query(id);
  TRY(const bool found, query.next());
  if (!found) return std::nullopt;
  TRY(auto key, read_pre_key(query));
  return key;
}

Result<std::vector<signal::PreKey>> Store::unoffered_pre_keys(std::size_t limit) {
  std::vector<signal::PreKey> keys;
  Query query = impl_->unoffered.query(limit);
  for (;;) {
    TRY(const bool found, query.next());
    if (!found) return keys;
    TRY(auto key, read_pre_key(query));
    keys.push_back(key);
  }
}

Result<std::size_t> Store::unoffered_pre_key_count() {
  Query query = impl_->count_unoffered.query();
  TRY(query.next());
  return static_cast<std::size_t>(query.integer(0));
}

Result<void> Store::mark_offered(std::span<const std::uint32_t> ids) {
  TRY(Transaction transaction, impl_->db->begin());
  for (const std::uint32_t id : ids) TRY(impl_->offer.run(id));
  return transaction.commit();
}

Result<void> Store::mark_none_offered() { return impl_->offer_none.run(); }

Result<std::optional<signal::SignedPreKey>> Store::signed_pre_key(std::uint32_t id) {
  return read_signed(impl_->load_signed.query(id));
}

Result<std::optional<signal::SignedPreKey>> Store::signed_pre_key(SignedPreKeyState state) {
  return read_signed(impl_->load_signed_in.query(static_cast<int>(state)));
}

Result<signal::SignedPreKey> Store::add_pending_signed_pre_key(const signal::SignedPreKey& key) {
  impl_->beside->touch();
  signal::SignedPreKey kept = key;
  TRY(Transaction transaction, impl_->db->begin());
  TRY(discard_pending_signed_pre_key());
  TRY(kept.id, impl_->take_ids(kSignedPreKeyCounter, 1));
  TRY(impl_->add_signed.run(kept.id, static_cast<int>(SignedPreKeyState::pending),
                            kept.key.public_key, kept.key.private_key, kept.signature,
                            kept.made.since_epoch.count()));
  TRY(transaction.commit());
  return kept;
}

Result<void> Store::make_current(std::uint32_t id) {
  impl_->beside->touch();
  constexpr int kPending = static_cast<int>(SignedPreKeyState::pending);
  constexpr int kCurrent = static_cast<int>(SignedPreKeyState::current);
  constexpr int kPrevious = static_cast<int>(SignedPreKeyState::previous);
  TRY(Transaction transaction, impl_->db->begin());
  TRY(impl_->move_signed.run(kCurrent, kPrevious));
  {
    Query promoted = impl_->promote_signed.query(id, kCurrent, kPending);
    TRY(const bool found, promoted.next());
    if (!found) return fail(Errc::not_found, "no pending signed prekey " + std::to_string(id));
  }
  TRY(impl_->drop_old_signed.run(kPrevious));
  return transaction.commit();
}

Result<void> Store::discard_pending_signed_pre_key() {
  impl_->beside->touch();
  return impl_->drop_signed_in.run(static_cast<int>(SignedPreKeyState::pending));
}

Result<std::optional<Bytes>> Store::sender_key(const signal::SenderKeyName& name) {
  return read_record(
      impl_->load_sender_key.query(name.sender.name, name.sender.device, name.group));
}

Result<void> Store::delete_sender_key(const signal::SenderKeyName& name) {
  return impl_->delete_sender_key.run(name.sender.name, name.sender.device, name.group);
}

}  // namespace posthorn::store
