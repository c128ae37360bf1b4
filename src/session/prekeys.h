#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "posthorn/base/clock.h"
#include "posthorn/base/function.h"
#include "posthorn/base/worker.h"
#include "posthorn/signal/protocol.h"
#include "session/back_off.h"
#include "session/credentials.h"
#include "session/questions.h"

namespace posthorn::session {

[[nodiscard]] wire::Node build_prekey_upload(const signal::OwnIdentity& identity,
                                             const signal::SignedPreKey& signed_prekey,
                                             std::span<const signal::PreKey> prekeys);
[[nodiscard]] wire::Node build_prekey_count();
[[nodiscard]] Result<std::uint64_t> parse_prekey_count(const wire::Node& answer);
[[nodiscard]] wire::Node build_rotate(const signal::SignedPreKey& signed_prekey);
[[nodiscard]] wire::Node build_digest_query();

/// What the server holds of ours, as <digest> says. Errors: malformed.
struct Digest {
  std::uint32_t registration_id = 0;
  Bytes identity;
  std::uint32_t signed_prekey_id = 0;
  Bytes signed_prekey;
  Bytes signature;
  std::vector<std::uint32_t> prekey_ids;
  Bytes hash;
};
[[nodiscard]] Result<Digest> parse_digest(const wire::Node& answer);
/// SHA-1 over identity, signed prekey, its signature and the listed prekeys, in order.
[[nodiscard]] crypto::Sha1 digest_hash(ByteView identity, ByteView signed_prekey,
                                       ByteView signature,
                                       std::span<const signal::PublicKey> prekeys);

/// Sees to it that the server has keys with which others can begin to talk to us.
/// Source: protocol chapters 04 section 5 and 05 section 2.
class PreKeyKeeper {
 public:
  static constexpr std::size_t kFirstBatch = 812;  ///< what the web client uploads
  static constexpr std::size_t kBatch = 100;
  static constexpr std::uint64_t kLowWater = 5;
  static constexpr minutes kNoticeAgainAfter{10};
  static constexpr hours kRotateEvery{27 * 24};
  static constexpr hours kDigestEvery{24};
  static constexpr seconds kMostRetryWait{610};
  static constexpr milliseconds kTimeout{30'000};
  static constexpr milliseconds kUploadTimeout{60'000};

  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    Worker& worker;
    signal::KeyStore& keys;
    signal::Protocol& protocol;
    Questions& questions;
    CredentialStore& credentials;
  };
  explicit PreKeyKeeper(Outside outside);
  ~PreKeyKeeper();

  /// After <success>: uploads when nothing was uploaded yet or when few are left. done: also after
  /// a failure, which is tried again later by itself.
  void check_after_login(Task done);
  /// Daily digest and the rotation of the signed prekey, when due.
  void maintain();
  /// <notification type="encrypt"> with <count> or <digest>. true: it was one of these.
  bool on_notification(const wire::Node& notification);
  void on_offline();

 private:
  void upload(Task done);
  void upload_keys(Result<std::vector<signal::PreKey>> prekeys);
  void on_uploaded(const std::vector<std::uint32_t>& ids, Result<wire::Node> answer);
  void end_upload(Result<void> outcome);
  void on_count(Result<wire::Node> answer, Task done);
  void check_digest();
  void on_digest(Result<wire::Node> answer);
  Result<bool> digest_matches(const Digest& digest);
  void upload_all_again();
  void rotate_if_due();
  void on_rotated(std::uint32_t id, Result<wire::Node> answer);
  void save_credentials();

  Outside out_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< shared with work on the Worker
  bool uploading_ = false;
  bool rotating_ = false;
  bool checking_digest_ = false;
  bool keys_are_in_doubt_;           ///< the store has lost some: looked at after the first login
  bool digest_upload_done_ = false;  ///< at most one per login
  std::optional<Mono> last_notice_;
  std::uint64_t login_ = 0;
  std::vector<Task> after_upload_;
  BackOff back_off_{kMostRetryWait};
  Timer retry_;
};

}  // namespace posthorn::session
