#include "session/prekeys.h"

#include <algorithm>
#include <array>
#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "session/payload.h"
#include "session/stanzas.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

wire::Node leaf(const char* tag, ByteView bytes) { return {tag, {}, to_bytes(bytes)}; }

wire::Node skey_node(const signal::SignedPreKey& key) {
  return {
      names::kSkey,
      {},
      std::vector{leaf(names::kId, big_endian(key.id, 3)), leaf(names::kValue, key.key.public_key),
                  leaf(names::kSignature, key.signature)}};
}

std::optional<std::uint32_t> number_of(const wire::Node* node) {
  if (node == nullptr || node->bytes().empty() || node->bytes().size() > 4) return std::nullopt;
  std::uint32_t n = 0;
  for (const std::byte b : node->bytes()) n = (n << 8) | std::to_integer<std::uint32_t>(b);
  return n;
}

Bytes bytes_of(const wire::Node& parent, const char* tag) {
  const wire::Node* child = parent.child(tag);
  return child == nullptr ? Bytes() : to_bytes(child->bytes());
}

bool same(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

}  // namespace

wire::Node build_prekey_upload(const signal::OwnIdentity& identity,
                               const signal::SignedPreKey& signed_prekey,
                               std::span<const signal::PreKey> prekeys) {
  constexpr std::array kKeyType{std::byte{5}};
  std::vector<wire::Node> keys;
  keys.reserve(prekeys.size());
  for (const auto& prekey : prekeys) {
    keys.emplace_back(names::kKey, std::vector<wire::Attr>{},
                      std::vector{leaf(names::kId, big_endian(prekey.id, 3)),
                                  leaf(names::kValue, prekey.key.public_key)});
  }
  std::vector<wire::Node> children;
  children.push_back(leaf(names::kRegistration, big_endian(identity.registration_id, 4)));
  children.push_back(leaf(names::kType, kKeyType));
  children.push_back(leaf(names::kIdentity, identity.key.public_key));
  children.emplace_back(names::kList, std::vector<wire::Attr>{}, std::move(keys));
  children.push_back(skey_node(signed_prekey));
  return build_iq(names::kSet, names::kEncrypt, std::move(children));
}

wire::Node build_prekey_count() {
  return build_iq(names::kGet, names::kEncrypt, {wire::Node(names::kCount)});
}

Result<std::uint64_t> parse_prekey_count(const wire::Node& answer) {
  const wire::Node* count = answer.child(names::kCount);
  if (count == nullptr) return fail(Errc::malformed, "prekey answer without a count");
  const auto value = count->int_attr(names::kValue);
  if (!value || *value < 0) return fail(Errc::malformed, "prekey count without a value");
  return static_cast<std::uint64_t>(*value);
}

wire::Node build_rotate(const signal::SignedPreKey& signed_prekey) {
  wire::Node rotate("rotate", {}, std::vector{skey_node(signed_prekey)});
  return build_iq(names::kSet, names::kEncrypt, {std::move(rotate)});
}

wire::Node build_digest_query() {
  return build_iq(names::kGet, names::kEncrypt, {wire::Node(names::kDigest)});
}

Result<Digest> parse_digest(const wire::Node& answer) {
  const wire::Node* digest = answer.child(names::kDigest);
  const wire::Node* skey = digest == nullptr ? nullptr : digest->child(names::kSkey);
  const wire::Node* list = digest == nullptr ? nullptr : digest->child(names::kList);
  if (skey == nullptr || list == nullptr) return fail(Errc::malformed, "digest without its parts");
  const auto registration = number_of(digest->child(names::kRegistration));
  const auto skey_id = number_of(skey->child(names::kId));
  if (!registration || !skey_id) return fail(Errc::malformed, "digest without ids");
  Digest out;
  out.registration_id = *registration;
  out.identity = bytes_of(*digest, names::kIdentity);
  out.signed_prekey_id = *skey_id;
  out.signed_prekey = bytes_of(*skey, names::kValue);
  out.signature = bytes_of(*skey, names::kSignature);
  out.hash = bytes_of(*digest, names::kHash);
  for (const wire::Node& id : list->children()) {
    const auto number = number_of(&id);
    if (!number) return fail(Errc::malformed, "digest with a broken prekey id");
    out.prekey_ids.push_back(*number);
  }
  return out;
}

crypto::Sha1 digest_hash(ByteView identity, ByteView signed_prekey, ByteView signature,
                         std::span<const signal::PublicKey> prekeys) {
  Bytes all = concat({identity, signed_prekey, signature});
  for (const auto& key : prekeys) append(all, key);
  return crypto::sha1(all);
}

PreKeyKeeper::PreKeyKeeper(Outside outside)
    : out_(outside), keys_are_in_doubt_(outside.keys.lost_keys()), retry_(outside.scheduler) {}

PreKeyKeeper::~PreKeyKeeper() { *alive_ = false; }

void PreKeyKeeper::on_offline() {
  ++login_;
  uploading_ = false;
  rotating_ = false;
  checking_digest_ = false;
  digest_upload_done_ = false;
  after_upload_.clear();
  retry_.stop();
}

void PreKeyKeeper::check_after_login(Task done) {
  if (!out_.credentials.current().server_has_prekeys) return upload(std::move(done));
  out_.questions.ask(build_prekey_count(), kTimeout,
                     [this, done = std::move(done)](Result<wire::Node> answer) mutable {
                       on_count(std::move(answer), std::move(done));
                     });
}

void PreKeyKeeper::on_count(Result<wire::Node> answer, Task done) {
  const bool gone = !answer && (answer.error().code == Errc::disconnected ||
                                answer.error().code == Errc::cancelled);
  if (gone) return;
  const auto count = answer ? parse_prekey_count(*answer) : fail(answer.error(), "prekey count");
  if (!count) {
    log::warn("session", "prekeys could not be counted", {{"error", count.error()}});
    return done();
  }
  if (*count < kLowWater) return upload(std::move(done));
  done();
}

bool PreKeyKeeper::on_notification(const wire::Node& notification) {
  if (notification.child(names::kDigest) != nullptr) {
    check_digest();
    return true;
  }
  if (notification.child(names::kCount) == nullptr) return false;
  const Mono now = out_.scheduler.now();
  if (last_notice_ && now - *last_notice_ < kNoticeAgainAfter) return true;
  last_notice_ = now;
  upload([] {});
  return true;
}

void PreKeyKeeper::upload(Task done) {
  after_upload_.push_back(std::move(done));
  if (uploading_) return;
  uploading_ = true;
  retry_.stop();
  const bool first = !out_.credentials.current().server_has_prekeys;
  out_.protocol.pre_keys_to_offer(
      first ? kFirstBatch : kBatch, out_.worker,
      [this, alive = alive_, login = login_](Result<std::vector<signal::PreKey>> prekeys) {
        if (*alive && login == login_) upload_keys(std::move(prekeys));
      });
}

void PreKeyKeeper::upload_keys(Result<std::vector<signal::PreKey>> prekeys) {
  if (!prekeys) return end_upload(fail(prekeys.error(), "making prekeys"));
  const auto identity = out_.protocol.own_identity(out_.clock.now());
  if (!identity) return end_upload(fail(identity.error(), "own identity"));
  const auto skey = out_.protocol.current_signed_pre_key();
  if (!skey) return end_upload(fail(skey.error(), "signed prekey"));
  std::vector<std::uint32_t> ids;
  for (const auto& prekey : *prekeys) ids.push_back(prekey.id);
  log::info("session", "uploading prekeys", {{"count", ids.size()}});
  out_.questions.ask(build_prekey_upload(*identity, *skey, *prekeys), kUploadTimeout,
                     [this, alive = alive_, login = login_, ids](Result<wire::Node> answer) {
                       if (*alive && login == login_) on_uploaded(ids, std::move(answer));
                     });
}

void PreKeyKeeper::on_uploaded(const std::vector<std::uint32_t>& ids, Result<wire::Node> answer) {
  if (!answer) return end_upload(fail(answer.error(), "prekey upload"));
  if (auto marked = out_.keys.mark_offered(ids); !marked) return end_upload(std::move(marked));
  Credentials& mine = out_.credentials.current();
  // Fresh keys need no look at their digest before tomorrow.
  if (!std::exchange(mine.server_has_prekeys, true))
    mine.digest_checked_at = out_.clock.now().unix_seconds();
  save_credentials();
  end_upload({});
}

void PreKeyKeeper::end_upload(Result<void> outcome) {
  uploading_ = false;
  if (outcome) {
    back_off_.reset();
  } else {
    log::warn("session", "prekey upload failed", {{"error", outcome.error()}});
    // 406: the server finds the keys malformed; offering them again would not change that.
    if (refusal_code(outcome.error()) != 406)
      retry_.start(back_off_.next(out_.random, out_.scheduler.now()), [this] { upload([] {}); });
  }
  for (Task& task : std::exchange(after_upload_, {})) task();
}

void PreKeyKeeper::maintain() {
  const std::int64_t now = out_.clock.now().unix_seconds();
  const std::int64_t last = out_.credentials.current().digest_checked_at;
  const bool due = now - last >= std::chrono::duration_cast<seconds>(kDigestEvery).count();
  if (due || now < last || std::exchange(keys_are_in_doubt_, false)) check_digest();
  rotate_if_due();
}

void PreKeyKeeper::check_digest() {
  if (std::exchange(checking_digest_, true)) return;
  out_.questions.ask(build_digest_query(), kTimeout,
                     [this, alive = alive_, login = login_](Result<wire::Node> answer) {
                       if (!*alive || login != login_) return;
                       checking_digest_ = false;
                       on_digest(std::move(answer));
                     });
}

void PreKeyKeeper::on_digest(Result<wire::Node> answer) {
  const int code = answer ? 0 : refusal_code(answer.error());
  if (!answer && code == 0) return;  // no answer: at the next login
  out_.credentials.current().digest_checked_at = out_.clock.now().unix_seconds();
  save_credentials();
  if (code == 404 || code == 406) {
    log::warn("session", "the server has no usable prekeys", {{"code", code}});
    return upload_all_again();
  }
  if (!answer) return;
  const auto digest = parse_digest(*answer);
  const auto matches = digest ? digest_matches(*digest) : fail(digest.error(), "digest");
  if (!matches) {
    log::warn("session", "prekey digest not understood", {{"error", matches.error()}});
  } else if (!*matches) {
    log::warn("session", "the server's prekeys differ from ours");
    upload_all_again();
  }
}

Result<bool> PreKeyKeeper::digest_matches(const Digest& digest) {
  TRY(const auto identity, out_.protocol.own_identity(out_.clock.now()));
  TRY(const auto skey, out_.protocol.current_signed_pre_key());
  if (digest.registration_id != identity.registration_id ||
      !same(digest.identity, identity.key.public_key) || digest.signed_prekey_id != skey.id ||
      !same(digest.signed_prekey, skey.key.public_key) || !same(digest.signature, skey.signature))
    return false;
  std::vector<signal::PublicKey> prekeys;
  for (const std::uint32_t id : digest.prekey_ids) {
    TRY(const auto prekey, out_.keys.pre_key(id));
    // Used since the server made its list: whoever used it knows, the hash cannot be recomputed.
    if (!prekey) return true;
    prekeys.push_back(prekey->key.public_key);
  }
  const auto hash = digest_hash(digest.identity, digest.signed_prekey, digest.signature, prekeys);
  if (digest.hash.empty() || digest.hash.size() > hash.size()) return false;
  return same(digest.hash, ByteView(hash).first(digest.hash.size()));
}

void PreKeyKeeper::upload_all_again() {
  if (std::exchange(digest_upload_done_, true)) return;
  if (auto marked = out_.keys.mark_none_offered(); !marked)
    return log::warn("session", "prekeys could not be reset", {{"error", marked.error()}});
  out_.credentials.current().server_has_prekeys = false;
  save_credentials();
  upload([] {});
}

void PreKeyKeeper::rotate_if_due() {
  const auto current = out_.protocol.current_signed_pre_key();
  if (!current || rotating_) return;
  const Wall now = out_.clock.now();
  const auto made =
      std::max(current->made.unix_seconds(), out_.credentials.current().prekey_rotated_at);
  const auto age = seconds(now.unix_seconds() - made);
  // A key made while the board believed in 1970 is not old: it counts from the first login.
  if (!now.trusted || made == 0) return;
  if (age < kRotateEvery) return;
  const auto next = out_.protocol.next_signed_pre_key(now);
  if (!next) return log::warn("session", "no new signed prekey", {{"error", next.error()}});
  rotating_ = true;
  out_.questions.ask(
      build_rotate(*next), kTimeout,
      [this, alive = alive_, login = login_, id = next->id](Result<wire::Node> answer) {
        if (*alive && login == login_) on_rotated(id, std::move(answer));
      });
}

void PreKeyKeeper::on_rotated(std::uint32_t id, Result<wire::Node> answer) {
  rotating_ = false;
  if (answer) {
    if (auto made = out_.keys.make_current(id); !made)
      return log::warn("session", "signed prekey not kept", {{"error", made.error()}});
    out_.credentials.current().prekey_rotated_at = out_.clock.now().unix_seconds();
    save_credentials();
    return log::info("session", "signed prekey rotated", {{"id", id}});
  }
  log::warn("session", "signed prekey not rotated", {{"error", answer.error()}});
  const int code = refusal_code(answer.error());
  if (code == 406) {
    if (auto dropped = out_.keys.discard_pending_signed_pre_key(); !dropped)
      log::warn("session", "signed prekey not dropped", {{"error", dropped.error()}});
  } else if (code == 409) {
    check_digest();
  }
}

void PreKeyKeeper::save_credentials() {
  if (auto saved = out_.credentials.save(); !saved)
    log::warn("session", "credentials could not be saved", {{"error", saved.error()}});
}

}  // namespace posthorn::session
