#include <optional>

#include "fuzz/fuzz_support.h"
#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/padding.h"
#include "posthorn/signal/protocol.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::signal;

namespace {

const Address kAlice{"1@lid", 3};
const Address kBob{"2@lid", 0};
const SenderKeyName kGroup{"120363000000000001@g.us", kAlice};

/// Bob after a first exchange with Alice; always the same, so that seeds made once stay valid:
/// Alice's next msg, a pkmsg of a new session of hers, her distribution and a group message.
struct Scene {
  Scene() {
    Protocol alice(alice_keys, random);
    Protocol bob(bob_keys, random);
    const Bundle bundle = bundle_of(bob);
    static_cast<void>(alice.own_identity({}));
    fuzz::require(alice.process_bundle(kBob, bundle).has_value(), "session");
    const auto hello = alice.encrypt(kBob, pad_with(as_bytes("hello"), 3));
    fuzz::require(bob.decrypt_pkmsg(kAlice, hello->bytes).has_value(), "first message");
    const auto reply = bob.encrypt(kAlice, pad_with(as_bytes("reply"), 3));
    fuzz::require(alice.decrypt_msg(kBob, reply->bytes).has_value(), "reply");
    for (int i = 0; i < 3; ++i) static_cast<void>(bob.pre_key_for_retry());
  }
  static Bundle bundle_of(Protocol& protocol) {
    const auto own = protocol.own_identity({});
    const auto signed_key = protocol.current_signed_pre_key();
    const auto one_time = protocol.pre_key_for_retry();
    return {own->registration_id,  own->key.public_key,
            signed_key->id,        signed_key->key.public_key,
            signed_key->signature, Bundle::OneTime{one_time->id, one_time->key.public_key}};
  }

  test::SeededRandom random{42};
  MemoryKeyStore alice_keys;
  MemoryKeyStore bob_keys;
};

bool same(const MemoryKeyStore& a, const MemoryKeyStore& b) {
  return a.sessions == b.sessions && a.identities == b.identities &&
         a.sender_keys == b.sender_keys && a.pre_keys.size() == b.pre_keys.size();
}

template <class Result>
void check(const Result& result, const MemoryKeyStore& before, const MemoryKeyStore& after) {
  if (result.has_value()) return;
  fuzz::require(same(before, after), "a failed message changes nothing");
  fuzz::require(result.error().kind != DecryptError::internal, "no input is our fault");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scene kScene;
  fuzz::Input input(data, size);
  const unsigned kind = input.byte() % 5;
  MemoryKeyStore keys = kScene.bob_keys;
  test::SeededRandom random(1);
  Protocol bob(keys, random);
  switch (kind) {
    case 0:
      check(bob.decrypt_msg(kAlice, input.rest()), kScene.bob_keys, keys);
      break;
    case 1:
      check(bob.decrypt_pkmsg(kAlice, input.rest()), kScene.bob_keys, keys);
      break;
    case 2:
      check(bob.process_distribution(kGroup, input.rest()), kScene.bob_keys, keys);
      break;
    case 3: {
      // A distribution, then a message under it.
      const ByteView distribution = input.take(input.byte());
      if (!bob.process_distribution(kGroup, distribution)) break;
      const MemoryKeyStore before = keys;
      check(bob.decrypt_group(kGroup, input.rest()), before, keys);
      break;
    }
    default: {
      // A stored record with other bytes: never a crash, and healed by a new session.
      keys.sessions[kAlice] = to_bytes(input.rest());
      static_cast<void>(bob.encrypt(kAlice, as_bytes("x")));
      static_cast<void>(bob.remote_registration_id(kAlice));
      static_cast<void>(bob.session_base_key(kAlice));
      break;
    }
  }
  const auto unpadded = unpad(input.rest());
  if (unpadded) fuzz::require(unpadded->size() < input.rest().size(), "padding has a length");
  return 0;
}
