#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/worker.h"
#include "posthorn/signal/address.h"
#include "posthorn/signal/curve.h"
#include "posthorn/signal/key_store.h"

namespace posthorn::signal {

/// A peer device's keys as the server or a retry receipt gives them.
struct Bundle {
  struct OneTime {
    std::uint32_t id = 0;
    PublicKey key{};
  };
  std::uint32_t registration_id = 0;
  PublicKey identity{};
  std::uint32_t signed_pre_key_id = 0;
  PublicKey signed_pre_key{};
  Signature signature{};
  std::optional<OneTime> one_time;  ///< absent: the server ran out of them
};

enum class MessageType : std::uint8_t { pkmsg, msg };
/// "pkmsg", "msg": the attribute `type` of <enc>.
[[nodiscard]] std::string_view to_string(MessageType type);

struct Encrypted {
  MessageType type = MessageType::msg;
  Bytes bytes;
};

struct Decrypted {
  Bytes plaintext;  ///< still padded: unpad()
  /// The peer's identity key is another than the one we knew (a first one is no change).
  bool identity_changed = false;
};

/// Why a message could not be read. The retry reason follows from it (chapter 05 section 9.6).
enum class DecryptError : std::uint8_t {
  duplicate,        ///< read before: no event, send the normal receipt
  no_session,       ///< no session, or no sender key: retry reason 1
  invalid_key,      ///< bad point: retry reason 2
  invalid_key_id,   ///< our prekey is not there (used or lost): retry reason 3, with keys
  invalid_message,  ///< MAC, counter or padding wrong on every state: retry reason 4
  too_far,          ///< more than 512 messages ahead of its chain: retry reason 4, with keys
  bad_version,      ///< legacy or unknown version byte: ack 491, no retry
  malformed,        ///< not a Signal message: ack 491, no retry
  internal,         ///< store or memory failed: no ack, the server delivers again
};
[[nodiscard]] std::string_view to_string(DecryptError error);
/// The number for <retry error="…">; 0 where no retry is asked for.
[[nodiscard]] int retry_reason(DecryptError error);

struct DecryptFailure {
  DecryptError kind = DecryptError::internal;
  Error error;
};
using DecryptResult = tl::expected<Decrypted, DecryptFailure>;

/// X3DH, double ratchet and sender keys over libsignal-protocol-c 2.3.3.
///
/// Every call is one operation: what it changes is collected and given to KeyStore::apply when it
/// has succeeded, so a failed call leaves the store as it was. A caller that also writes what the
/// message means (dedupe id, event) opens a transaction around both. Sending: commit before the
/// stanza leaves.
/// One thread; operations do not overlap. Cost on amd64 (tests/bench/signal_bench.cpp): a message
/// in a running chain 11 us (35 us with its commit in store::Store), a turn of the ratchet 0.5 ms,
/// a new session 1 ms.
class Protocol {
 public:
  /// Both outlive this.
  Protocol(KeyStore& store, Random& random);
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  ~Protocol();

  // Our own keys ----------------------------------------------------------------------------------

  /// Ours, made at the first call together with registration id and the first signed prekey.
  /// now: stamped on the signed prekey.
  Result<OwnIdentity> own_identity(Wall now);
  /// The signed prekey of our bundle. Errors: not_found before own_identity().
  Result<SignedPreKey> current_signed_pre_key();
  /// The pending one, made at the first call (rotation, chapter 04 section 5.3): send it to the
  /// server, then KeyStore::make_current or ::discard_pending_signed_pre_key.
  Result<SignedPreKey> next_signed_pre_key(Wall now);

  /// Sees to it that `count` one-time prekeys wait to be offered, then gives the oldest `count`:
  /// durable before `done`; upload them, then KeyStore::mark_offered. The arithmetic (0.2 ms each
  /// on amd64, 1-2 ms on small ARM boards) runs on the worker.
  void pre_keys_to_offer(std::size_t count, Worker& worker,
                         Once<void(Result<std::vector<PreKey>>)> done);
  /// One for a retry receipt, never for the server: the one with the id `again` while nobody has
  /// used it, else a fresh one.
  Result<PreKey> pre_key_for_retry(std::optional<std::uint32_t> again = std::nullopt);

  // Sessions --------------------------------------------------------------------------------------

  [[nodiscard]] Result<bool> has_session(const Address& peer);
  /// Builds a session towards that device; an older one is archived in it.
  /// true: the peer's identity key changed. Errors: crypto (signature of the signed prekey, bad
  /// point).
  Result<bool> process_bundle(const Address& peer, const Bundle& bundle);
  /// padded: pad(). Errors: not_found (no session), io.
  Result<Encrypted> encrypt(const Address& peer, ByteView padded);
  [[nodiscard]] DecryptResult decrypt_pkmsg(const Address& peer, ByteView message);
  [[nodiscard]] DecryptResult decrypt_msg(const Address& peer, ByteView message);

  /// Of the session; nullopt: no session.
  [[nodiscard]] Result<std::optional<std::uint32_t>> remote_registration_id(const Address& peer);
  /// The 33-byte base key the session was built with: tells whether a retry still concerns the same
  /// session (chapter 06 section 8). nullopt: no session.
  [[nodiscard]] Result<std::optional<Bytes>> session_base_key(const Address& peer);
  Result<void> delete_session(const Address& peer);
  [[nodiscard]] Result<std::optional<PublicKey>> peer_identity(const Address& peer);

  // Sender keys (groups) --------------------------------------------------------------------------

  /// Which key of ours it is, and how many messages it has sealed; nullopt: there is none.
  struct SenderKeyState {
    std::uint32_t id = 0;
    std::uint32_t iteration = 0;
  };
  [[nodiscard]] Result<std::optional<SenderKeyState>> own_sender_key(const SenderKeyName& own);
  /// The distribution message of our sender key as it stands, made when there is none. Take it
  /// before encrypt_group, so that who gets it can read that message.
  Result<Bytes> create_distribution(const SenderKeyName& own);
  /// Takes a member's distribution message. One for a state we have (same id, same signing key) is
  /// ignored, since it would make read messages readable again (chapter 05 section 6.3).
  [[nodiscard]] tl::expected<void, DecryptFailure> process_distribution(const SenderKeyName& name,
                                                                        ByteView distribution);
  /// Errors: not_found (no sender key of ours).
  Result<Bytes> encrypt_group(const SenderKeyName& own, ByteView padded);
  [[nodiscard]] DecryptResult decrypt_group(const SenderKeyName& name, ByteView message);
  /// The next create_distribution makes a new key.
  Result<void> rotate_sender_key(const SenderKeyName& own);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::signal
