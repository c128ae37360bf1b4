#include "posthorn/wire/noise.h"
#include "posthorn/wire/wa.pb.h"
#include "wire/handshake_names.h"
#include "wire/proto_text.h"
#include "wire/wipe.h"

namespace posthorn::wire {

namespace {

tl::unexpected<Error> bad_message(std::string_view what) {
  return fail(Errc::malformed, "client handshake: " + std::string(what));
}

Key32 key_of(ByteView bytes) {
  Key32 out;
  std::copy_n(bytes.begin(), out.size(), out.begin());
  return out;
}

}  // namespace

ServerHandshake::ServerHandshake(ServerIdentity identity, Random& random)
    : identity_(std::move(identity)), ephemeral_(make_key_pair(random)), state_(kNoiseXx) {}

ServerHandshake::~ServerHandshake() {
  wipe(ephemeral_.private_key);
  wipe(keys_.client_to_server);
  wipe(keys_.server_to_client);
}

Result<Bytes> ServerHandshake::on_client_hello(ByteView prologue, ByteView bytes) {
  wa::HandshakeMessage message;
  if (!parse(message, bytes) || !message.has_clienthello()) {
    return bad_message("not a hello");
  }
  const auto& hello = message.clienthello();
  if (hello.ephemeral().size() != kKeyBytes) return bad_message("ephemeral key is not 32 bytes");
  const ByteView ephemeral = as_bytes(hello.ephemeral());

  const bool wants_resume = hello.has_static_() || hello.has_payload();
  if (wants_resume && identity_.allow_resume) {
    Result<Bytes> answer =
        answer_resume(prologue, ephemeral, as_bytes(hello.static_()), as_bytes(hello.payload()));
    if (answer) return answer;
  }
  state_ = NoiseState(wants_resume ? kNoiseFallback : kNoiseXx);
  state_.mix_hash(prologue);
  return answer_exchange(ephemeral);
}

Result<Bytes> ServerHandshake::answer_exchange(ByteView client_ephemeral) {
  state_.mix_hash(client_ephemeral);
  state_.mix_hash(ephemeral_.public_key);
  TRY(state_.mix_dh(ephemeral_.private_key, client_ephemeral));
  wa::HandshakeMessage message;
  auto& hello = *message.mutable_serverhello();
  hello.set_ephemeral(proto_text(ephemeral_.public_key));
  hello.set_static_(proto_text(state_.encrypt(identity_.noise.public_key)));
  TRY(state_.mix_dh(identity_.noise.private_key, client_ephemeral));
  hello.set_payload(proto_text(state_.encrypt(identity_.certificate_chain)));
  return serialise(message);
}

/// Fails when the hello was sealed for another key: the caller then falls back.
Result<Bytes> ServerHandshake::answer_resume(ByteView prologue, ByteView client_ephemeral,
                                             ByteView sealed_static, ByteView payload) {
  NoiseState state(kNoiseIk);
  state.mix_hash(prologue);
  state.mix_hash(identity_.noise.public_key);
  state.mix_hash(client_ephemeral);
  TRY(state.mix_dh(identity_.noise.private_key, client_ephemeral));
  if (sealed_static.size() != kSealedKeyBytes) return bad_message("static key is not 48 bytes");
  TRY(const Bytes client_static, state.decrypt(sealed_static));
  TRY(state.mix_dh(identity_.noise.private_key, client_static));
  TRY(Bytes client_payload, state.decrypt(payload));

  wa::HandshakeMessage message;
  auto& hello = *message.mutable_serverhello();
  hello.set_ephemeral(proto_text(ephemeral_.public_key));
  state.mix_hash(ephemeral_.public_key);
  TRY(state.mix_dh(ephemeral_.private_key, client_ephemeral));
  TRY(state.mix_dh(ephemeral_.private_key, client_static));
  hello.set_payload(proto_text(state.encrypt(identity_.certificate_chain)));

  client_key_ = key_of(client_static);
  client_payload_ = std::move(client_payload);
  keys_ = state.split();
  finished_ = true;
  resumed_ = true;
  return serialise(message);
}

Result<void> ServerHandshake::on_client_finish(ByteView bytes) {
  wa::HandshakeMessage message;
  if (!parse(message, bytes) || !message.has_clientfinish()) {
    return bad_message("not a finish");
  }
  const auto& finish = message.clientfinish();
  if (finish.static_().size() != kSealedKeyBytes) return bad_message("static key is not 48 bytes");
  TRY(const Bytes client_static, state_.decrypt(as_bytes(finish.static_())));
  TRY(state_.mix_dh(ephemeral_.private_key, client_static));
  TRY(client_payload_, state_.decrypt(as_bytes(finish.payload())));
  client_key_ = key_of(client_static);
  keys_ = state_.split();
  finished_ = true;
  return {};
}

}  // namespace posthorn::wire
