// What WhatsApp's server says to the connection itself: linking, keys, restrictions, properties.
//
// Input: one encoded stanza, without the flag byte.

#include "fuzz/fuzz_support.h"
#include "posthorn/wire/node_codec.h"
#include "session/ab_props.h"
#include "session/adv.h"
#include "session/mex.h"
#include "session/prekeys.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::session;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto node = wire::decode_node(fuzz::Input(data, size).rest());
  if (!node) return 0;
  if (const auto props = parse_props(*node)) {
    for (const auto& [number, value] : props->values) (void)is_on(value);
  }
  if (const auto linked = parse_pair_success(*node)) {
    fuzz::require(!linked->pn.empty() && linked->pn.device != 0, "a linked account has a device");
    fuzz::require(!linked->device_identity.empty() && linked->device_identity.size() <= 500,
                  "and an identity");
    test::SeededRandom random;
    static const auto kIdentity = signal::make_key_pair(random);
    const auto attested = attest(linked->device_identity, Bytes(32), kIdentity, random);
    if (!attested) {
      const Errc code = attested.error().code;
      fuzz::require(code == Errc::malformed || code == Errc::crypto, "what is not signed is not");
    }
  }
  (void)mex::parse_reachout(*node, Wall::from_unix(1'790'000'000));
  (void)mex::parse_capping(*node);
  (void)mex::parse_push(*node, Wall::from_unix(1'790'000'000));
  (void)parse_prekey_count(*node);
  if (const auto digest = parse_digest(*node)) {
    const std::vector<signal::PublicKey> none;
    (void)digest_hash(digest->identity, digest->signed_prekey, digest->signature, none);
  }
  return 0;
}
