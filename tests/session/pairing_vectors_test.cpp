#include <gtest/gtest.h>

#include <algorithm>

#include "posthorn/wire/wa.pb.h"
#include "session/adv.h"
#include "session/link_code.h"
#include "session/payload.h"
#include "session/qr.h"
#include "support/fakes.h"

// Vectors: protocol chapters 01 section 12.5 and 03 section 8, made by another implementation.
namespace posthorn::session {
namespace {

Bytes hex(std::string_view text) { return *hex_decode(text); }

crypto::Key32 key(std::string_view text) {
  crypto::Key32 out;
  std::ranges::copy(hex(text), out.begin());
  return out;
}

/// first, first + 1, … last
Bytes run_of(int first, int last) {
  Bytes out;
  for (int i = first; i <= last; ++i) out.push_back(static_cast<std::byte>(i));
  return out;
}

constexpr auto kIdentityPrivate =
    "7077777777777777777777777777777777777777777777777777777777777777";
constexpr auto kIdentityPublic = "1cf579aba45a10ba1d1ef06d91fca2aa9ed0a1150515653155405d0b18cb9a67";
constexpr auto kAccountPublic = "ba193836cff1f4e866c139715d306408d26a76f76d638a39afc1001084d25411";
constexpr auto kNoisePublic = "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20";
constexpr auto kDeviceIdentity =
    "0a780a1208f8acd191011080f7c4d5061805200028001220ba193836cff1f4e866c139715d306408d26a76f76d638a"
    "39afc1001084d254111a40b93c390183e70b7f1653be168b6af393727801eee62d7568d3a754475d39223cbf724af2"
    "110b7af16eab0846c2350f9330b3f6996cd35d4e12c0880749cba2871220433029752c6def27cf95cfcc7ff989343c"
    "b30cfc89e8e049a043fe21271cf821";
constexpr auto kHostedIdentity =
    "0a780a1208f8acd191011080f7c4d5061805200128011220ba193836cff1f4e866c139715d306408d26a76f76d638a"
    "39afc1001084d254111a40995e2bfcdb50d53367436a3a5f5e315be947bb4ae3f548d893f54fa7692833c2207ad03a"
    "27e2c38db0539a73c3f8d2adcb86736b4098953ef7b6c839ef2bfb851220b14229f06c6e26fd0db5a0ca85fac38051"
    "5f813b317cbcb2d5a35ba6493c40531801";
constexpr auto kReplyIdentity =
    "0a1208f8acd191011080f7c4d5061805200028001a40b93c390183e70b7f1653be168b6af393727801eee62d7568d3"
    "a754475d39223cbf724af2110b7af16eab0846c2350f9330b3f6996cd35d4e12c0880749cba28722403cfd6ff7766c"
    "59a2fc8b16d674c6793e177a16f13afca8887c1ab7427132d722db45203240c1b3fd552d830c8b4e8173e8b7c6e43c"
    "14f99ea9be2bb0c269ee0c";

/// Z of every signature in the vectors.
class ZeroRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override { std::ranges::fill(out, std::byte{0}); }
};

signal::KeyPair identity() { return signal::key_pair_of(key(kIdentityPrivate)); }

TEST(Adv, GivesTheVectorsAnswer) {
  ZeroRandom zeros;
  const auto attestation = attest(hex(kDeviceIdentity), run_of(0, 31), identity(), zeros);
  ASSERT_TRUE(attestation.has_value()) << to_string(attestation.error());
  EXPECT_EQ(hex_encode(attestation->answer), kReplyIdentity);
  EXPECT_EQ(attestation->key_index, 5U);
  EXPECT_EQ(hex_encode(attestation->account_key), kAccountPublic);

  wa::ADVSignedDeviceIdentity full;
  ASSERT_TRUE(full.ParseFromString(std::string(as_text(attestation->full))));
  EXPECT_EQ(hex_encode(as_bytes(full.accountsignaturekey())), kAccountPublic);
  EXPECT_EQ(full.devicesignature().size(), 64U);

  const wire::Node reply = build_pair_device_sign("9002", *attestation);
  EXPECT_EQ(reply.text_attr("id"), "9002");
  EXPECT_EQ(reply.text_attr("type"), "result");
  EXPECT_EQ(reply.child("pair-device-sign")->child("device-identity")->text_attr("key-index"), "5");
}

TEST(Adv, TakesHostedAccounts) {
  ZeroRandom zeros;
  const auto attestation = attest(hex(kHostedIdentity), run_of(0, 31), identity(), zeros);
  ASSERT_TRUE(attestation.has_value()) << to_string(attestation.error());
  wa::ADVSignedDeviceIdentity full;
  ASSERT_TRUE(full.ParseFromString(std::string(as_text(attestation->full))));
  EXPECT_EQ(
      hex_encode(as_bytes(full.devicesignature())),
      "b4ba5b50612eb315209c5760d2505d3ef2d1fd29d450d6eb291827b14aa7d0669f85094944e503c23e911e7a"
      "828e9b4a2cfce31cea4c53021e8a7752c55b3409");
}

TEST(Adv, RefusesWhatWasTamperedWith) {
  ZeroRandom zeros;
  const auto refused = [&](const Bytes& bytes, std::string_view why) {
    const auto attestation = attest(bytes, run_of(0, 31), identity(), zeros);
    ASSERT_FALSE(attestation.has_value());
    EXPECT_EQ(attestation.error().code, Errc::crypto);
    EXPECT_NE(attestation.error().detail.find(why), std::string::npos)
        << attestation.error().detail;
  };
  Bytes flipped = hex(kDeviceIdentity);
  flipped[10] ^= std::byte{1};
  refused(flipped, "hmac");

  wa::ADVSignedDeviceIdentityHMAC outer;
  ASSERT_TRUE(outer.ParseFromString(std::string(as_text(hex(kDeviceIdentity)))));
  outer.set_accounttype(wa::HOSTED);
  refused(to_bytes(std::string_view(outer.SerializeAsString())), "hmac");

  // A right HMAC over an identity whose device type is not the one that was signed.
  wa::ADVSignedDeviceIdentity inner;
  ASSERT_TRUE(inner.ParseFromString(outer.details()));
  wa::ADVDeviceIdentity details;
  ASSERT_TRUE(details.ParseFromString(inner.details()));
  details.set_devicetype(wa::HOSTED);
  inner.set_details(details.SerializeAsString());
  outer.set_accounttype(wa::E2EE);
  outer.set_details(inner.SerializeAsString());
  const auto hmac = crypto::hmac_sha256(run_of(0, 31), as_bytes(outer.details()));
  outer.set_hmac(hmac.data(), hmac.size());
  refused(to_bytes(std::string_view(outer.SerializeAsString())), "account signature");
}

TEST(Adv, RefusesAnIdentityMeantForAnotherDevice) {
  ZeroRandom zeros;
  posthorn::test::SeededRandom random;
  const auto attestation =
      attest(hex(kDeviceIdentity), run_of(0, 31), signal::make_key_pair(random), zeros);
  ASSERT_FALSE(attestation.has_value());
  EXPECT_EQ(attestation.error().code, Errc::crypto);
}

TEST(Adv, NeverCrashesOnCutOrRandomBytes) {
  ZeroRandom zeros;
  posthorn::test::SeededRandom random;
  const Bytes whole = hex(kDeviceIdentity);
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(attest(ByteView(whole).first(n), run_of(0, 31), identity(), zeros).has_value());
  for (int i = 0; i < 500; ++i) {
    const Bytes noise = random.bytes(random.between(0, 200));
    EXPECT_FALSE(attest(noise, run_of(0, 31), identity(), zeros).has_value());
  }
}

TEST(PairSuccess, NeedsDeviceAndIdentity) {
  const auto iq = [](std::vector<wire::Node> children) {
    return wire::Node("iq", {{"id", "1"}},
                      std::vector{wire::Node("pair-success", {}, std::move(children))});
  };
  const wire::Node device("device", {{"jid", "49155:3@s.whatsapp.net"}, {"lid", "77:3@lid"}});
  const wire::Node bytes("device-identity", {}, run_of(1, 60));
  EXPECT_TRUE(parse_pair_success(iq({bytes, device})).has_value());
  EXPECT_FALSE(parse_pair_success(iq({bytes, device}))->lid_migrated.has_value());
  const auto props = [](std::vector<unsigned char> raw) {
    return wire::Node("client-props", {}, to_bytes(as_bytes(std::span<const unsigned char>(raw))));
  };
  EXPECT_EQ(parse_pair_success(iq({bytes, device, props({0x08, 0x01})}))->lid_migrated, true);
  EXPECT_EQ(parse_pair_success(iq({bytes, device, props({0x08, 0x00})}))->lid_migrated, false);
  // Unreadable, or about something else: it did not say.
  EXPECT_FALSE(parse_pair_success(iq({bytes, device, props({0xFF})}))->lid_migrated.has_value());
  EXPECT_FALSE(
      parse_pair_success(iq({bytes, device, props({0x10, 0x01})}))->lid_migrated.has_value());
  EXPECT_FALSE(parse_pair_success(iq({bytes})).has_value());
  EXPECT_FALSE(parse_pair_success(iq({device})).has_value());
  EXPECT_FALSE(
      parse_pair_success(iq({device, wire::Node("device-identity", {}, Bytes(501, std::byte{1}))}))
          .has_value());
  const wire::Node phone("device", {{"jid", "49155@s.whatsapp.net"}});
  EXPECT_FALSE(parse_pair_success(iq({bytes, phone})).has_value());
}

TEST(Qr, HasFiveFieldsInTheVectorsForm) {
  EXPECT_EQ(qr_text("2@TESTREF0001", hex(kNoisePublic), hex(kIdentityPublic), run_of(0, 31)),
            "https://wa.me/settings/linked_devices#2@TESTREF0001,"
            "D6poTtKIZ7l/Smot7l34zpdOdrcBjj8iocTPJnhXDyA=,"
            "HPV5q6RaELodHvBtkfyiqp7QoRUFFWUxVUBdCxjLmmc=,"
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,1");
}

TEST(QrRound, ShowsEachRefForItsTime) {
  QrRound round;
  const Mono t{milliseconds(5000)};
  EXPECT_FALSE(round.current(t).has_value());
  round.begin({"a", "b", "c"}, t);
  EXPECT_EQ(round.current(t), "a");
  EXPECT_EQ(round.next_change(), t + seconds(60));
  EXPECT_EQ(round.current(t + milliseconds(59'999)), "a");
  EXPECT_EQ(round.current(t + seconds(60)), "b");
  EXPECT_EQ(round.current(t + seconds(80)), "c");
  EXPECT_FALSE(round.current(t + seconds(100)).has_value());
  EXPECT_FALSE(round.next_change().has_value());
}

TEST(LinkCode, SpellsFiveBytesAsEightCharacters) {
  EXPECT_EQ(link_code::code_from_random(hex("01a2b3c4d5")), "17JC8J7N");
  EXPECT_EQ(link_code::code_from_random(hex("0000000000")), "11111111");
  EXPECT_EQ(link_code::code_from_random(hex("ffffffffff")), "ZZZZZZZZ");
  EXPECT_EQ(link_code::code_from_random(hex("0123456789")), "15JMBSWA");
  EXPECT_EQ(link_code::for_people("17JC8J7N"), "17JC-8J7N");
}

constexpr auto kCompanionPrivate =
    "a8aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa6a";
constexpr auto kPrimaryPublic = "6b0b616d718e53691236d3be3ce6d44f9d28836426d81305d131f488206f8d2b";

TEST(LinkCode, WrapsAsTheVectorsDo) {
  const Bytes wrapped =
      link_code::wrap_ephemeral("17JC8J7N", run_of(0x10, 0x2f), run_of(0x40, 0x4f),
                                crypto::x25519_public(key(kCompanionPrivate)));
  EXPECT_EQ(hex_encode(ByteView(wrapped).subspan(48)),
            "f906fb6b2c5fb7333d27ffd36dfae49d0c1f9431dc7bea976d9044f116a01148");
  EXPECT_EQ(wrapped.size(), link_code::kWrappedBytes);
  const auto primary = link_code::unwrap_ephemeral(
      "17JC8J7N", hex("606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f909192939495"
                      "969798999a9b9c"
                      "9d9e9f2a983dde3362d51f164e9f64a678294a7168a2294364a5cc2d7c6af8d4a48566"));
  ASSERT_TRUE(primary.has_value());
  EXPECT_EQ(hex_encode(*primary), kPrimaryPublic);
  EXPECT_FALSE(link_code::unwrap_ephemeral("17JC8J7N", run_of(0, 78)).has_value());
}

TEST(LinkCode, FinishesAsTheVectorsDo) {
  link_code::FinishInput in;
  in.ephemeral_private = key(kCompanionPrivate);
  in.identity_private = key(kIdentityPrivate);
  in.identity_public = key(kIdentityPublic);
  in.primary_ephemeral_public = key(kPrimaryPublic);
  in.primary_identity_public = key(kAccountPublic);
  in.random = run_of(0xc0, 0xdf);
  in.bundle_salt = run_of(0xa0, 0xbf);
  in.bundle_nonce = run_of(0xe0, 0xeb);
  const auto finish = link_code::finish(in);
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(hex_encode(finish->adv_secret),
            "69ae6c0b81b9fc1c8c77cce08a11e152a7898702700b883494a06f4fb3e574e3");
  EXPECT_EQ(
      hex_encode(ByteView(finish->bundle).subspan(32)),
      "e0e1e2e3e4e5e6e7e8e9eaebfb7636bb9e6d9483f0ab10f805a6e50ebf9433b88d7b3b1cc85e129de0df15d770"
      "ebde2bdb7136e7c9003efbd5b31c70aca8cab0b3c10c6c870d6b3d60cef03e4121dd6d67af4d79f2412782a326"
      "fc094bc25e8aca550fb76787e171a643c892a3b38205d70ca9a02ab48ad59c457f54");
  in.primary_ephemeral_public = {};
  EXPECT_EQ(link_code::finish(in).error().code, Errc::crypto);
}

TEST(LinkCode, ChecksThePhoneNumber) {
  EXPECT_TRUE(link_code::check_phone("4915550001234").has_value());
  for (const char* wrong : {"", "123456", "04915550001234", "+4915550001234", "1234567890123456"})
    EXPECT_EQ(link_code::check_phone(wrong).error().code, Errc::malformed) << wrong;
}

constexpr Version kVersion{2, 3000, 1045649367};

TEST(Payload, RegistersWithTheVectorsFields) {
  const Bytes skey_signature = hex(
      "1de21c9375881f68155ded9af5e0cb493ffbeb7bcb615897c5f893acec7457bfdbba2cfe81c5a85dbb01a8cd1e"
      "72f49f54734f93ff854aa37e140578062c9b0f");
  const Bytes skey = hex("30d3c865a48fceb3d6118577cf2e5f228d6ff69866264757785b253cb7a4806a");
  const Bytes bytes = build_registration_payload(
      kVersion, {11213, hex(kIdentityPublic), 1, skey, skey_signature}, "Linux");
  wa::ClientPayload ours;
  wa::ClientPayload theirs;
  ASSERT_TRUE(ours.ParseFromString(std::string(as_text(bytes))));
  ASSERT_TRUE(theirs.ParseFromString(std::string(as_text(hex(
      "18002a38080e120b080210b81718d7afcdf2031a0330303022033030302a03302e3132003a074465736b746f7042"
      "03"
      "302e3150005a02656e6202555332022000600168019a01dc010a0400002bcd1201051a201cf579aba45a10ba1d1e"
      "f0"
      "6d91fca2aa9ed0a1150515653155405d0b18cb9a6722030000012a2030d3c865a48fceb3d6118577cf2e5f228d6f"
      "f6"
      "9866264757785b253cb7a4806a32401de21c9375881f68155ded9af5e0cb493ffbeb7bcb615897c5f893acec7457"
      "bf"
      "dbba2cfe81c5a85dbb01a8cd1e72f49f54734f93ff854aa37e140578062c9b0f3a109fa53af9421567b114e33c9b"
      "b1"
      "ef7db242340a054c696e757812040806100c180120002a2118e5fb06200130013801400148015001580160017001"
      "780198013ca80101b00101880200")))));
  // DeviceProps differ where our table does: storage quota, and no OS version is claimed.
  wa::DeviceProps our_props;
  wa::DeviceProps their_props;
  ASSERT_TRUE(our_props.ParseFromString(ours.devicepairingdata().deviceprops()));
  ASSERT_TRUE(their_props.ParseFromString(theirs.devicepairingdata().deviceprops()));
  their_props.clear_version();
  their_props.mutable_historysyncconfig()->set_storagequotamb(10'240);
  EXPECT_EQ(our_props.SerializeAsString(), their_props.SerializeAsString());
  ours.mutable_devicepairingdata()->clear_deviceprops();
  theirs.mutable_devicepairingdata()->clear_deviceprops();
  EXPECT_EQ(ours.SerializeAsString(), theirs.SerializeAsString());
}

TEST(Payload, LogsInWithTheVectorsFields) {
  const auto bytes = build_login_payload(kVersion, {"15550001111", "s.whatsapp.net", 7}, 3);
  ASSERT_TRUE(bytes.has_value());
  wa::ClientPayload ours;
  wa::ClientPayload theirs;
  ASSERT_TRUE(ours.ParseFromString(std::string(as_text(*bytes))));
  ASSERT_TRUE(theirs.ParseFromString(std::string(as_text(hex(
      "08d7dfe8f63918002a38080e120b080210b81718d7afcdf2031a0330303022033030302a03302e3132003a074465"
      "73"
      "6b746f704203302e3150005a02656e620255533202200060016801800100900107c00103880201c80201")))));
  theirs.set_liddbmigrated(false);
  EXPECT_EQ(ours.SerializeAsString(), theirs.SerializeAsString());
  EXPECT_FALSE(build_login_payload(kVersion, {"not a number", "lid", 7}, 3).has_value());
}

}  // namespace
}  // namespace posthorn::session
