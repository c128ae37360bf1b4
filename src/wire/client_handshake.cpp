#include "posthorn/wire/noise.h"
#include "posthorn/wire/wa.pb.h"
#include "wire/handshake_names.h"
#include "wire/proto_text.h"
#include "wire/wipe.h"

namespace posthorn::wire {

namespace {

tl::unexpected<Error> bad_hello(std::string_view what) {
  return fail(Errc::malformed, "server hello: " + std::string(what));
}

}  // namespace

ClientHandshake::ClientHandshake(ClientIdentity identity, Random& random)
    : identity_(std::move(identity)),
      ephemeral_(make_key_pair(random)),
      state_(identity_.known_server_key ? kNoiseIk : kNoiseXx) {}

ClientHandshake::~ClientHandshake() {
  wipe(ephemeral_.private_key);
  wipe(keys_.client_to_server);
  wipe(keys_.server_to_client);
}

Result<Bytes> ClientHandshake::hello() {
  state_.mix_hash(kConnectionHeader);
  if (identity_.known_server_key) state_.mix_hash(*identity_.known_server_key);
  state_.mix_hash(ephemeral_.public_key);

  wa::HandshakeMessage message;
  auto& hello = *message.mutable_clienthello();
  hello.set_ephemeral(proto_text(ephemeral_.public_key));
  if (identity_.known_server_key) {
    TRY(state_.mix_dh(ephemeral_.private_key, *identity_.known_server_key));
    hello.set_static_(proto_text(state_.encrypt(identity_.noise.public_key)));
    TRY(state_.mix_dh(identity_.noise.private_key, *identity_.known_server_key));
    hello.set_payload(proto_text(state_.encrypt(identity_.client_payload)));
  }
  return serialise(message);
}

Result<Bytes> ClientHandshake::on_server_hello(ByteView bytes, Wall now) {
  wa::HandshakeMessage message;
  if (!parse(message, bytes) || !message.has_serverhello()) {
    return bad_hello("not one");
  }
  const auto& hello = message.serverhello();
  if (hello.ephemeral().size() != kKeyBytes) return bad_hello("ephemeral key is not 32 bytes");
  if (!hello.has_payload()) return bad_hello("no certificate");
  const ByteView ephemeral = as_bytes(hello.ephemeral());
  const ByteView payload = as_bytes(hello.payload());

  if (identity_.known_server_key && !hello.has_static_()) {
    TRY(finish_resume(ephemeral, payload));
    return Bytes();
  }
  if (identity_.known_server_key) {  // the server refused IK: the same ephemeral key goes on in XX
    state_ = NoiseState(kNoiseFallback);
    state_.mix_hash(kConnectionHeader);
    state_.mix_hash(ephemeral_.public_key);
  }
  if (hello.static_().size() != kSealedKeyBytes) return bad_hello("static key is not 48 bytes");
  return finish_exchange(ephemeral, as_bytes(hello.static_()), payload, now);
}

Result<void> ClientHandshake::finish_resume(ByteView ephemeral, ByteView payload) {
  state_.mix_hash(ephemeral);
  TRY(state_.mix_dh(ephemeral_.private_key, ephemeral));
  TRY(state_.mix_dh(identity_.noise.private_key, ephemeral));
  // The chain in here is not verified again: only the owner of the known key could have sealed it.
  TRY(state_.decrypt(payload));
  keys_ = state_.split();
  resumed_ = true;
  return {};
}

Result<Bytes> ClientHandshake::finish_exchange(ByteView ephemeral, ByteView sealed_static,
                                               ByteView payload, Wall now) {
  state_.mix_hash(ephemeral);
  TRY(state_.mix_dh(ephemeral_.private_key, ephemeral));
  TRY(const Bytes server_static, state_.decrypt(sealed_static));
  TRY(state_.mix_dh(ephemeral_.private_key, server_static));
  TRY(const Bytes chain, state_.decrypt(payload));
  Key32 server_key;
  std::copy(server_static.begin(), server_static.end(), server_key.begin());
  TRY(certificate_,
      verify_certificate_chain(chain, identity_.root_key, server_key, now, identity_.verify));

  wa::HandshakeMessage message;
  auto& finish = *message.mutable_clientfinish();
  finish.set_static_(proto_text(state_.encrypt(identity_.noise.public_key)));
  TRY(state_.mix_dh(identity_.noise.private_key, ephemeral));
  finish.set_payload(proto_text(state_.encrypt(identity_.client_payload)));
  keys_ = state_.split();
  return serialise(message);
}

}  // namespace posthorn::wire
