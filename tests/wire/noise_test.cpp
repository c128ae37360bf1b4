#include "posthorn/wire/noise.h"

#include <gtest/gtest.h>

#include <random>

#include "wire/handshake_vectors.h"

namespace posthorn::wire {
namespace {

using test::bytes_of;
using test::kChain;
using test::kClientEphemeral;
using test::kClientStatic;
using test::kNow;
using test::kPayload;
using test::kServerEphemeral;
using test::kServerStatic;
using test::payload_of;
using test::ScriptedRandom;
using test::unhex;

void expect_keys(const TransportKeys& got, const TransportKeys& expected) {
  EXPECT_EQ(hex_encode(got.client_to_server), hex_encode(expected.client_to_server));
  EXPECT_EQ(hex_encode(got.server_to_client), hex_encode(expected.server_to_client));
}

TEST(Noise, PairsOfTheVectorsBelongTogether) {
  for (const KeyPair& p : {kClientEphemeral, kClientStatic, kServerEphemeral, kServerStatic,
                           test::kTestRoot, test::kIntermediate}) {
    EXPECT_EQ(key_pair_from_private(p.private_key), p);
  }
}

TEST(NoiseState, FollowsTheWorkedExampleStepByStep) {
  NoiseState state("Noise_XX_25519_AESGCM_SHA256");
  const auto expect = [&state](const char* h, const char* ck = nullptr, const char* k = nullptr) {
    EXPECT_EQ(hex_encode(state.hash()), h);
    if (ck != nullptr) {
      EXPECT_EQ(hex_encode(state.chaining_key()), ck);
    }
    if (k != nullptr) {
      EXPECT_EQ(hex_encode(state.key()), k);
    }
  };
  const auto seal = [&state](ByteView plain) {
    EXPECT_EQ(state.encrypt(plain).size(), plain.size() + 16);
  };
  state.mix_hash(kConnectionHeader);
  expect("ffff0c9267310966f1311170c04b38c79504285bf5edf763e5c946492a50a755");
  state.mix_hash(kClientEphemeral.public_key);
  expect("6c9ea30317f933b43ebefedd04d07fa1428b9530c67179ef1189ce3a91089bae");
  state.mix_hash(kServerEphemeral.public_key);
  const char* const after_se = "92c8be6744a8aaa91dc8695e55f8f98776ef57afa30487873c9bf0753c374092";
  expect(after_se);
  ASSERT_TRUE(state.mix_dh(kClientEphemeral.private_key, kServerEphemeral.public_key));
  expect(after_se, "75255525cb2271af63579e9ad8df40b244dd97349e0d87536a7ac429e72987a3",
         "391d80f93aae00271f1bbc372936ce96d4d0158bf814f1736afd7e28b45ee153");
  seal(kServerStatic.public_key);  // the same hash as decrypting what it makes
  expect("9d6f29508ae70d0bfe892850311cf00a3269657718c83d9ebffceb50249f5352");
  ASSERT_TRUE(state.mix_dh(kServerStatic.private_key, kClientEphemeral.public_key));
  seal(kChain);
  expect("b034946c1f61c0da0d6170825c39ff4a977017f9cdb4ae2ab0984c911fd54ec4",
         "30c5726908e5ce436d8ddaf962bc0a9bd2d9b16bc930f6e15299064db43c82c9",
         "a442b31d1c107369231a148331d78e40264245048fb999a5aeeffa9c0ebd5ad7");
  seal(kClientStatic.public_key);  // nonce 1
  expect("fd2ae5c6f7c71ab4c80b4e4d41841259b43041965db93353cac3683204365715");
  ASSERT_TRUE(state.mix_dh(kClientStatic.private_key, kServerEphemeral.public_key));
  seal(kPayload);
  expect("5aa10a96f36701760827495aa53efaa1792bcd74872eb3347ef5a93f75b7ef49",
         "c7392420b076b331b37b947e31914f866b6eb5a1c759e7404be3a27d4731eaab",
         "5cbf9a9ed0e09f4616df1ae50f2aeedd336706fc99fdb4ddcf4fa63ace34c09d");
  expect_keys(state.split(), test::kXxKeys);
}

TEST(ClientHandshake, SpeaksXxByteForByte) {
  ScriptedRandom random(bytes_of(kClientEphemeral.private_key));
  ClientHandshake client(test::client_identity(), random);
  const auto hello = client.hello();
  ASSERT_TRUE(hello);
  EXPECT_EQ(hex_encode(*hello), hex_encode(payload_of(test::kXxFirstMessage)));
  const auto finish = client.on_server_hello(test::kXxServerHello, kNow);
  ASSERT_TRUE(finish) << finish.error().detail;
  EXPECT_EQ(hex_encode(*finish), hex_encode(payload_of(test::kXxFinishFrame)));
  expect_keys(client.keys(), test::kXxKeys);
  ASSERT_TRUE(client.certificate());
  EXPECT_EQ(client.certificate()->leaf_key, kServerStatic.public_key);
  EXPECT_TRUE(client.certificate()->window_checked);
  EXPECT_FALSE(client.resumed());
}

TEST(ServerHandshake, SpeaksXxByteForByte) {
  ScriptedRandom random(bytes_of(kServerEphemeral.private_key));
  ServerHandshake server(test::server_identity(), random);
  const auto hello = server.on_client_hello(kConnectionHeader, payload_of(test::kXxFirstMessage));
  ASSERT_TRUE(hello) << hello.error().detail;
  EXPECT_EQ(hex_encode(*hello), hex_encode(test::kXxServerHello));
  EXPECT_FALSE(server.finished());
  ASSERT_TRUE(server.on_client_finish(payload_of(test::kXxFinishFrame)));
  EXPECT_TRUE(server.finished());
  expect_keys(server.keys(), test::kXxKeys);
  EXPECT_EQ(server.client_key(), kClientStatic.public_key);
  EXPECT_EQ(as_text(server.client_payload()), as_text(kPayload));
}

TEST(ClientHandshake, SpeaksIkByteForByte) {
  ScriptedRandom random(bytes_of(kClientEphemeral.private_key));
  ClientIdentity identity = test::client_identity();
  identity.known_server_key = kServerStatic.public_key;
  ClientHandshake client(identity, random);
  const auto hello = client.hello();
  ASSERT_TRUE(hello);
  EXPECT_EQ(hex_encode(*hello), hex_encode(payload_of(test::kIkFirstMessage)));
  const auto finish = client.on_server_hello(test::kIkServerHello, kNow);
  ASSERT_TRUE(finish) << finish.error().detail;
  EXPECT_TRUE(finish->empty());
  EXPECT_TRUE(client.resumed());
  EXPECT_FALSE(client.certificate());
  expect_keys(client.keys(), test::kIkKeys);
}

TEST(ServerHandshake, SpeaksIkByteForByte) {
  ScriptedRandom random(bytes_of(kServerEphemeral.private_key));
  ServerHandshake server(test::server_identity(), random);
  const auto hello = server.on_client_hello(kConnectionHeader, payload_of(test::kIkFirstMessage));
  ASSERT_TRUE(hello) << hello.error().detail;
  EXPECT_EQ(hex_encode(*hello), hex_encode(test::kIkServerHello));
  EXPECT_TRUE(server.finished());
  EXPECT_TRUE(server.resumed());
  EXPECT_EQ(server.client_key(), kClientStatic.public_key);
  EXPECT_EQ(as_text(server.client_payload()), as_text(kPayload));
  expect_keys(server.keys(), test::kIkKeys);
}

/// Both sides with the keys of the vectors; the client believes in `known`.
void expect_fallback(const Key32& known, bool allow_resume) {
  ScriptedRandom client_random(bytes_of(kClientEphemeral.private_key));
  ScriptedRandom server_random(bytes_of(kServerEphemeral.private_key));
  ClientIdentity identity = test::client_identity();
  identity.known_server_key = known;
  ClientHandshake client(identity, client_random);
  ServerIdentity server_identity = test::server_identity();
  server_identity.allow_resume = allow_resume;
  ServerHandshake server(server_identity, server_random);
  const auto client_hello = client.hello();
  ASSERT_TRUE(client_hello);
  const auto server_hello = server.on_client_hello(kConnectionHeader, *client_hello);
  ASSERT_TRUE(server_hello) << server_hello.error().detail;
  EXPECT_FALSE(server.finished());
  const auto finish = client.on_server_hello(*server_hello, kNow);
  ASSERT_TRUE(finish) << finish.error().detail;
  ASSERT_TRUE(server.on_client_finish(*finish));
  EXPECT_FALSE(client.resumed());
  EXPECT_TRUE(client.certificate());
  expect_keys(client.keys(), test::kFallbackKeys);
  expect_keys(server.keys(), test::kFallbackKeys);
  EXPECT_EQ(as_text(server.client_payload()), as_text(kPayload));
}

TEST(Handshake, FallsBackToXxWhenTheServerKeyChanged) {
  expect_fallback(test::kIntermediate.public_key, true);
}

TEST(Handshake, FallsBackToXxWhenTheServerWillNotResume) {
  expect_fallback(kServerStatic.public_key, false);
}

TEST(Handshake, AgreesWithFreshKeysInAllModes) {
  ScriptedRandom random;
  for (int round = 0; round < 5; ++round) {
    const KeyPair server_key = make_key_pair(random);
    const ChainRecipe recipe{make_key_pair(random), make_key_pair(random), server_key.public_key,
                             test::kNotBefore, test::kNotAfter};
    ServerHandshake server({server_key, build_certificate_chain(recipe, test::xeddsa_sign)},
                           random);
    ClientIdentity identity{make_key_pair(random), random.bytes(200), recipe.root.public_key,
                            std::nullopt, test::xeddsa_verify};
    if (round % 2 == 1) identity.known_server_key = server_key.public_key;
    const Key32 client_public = identity.noise.public_key;
    ClientHandshake client(identity, random);
    const auto client_hello = client.hello();
    ASSERT_TRUE(client_hello);
    const auto server_hello = server.on_client_hello(kConnectionHeader, *client_hello);
    ASSERT_TRUE(server_hello);
    const auto finish = client.on_server_hello(*server_hello, kNow);
    ASSERT_TRUE(finish) << finish.error().detail;
    if (!finish->empty()) {
      ASSERT_TRUE(server.on_client_finish(*finish));
    }
    EXPECT_TRUE(server.finished());
    EXPECT_EQ(client.resumed(), round % 2 == 1);
    expect_keys(client.keys(), server.keys());
    EXPECT_EQ(server.client_key(), client_public);
  }
}

Result<Bytes> answer_of_client(ByteView server_hello, bool resume = false) {
  ScriptedRandom random(bytes_of(kClientEphemeral.private_key));
  ClientIdentity identity = test::client_identity();
  if (resume) identity.known_server_key = kServerStatic.public_key;
  ClientHandshake client(identity, random);
  EXPECT_TRUE(client.hello());
  return client.on_server_hello(server_hello, kNow);
}

TEST(ClientHandshake, RefusesEveryTruncatedHello) {
  for (std::size_t size = 0; size < test::kXxServerHello.size(); size += 3) {
    const auto answer = answer_of_client(ByteView(test::kXxServerHello).first(size));
    ASSERT_FALSE(answer) << size;
    EXPECT_EQ(answer.error().code, Errc::malformed) << size;
  }
}

TEST(ClientHandshake, RefusesEveryFlippedByteAsANetworkError) {
  // A changed hello is never taken for a wrong certificate: that would be a false alarm.
  for (const bool resume : {false, true}) {
    const Bytes& hello = resume ? test::kIkServerHello : test::kXxServerHello;
    for (std::size_t at = 0; at < hello.size(); at += 5) {
      Bytes changed = hello;
      changed[at] ^= std::byte{0x40};
      const auto answer = answer_of_client(changed, resume);
      ASSERT_FALSE(answer) << at;
      EXPECT_EQ(answer.error().code, Errc::malformed) << at;
    }
  }
}

TEST(ClientHandshake, RefusesKeysOfSmallOrder) {
  Bytes hello = test::kXxServerHello;
  std::fill_n(hello.begin() + 5, 32, std::byte{0});
  const auto answer = answer_of_client(hello);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::malformed);

  ScriptedRandom random;
  ClientIdentity identity = test::client_identity();
  identity.known_server_key = Key32{};
  EXPECT_FALSE(ClientHandshake(identity, random).hello());
}

TEST(ClientHandshake, AlarmsWhenTheRootIsAnother) {
  ScriptedRandom random(bytes_of(kClientEphemeral.private_key));
  ClientIdentity identity = test::client_identity();
  identity.root_key = kWhatsAppRootKey;
  ClientHandshake client(identity, random);
  ASSERT_TRUE(client.hello());
  const auto answer = client.on_server_hello(test::kXxServerHello, kNow);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::crypto);
  EXPECT_FALSE(client.certificate());
}

TEST(ServerHandshake, RefusesWrongClients) {
  const ByteView hello = payload_of(test::kXxFirstMessage);
  const ByteView finish = payload_of(test::kXxFinishFrame);
  const auto fresh = [](ScriptedRandom& random) {
    return std::make_unique<ServerHandshake>(test::server_identity(), random);
  };
  for (std::size_t size = 0; size < hello.size(); ++size) {
    ScriptedRandom random;
    const auto answer = fresh(random)->on_client_hello(kConnectionHeader, hello.first(size));
    ASSERT_FALSE(answer) << size;
    EXPECT_EQ(answer.error().code, Errc::malformed);
  }
  for (std::size_t at = 0; at < finish.size(); ++at) {
    ScriptedRandom random(bytes_of(kServerEphemeral.private_key));
    const auto server = fresh(random);
    ASSERT_TRUE(server->on_client_hello(kConnectionHeader, hello));
    Bytes changed = to_bytes(finish);
    changed[at] ^= std::byte{1};
    const auto done = server->on_client_finish(changed);
    ASSERT_FALSE(done) << at;
    EXPECT_EQ(done.error().code, Errc::malformed);
    EXPECT_FALSE(server->finished());
  }
}

TEST(ServerHandshake, FailsWithAnotherPrologue) {
  ScriptedRandom random(bytes_of(kServerEphemeral.private_key));
  ServerHandshake server(test::server_identity(), random);
  const auto hello = server.on_client_hello(unhex("57410602"), payload_of(test::kXxFirstMessage));
  ASSERT_TRUE(hello);
  EXPECT_NE(*hello, test::kXxServerHello);
  EXPECT_FALSE(answer_of_client(*hello));
}

TEST(TransportCipher, SealsTheWorkedExamples) {
  TransportCipher out(test::kXxKeys.client_to_server);
  Bytes first = unhex("00f80219");
  ASSERT_TRUE(out.seal(first, 0));
  EXPECT_EQ(hex_encode(first), "1b608cc726a0eab77361b18bc353e355033bfb7e");
  Bytes second = unhex("aabb00f80102");
  ASSERT_TRUE(out.seal(second, 2));
  EXPECT_EQ(hex_encode(second), "aabbb7f530f3ba962e90b3910376bdbfb219c94b1502");
}

TEST(TransportCipher, OpensTheWorkedExamples) {
  TransportCipher in(test::kXxKeys.server_to_client);
  Bytes frame = unhex("7351e47e9739fcb293f52bb895d153aa11cecd55");
  const auto plain = in.open(frame);
  ASSERT_TRUE(plain);
  EXPECT_EQ(hex_encode(*plain), "00f80102");
}

TEST(TransportCipher, RefusesWrongRepeatedAndShortFrames) {
  TransportCipher out(test::kXxKeys.client_to_server);
  Bytes sealed = to_bytes("hello");
  ASSERT_TRUE(out.seal(sealed, 0));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    TransportCipher in(test::kXxKeys.client_to_server);
    Bytes changed = sealed;
    changed[at] ^= std::byte{1};
    const auto plain = in.open(changed);
    ASSERT_FALSE(plain);
    EXPECT_EQ(plain.error().code, Errc::malformed);
  }
  TransportCipher in(test::kXxKeys.client_to_server);
  Bytes too_short(15);
  EXPECT_FALSE(in.open(too_short));
  Bytes once = sealed;
  ASSERT_TRUE(in.open(once));
  Bytes again = sealed;
  EXPECT_FALSE(in.open(again)) << "the counter has moved on";
}

TEST(TransportCipher, CarriesManyFramesOfAnySize) {
  std::mt19937 chance(3);
  TransportCipher out(test::kXxKeys.client_to_server);
  TransportCipher in(test::kXxKeys.client_to_server);
  for (int i = 0; i < 300; ++i) {
    Bytes plain(chance() % 700);
    for (std::byte& b : plain) b = static_cast<std::byte>(chance());
    Bytes frame = plain;
    ASSERT_TRUE(out.seal(frame, 0));
    const auto back = in.open(frame);
    ASSERT_TRUE(back);
    EXPECT_EQ(to_bytes(*back), plain);
  }
}

TEST(Routing, PrefixComesBeforeTheHeader) {
  Bytes out;
  append_routing_prefix(out, unhex("0a1b2c3d"));
  EXPECT_EQ(hex_encode(out), "454400010000040a1b2c3d");
  append_routing_prefix(out, {});
  EXPECT_EQ(out.size(), 11U);
}

}  // namespace
}  // namespace posthorn::wire
