#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/signal/address.h"
#include "posthorn/signal/curve.h"

namespace posthorn::signal {

/// Prekey ids travel in three bytes: 1 .. kMaxPreKeyId, then 1 again.
constexpr std::uint32_t kMaxPreKeyId = 0xFFFFFF;

/// Made before linking, kept until logout.
struct OwnIdentity {
  KeyPair key;
  std::uint32_t registration_id = 0;  ///< 1 .. 16380

  bool operator==(const OwnIdentity&) const = default;
};

/// One of our one-time prekeys.
struct PreKey {
  std::uint32_t id = 0;
  KeyPair key;

  bool operator==(const PreKey&) const = default;
};

/// One of our signed prekeys.
struct SignedPreKey {
  std::uint32_t id = 0;
  KeyPair key;
  Signature signature{};  ///< by our identity, over 05 and the public key
  Wall made;

  bool operator==(const SignedPreKey&) const = default;
};

/// Who knows of a one-time prekey. Stored: do not renumber.
enum class PreKeyState : std::uint8_t {
  unoffered = 0,
  offered = 1,   ///< the server has it
  in_retry = 2,  ///< one peer got it in a retry receipt: never for the server (chapter 04 5.2)
};
/// Anybody can make us ask him for a message again, each time with a key that he need not use.
inline constexpr std::size_t kRetryKeysMost = 2'000;

/// pending: made, not yet confirmed by the server. current: the one in our bundle.
/// previous: kept for messages to older bundles. Stored: do not renumber.
enum class SignedPreKeyState : std::uint8_t { pending = 0, current = 1, previous = 2 };

/// Names a sender key: the group's JID as text and the member's address.
struct SenderKeyName {
  std::string group;
  Address sender;

  auto operator<=>(const SenderKeyName&) const = default;
};

/// What one operation of Protocol changes.
struct KeyChanges {
  struct Session {
    Address address;
    Bytes record;
    bool leapt = false;  ///< its chains went on beyond what an earlier life may have sent
  };
  struct PeerIdentity {
    Address address;
    PublicKey key;
  };
  struct SenderKey {
    SenderKeyName name;
    Bytes record;
    bool leapt = false;
  };
  std::optional<Session> session;
  std::optional<PeerIdentity> peer_identity;
  std::optional<SenderKey> sender_key;
  std::optional<std::uint32_t> used_pre_key;  ///< to be deleted

  [[nodiscard]] bool empty() const {
    return !session && !peer_identity && !sender_key && !used_pre_key;
  }
};

/// What Protocol needs kept; store::Store keeps it in SQLite, MemoryKeyStore in maps.
///
/// Every call sees what was saved before it, also inside a transaction of the caller. Errors: io.
/// Records are the library's serialized forms and opaque here.
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  /// Runs done when everything saved so far survives a power cut. Here: at once, for stores that
  /// live as long as the process.
  virtual void durable(Once<void(Result<void>)> done) { done({}); }

  /// Keys were lost since the program before: the server may hold others than these.
  [[nodiscard]] virtual bool lost_keys() const { return false; }

  /// Stores that let messages leave before their records are on disk give the program's lives
  /// numbers: a record says in which it was written, and one from before exact_since() may stand up
  /// to 64 numbers behind what its chains have sent (store/lease.h). 0: all are exact.
  [[nodiscard]] virtual std::uint64_t life() { return 0; }
  [[nodiscard]] virtual std::uint64_t exact_since() { return 0; }

  /// Applies all of it or none of it. Inside a transaction of the caller it becomes part of that.
  virtual Result<void> apply(const KeyChanges& changes) = 0;

  [[nodiscard]] virtual Result<std::optional<OwnIdentity>> own_identity() = 0;
  virtual Result<void> save_own_identity(const OwnIdentity& identity) = 0;

  [[nodiscard]] virtual Result<std::optional<Bytes>> session(const Address& address) = 0;
  [[nodiscard]] virtual Result<bool> has_session(const Address& address) = 0;
  virtual Result<void> delete_session(const Address& address) = 0;
  [[nodiscard]] virtual Result<std::optional<PublicKey>> peer_identity(const Address& address) = 0;
  /// Sessions and identities of all devices of that name (identity change, chapter 05 section 5.4).
  virtual Result<void> forget_peer(std::string_view name) = 0;

  /// Our one-time prekeys. add_pre_keys keeps new pairs and gives them the next ids of one
  /// persistent counter. Of those in retry receipts the newest kRetryKeysMost stay.
  virtual Result<std::vector<std::uint32_t>> add_pre_keys(std::span<const KeyPair> pairs,
                                                          PreKeyState state) = 0;
  [[nodiscard]] virtual Result<std::optional<PreKey>> pre_key(std::uint32_t id) = 0;
  /// Not yet offered, oldest first.
  [[nodiscard]] virtual Result<std::vector<PreKey>> unoffered_pre_keys(std::size_t limit) = 0;
  [[nodiscard]] virtual Result<std::size_t> unoffered_pre_key_count() = 0;
  virtual Result<void> mark_offered(std::span<const std::uint32_t> ids) = 0;
  /// The server lost them (digest 404): all that are left of those it had may be uploaded again.
  virtual Result<void> mark_none_offered() = 0;

  [[nodiscard]] virtual Result<std::optional<SignedPreKey>> signed_pre_key(std::uint32_t id) = 0;
  /// The one in that state; of the previous ones the newest.
  [[nodiscard]] virtual Result<std::optional<SignedPreKey>> signed_pre_key(
      SignedPreKeyState state) = 0;
  /// Keeps a new one as pending under the next id (the id in `key` is ignored); replaces a pending
  /// one.
  virtual Result<SignedPreKey> add_pending_signed_pre_key(const SignedPreKey& key) = 0;
  /// The pending one with that id becomes current; the two newest previous ones are kept.
  /// Errors: not_found.
  virtual Result<void> make_current(std::uint32_t id) = 0;
  virtual Result<void> discard_pending_signed_pre_key() = 0;

  [[nodiscard]] virtual Result<std::optional<Bytes>> sender_key(const SenderKeyName& name) = 0;
  virtual Result<void> delete_sender_key(const SenderKeyName& name) = 0;
};

}  // namespace posthorn::signal
