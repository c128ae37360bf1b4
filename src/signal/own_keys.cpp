#include "posthorn/signal/protocol.h"
#include "signal/protocol_impl.h"

namespace posthorn::signal {

namespace {

/// As Signal's and WhatsApp's clients draw it.
constexpr std::uint32_t kMaxRegistrationId = 16380;

SignedPreKey make_signed_pre_key(const OwnIdentity& identity, Wall now, Random& random) {
  SignedPreKey made;
  made.key = make_key_pair(random);
  made.signature = sign(identity.key.private_key, with_type_byte(made.key.public_key), random);
  made.made = now;
  return made;
}

}  // namespace

Result<OwnIdentity> Protocol::own_identity(Wall now) {
  KeyStore& store = impl_->store;
  TRY(auto own, store.own_identity());
  if (!own) {
    own = OwnIdentity{make_key_pair(impl_->random),
                      static_cast<std::uint32_t>(impl_->random.between(1, kMaxRegistrationId))};
    TRY(store.save_own_identity(*own));
  }
  TRY(auto current, store.signed_pre_key(SignedPreKeyState::current));
  if (!current) {
    TRY(auto made, store.add_pending_signed_pre_key(make_signed_pre_key(*own, now, impl_->random)));
    TRY(store.make_current(made.id));
  }
  return *own;
}

Result<SignedPreKey> Protocol::current_signed_pre_key() {
  TRY(auto current, impl_->store.signed_pre_key(SignedPreKeyState::current));
  if (!current) return fail(Errc::not_found, "no signed prekey yet");
  return *current;
}

Result<SignedPreKey> Protocol::next_signed_pre_key(Wall now) {
  TRY(auto pending, impl_->store.signed_pre_key(SignedPreKeyState::pending));
  if (pending) return *pending;
  TRY(auto own, own_identity(now));
  return impl_->store.add_pending_signed_pre_key(make_signed_pre_key(own, now, impl_->random));
}

void Protocol::pre_keys_to_offer(std::size_t count, Worker& worker,
                                 Once<void(Result<std::vector<PreKey>>)> done) {
  const auto waiting = impl_->store.unoffered_pre_key_count();
  const std::size_t missing = waiting && *waiting < count ? count - *waiting : 0;
  std::vector<PrivateKey> drawn(missing);
  for (PrivateKey& key : drawn) impl_->random.fill(key);

  run_on<std::vector<KeyPair>>(
      worker,
      [drawn = std::move(drawn)] {
        std::vector<KeyPair> pairs;
        pairs.reserve(drawn.size());
        for (const PrivateKey& key : drawn) pairs.push_back(key_pair_of(key));
        return pairs;
      },
      [alive = impl_->alive, count, done = std::move(done)](std::vector<KeyPair> pairs) mutable {
        if (*alive == nullptr) {
          done(fail(Errc::cancelled, "shutting down"));
          return;
        }
        (*alive)->offer(pairs, count, std::move(done));
      });
}

/// A key that the server has and we have lost could not be told from its successor: the counter
/// would be lost with it.
void Protocol::Impl::offer(const std::vector<KeyPair>& pairs, std::size_t count,
                           Once<void(Result<std::vector<PreKey>>)> done) {
  if (!pairs.empty()) {
    if (auto added = store.add_pre_keys(pairs, PreKeyState::unoffered); !added) {
      done(tl::unexpected(std::move(added.error())));
      return;
    }
  }
  store.durable([still = alive, count, done = std::move(done)](Result<void> kept) mutable {
    if (!kept) {
      done(tl::unexpected(std::move(kept.error())));
    } else if (*still == nullptr) {
      done(fail(Errc::cancelled, "shutting down"));
    } else {
      done((*still)->store.unoffered_pre_keys(count));
    }
  });
}

Result<PreKey> Protocol::pre_key_for_retry(std::optional<std::uint32_t> again) {
  if (again) {
    TRY(const auto kept, impl_->store.pre_key(*again));
    if (kept) return *kept;
  }
  const KeyPair pair = make_key_pair(impl_->random);
  TRY(auto ids, impl_->store.add_pre_keys(std::span(&pair, 1), PreKeyState::in_retry));
  return PreKey{ids.front(), pair};
}

}  // namespace posthorn::signal
