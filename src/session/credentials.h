#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/random.h"
#include "posthorn/base/time.h"
#include "session/link.h"
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
  bool logged_in_once = false;  ///< a login has succeeded since linking
  bool server_has_prekeys = false;
  Bytes routing_info;                  ///< edge routing; empty: none
  std::int64_t digest_checked_at = 0;  ///< unix seconds
  std::int64_t prekey_rotated_at = 0;

  [[nodiscard]] bool linked() const { return !identity.pn.empty(); }
};

/// Why we stand still, so that a power cut does not make the box knock again on a closed door.
struct Standstill {
  State state = State::offline;
  int code = 0;
  std::string cause;
  std::string what_to_do;
  std::optional<Wall> until;
  int attempts = 0;  ///< how often a second attempt was made

  bool operator==(const Standstill&) const = default;
};

/// Keeps both, and the last refusals as they came, in a BlobStore. save_ calls are on disk after
/// blobs().durable().
class CredentialStore {
 public:
  static constexpr std::size_t kKeptStanzas = 10;
  static constexpr std::size_t kStanzaBytes = 4096;

  CredentialStore(BlobStore& blobs, Random& random) : blobs_(blobs), random_(random) {}

  /// Makes noise key and ADV secret when there is nothing yet (not saved until the first save()).
  /// Errors: io; malformed (a damaged record: say so, never overwrite it silently).
  [[nodiscard]] Result<Credentials> load();
  Result<void> save(const Credentials& credentials);
  /// New keys, no account.
  [[nodiscard]] Credentials fresh();

  [[nodiscard]] Result<std::optional<Standstill>> load_standstill();
  Result<void> save_standstill(const std::optional<Standstill>& standstill);

  /// Appends a refusal verbatim; the oldest beyond kKeptStanzas goes.
  Result<void> keep_stanza(Wall at, const wire::Node& stanza);

  [[nodiscard]] BlobStore& blobs() { return blobs_; }

 private:
  BlobStore& blobs_;
  Random& random_;
};

}  // namespace posthorn::session
