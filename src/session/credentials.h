#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/random.h"
#include "posthorn/base/time.h"
#include "posthorn/session/line.h"
#include "session/stop_rules.h"

namespace posthorn::session {

/// What the connection must know after a restart, beside Signal's own keys. One small record;
/// stored as JSON, so that an older program reads what a newer one wrote.
struct Credentials {
  crypto::Key32 noise_private{};
  Bytes adv_secret;      ///< 32 bytes
  Identity identity;     ///< pn is empty while not linked
  std::string platform;  ///< of the phone
  std::string business_name;
  std::uint32_t login_counter = 0;
  bool linked_before = false;   ///< to whatever account, on this box
  bool logged_in_once = false;  ///< a login has succeeded since linking
  bool server_has_prekeys = false;
  Bytes routing_info;                  ///< edge routing; empty: none
  std::string props_hash;              ///< of the A/B properties last told; empty: none
  std::int64_t digest_checked_at = 0;  ///< unix seconds
  std::int64_t prekey_rotated_at = 0;  ///< unix seconds
  Bytes server_key;                    ///< leaf key of the last verified chain, for IK; or empty
  std::int64_t server_key_until = 0;   ///< unix seconds

  [[nodiscard]] bool linked() const { return !identity.pn.empty(); }
};

/// Why we stand still, so that a power cut does not make the box knock again on a closed door.
struct Standstill {
  State state = State::offline;
  int code = 0;
  std::string cause;
  std::string what_to_do;
  std::optional<Wall> until;
  int attempts = 0;     ///< how often a second attempt was made
  std::string version;  ///< web version that was refused: another one may try at once

  bool operator==(const Standstill&) const = default;
};

/// Keeps both, and the last refusals as they came, in a BlobStore. What save… writes is on disk
/// after the BlobStore's durable().
class CredentialStore {
 public:
  static constexpr std::size_t kKeptStanzas = 10;
  static constexpr std::size_t kStanzaBytes = 4096;

  CredentialStore(BlobStore& blobs, Random& random) : blobs_(blobs), random_(random) {}

  /// Reads what was saved; makes noise key and ADV secret when there is nothing yet (and saves
  /// them). Errors: io; malformed (a damaged record is reported, never overwritten silently).
  Result<void> load();
  /// The one copy; change it, then save().
  [[nodiscard]] Credentials& current() { return current_; }
  [[nodiscard]] const Credentials& current() const { return current_; }
  Result<void> save();
  /// Forgets the account, but not that there was one: new noise key, new ADV secret. Not saved yet.
  void forget();

  [[nodiscard]] Result<std::optional<Standstill>> load_standstill();
  Result<void> save_standstill(const std::optional<Standstill>& standstill);

  /// Appends a refusal verbatim; the oldest beyond kKeptStanzas goes.
  Result<void> keep_stanza(Wall at, const wire::Node& stanza);

 private:
  BlobStore& blobs_;
  Random& random_;
  Credentials current_;
};

}  // namespace posthorn::session
