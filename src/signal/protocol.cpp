#include "posthorn/signal/protocol.h"

#include "signal/curve_points.h"
#include "signal/protocol_impl.h"
#include "signal/record_bounds.h"

namespace posthorn::signal {

namespace {

struct FreeCipher {
  void operator()(session_cipher* cipher) const { session_cipher_free(cipher); }
};
using Cipher = std::unique_ptr<session_cipher, FreeCipher>;

struct FreeBuilder {
  void operator()(session_builder* builder) const { session_builder_free(builder); }
};
using Builder = std::unique_ptr<session_builder, FreeBuilder>;

Cipher make_cipher(StoreBridge& bridge, signal_context* context,
                   const signal_protocol_address& address) {
  session_cipher* cipher = nullptr;
  session_cipher_create(&cipher, bridge.context(), &address, context);
  return Cipher(cipher);
}

}  // namespace

std::string_view to_string(MessageType type) {
  return type == MessageType::pkmsg ? "pkmsg" : "msg";
}

std::optional<DecryptFailure> check_version(ByteView message) {
  if (message.empty()) {
    return DecryptFailure{DecryptError::malformed, {Errc::malformed, "empty message"}};
  }
  const int version = static_cast<int>(message[0]) >> 4;
  if (version == CIPHERTEXT_CURRENT_VERSION) return std::nullopt;
  return DecryptFailure{DecryptError::bad_version,
                        {Errc::unsupported, "message version " + std::to_string(version)}};
}

Protocol::Protocol(KeyStore& store, Random& random)
    : impl_(std::make_unique<Impl>(store, random)) {}
Protocol::~Protocol() { *impl_->alive = nullptr; }

Result<bool> Protocol::has_session(const Address& peer) { return impl_->store.has_session(peer); }

Result<void> Protocol::delete_session(const Address& peer) {
  return impl_->store.delete_session(peer);
}

Result<std::optional<PublicKey>> Protocol::peer_identity(const Address& peer) {
  return impl_->store.peer_identity(peer);
}

Result<bool> Protocol::process_bundle(const Address& peer, const Bundle& bundle) {
  const auto identity = to_point(bundle.identity);
  const auto signed_pre_key = to_point(bundle.signed_pre_key);
  Ref<ec_public_key> one_time;
  if (bundle.one_time) one_time = to_point(bundle.one_time->key);
  Ref<session_pre_key_bundle> keys;
  int status = session_pre_key_bundle_create(
      keys.out(), bundle.registration_id, peer.device, bundle.one_time ? bundle.one_time->id : 0,
      one_time.get(), bundle.signed_pre_key_id, signed_pre_key.get(), raw(bundle.signature),
      bundle.signature.size(), identity.get());
  if (status < 0) return impl_->to_error(status, "bundle");

  impl_->bridge.begin();
  // A session that cannot be read cannot be archived either.
  TRY(auto session, impl_->readable_session(peer));
  const signal_protocol_address address = to_c(peer);
  session_builder* builder = nullptr;
  status =
      session_builder_create(&builder, impl_->bridge.context(), &address, impl_->context.get());
  const Builder owner(builder);
  if (status == 0) status = session_builder_process_pre_key_bundle(builder, keys.get());
  if (status < 0) return impl_->to_error(status, "bundle");
  TRY(impl_->bridge.finish());
  return impl_->bridge.identity_changed();
}

Result<Encrypted> Protocol::encrypt(const Address& peer, ByteView padded) {
  impl_->bridge.begin();
  TRY(const std::optional<Bytes>* session, impl_->bridge.session(peer));
  if (!session->has_value()) return fail(Errc::not_found, "no session");

  const signal_protocol_address address = to_c(peer);
  const Cipher cipher = make_cipher(impl_->bridge, impl_->context.get(), address);
  Ref<ciphertext_message> message;
  const int status =
      session_cipher_encrypt(cipher.get(), raw(padded), padded.size(), message.out());
  if (status < 0) {
    if (impl_->drop_unreadable_session(peer)) {
      return fail(Errc::not_found, "session was unreadable");
    }
    return impl_->to_error(status, "encrypt");
  }
  TRY(impl_->bridge.finish());
  return Encrypted{ciphertext_message_get_type(message.get()) == CIPHERTEXT_PREKEY_TYPE
                       ? MessageType::pkmsg
                       : MessageType::msg,
                   to_bytes(view(ciphertext_message_get_serialized(message.get())))};
}

template <class Decrypt>
DecryptResult Protocol::Impl::decrypt_session(const Address& peer, Decrypt decrypt) {
  bridge.begin();
  const signal_protocol_address address = to_c(peer);
  const Cipher cipher = make_cipher(bridge, context.get(), address);
  signal_buffer* plaintext = nullptr;
  const int status = decrypt(cipher.get(), &plaintext);
  Buffer owner(plaintext);
  if (status >= 0) return finish(std::move(owner));
  if (status != SG_ERR_DUPLICATE_MESSAGE && drop_unreadable_session(peer)) {
    return tl::unexpected(to_failure(SG_ERR_NO_SESSION));
  }
  return tl::unexpected(to_failure(status));
}

std::optional<DecryptFailure> Protocol::Impl::refuse_leap(const Address& peer,
                                                          const signal_message* message) {
  const std::uint32_t counter = signal_message_get_counter(message);
  if (counter <= kMaxLeap) return std::nullopt;
  bridge.begin();
  const auto session = bridge.session(peer);
  if (!session) return DecryptFailure{DecryptError::internal, session.error()};
  const auto ratchet_key =
      with_type_byte(from_point(signal_message_get_sender_ratchet_key(message)));
  const std::uint32_t next = (*session)->has_value() ? next_of_chain(***session, ratchet_key) : 0;
  if (counter <= next || counter - next <= kMaxLeap) return std::nullopt;
  return too_far();
}

DecryptResult Protocol::decrypt_pkmsg(const Address& peer, ByteView message) {
  if (auto wrong = check_version(message)) return tl::unexpected(std::move(*wrong));
  Ref<pre_key_signal_message> parsed;
  const int status = pre_key_signal_message_deserialize(parsed.out(), raw(message), message.size(),
                                                        impl_->context.get());
  if (status < 0) return tl::unexpected(impl_->to_failure(SG_ERR_INVALID_PROTO_BUF));
  if (pre_key_signal_message_get_signal_message(parsed.get()) == nullptr) {
    return tl::unexpected(impl_->to_failure(SG_ERR_INVALID_PROTO_BUF));
  }
  if (auto ahead =
          impl_->refuse_leap(peer, pre_key_signal_message_get_signal_message(parsed.get()))) {
    return tl::unexpected(std::move(*ahead));
  }
  return impl_->decrypt_session(peer, [&parsed](session_cipher* cipher, signal_buffer** out) {
    return session_cipher_decrypt_pre_key_signal_message(cipher, parsed.get(), nullptr, out);
  });
}

DecryptResult Protocol::decrypt_msg(const Address& peer, ByteView message) {
  if (auto wrong = check_version(message)) return tl::unexpected(std::move(*wrong));
  Ref<signal_message> parsed;
  const int status =
      signal_message_deserialize(parsed.out(), raw(message), message.size(), impl_->context.get());
  if (status < 0) return tl::unexpected(impl_->to_failure(SG_ERR_INVALID_PROTO_BUF));
  if (auto ahead = impl_->refuse_leap(peer, parsed.get())) {
    return tl::unexpected(std::move(*ahead));
  }
  return impl_->decrypt_session(peer, [&parsed](session_cipher* cipher, signal_buffer** out) {
    return session_cipher_decrypt_signal_message(cipher, parsed.get(), nullptr, out);
  });
}

DecryptResult Protocol::Impl::finish(Buffer plaintext) {
  if (auto written = bridge.finish(); !written) {
    return tl::unexpected(DecryptFailure{DecryptError::internal, std::move(written.error())});
  }
  return Decrypted{to_bytes(view(plaintext.get())), bridge.identity_changed()};
}

Result<Ref<session_record>> Protocol::Impl::readable_session(const Address& peer) {
  TRY(const std::optional<Bytes>* bytes, bridge.session(peer));
  Ref<session_record> record;
  if (!bytes->has_value()) return record;
  const int status =
      session_record_deserialize(record.out(), raw(**bytes), (*bytes)->size(), context.get());
  if (status < 0 || session_record_get_state(record.get()) == nullptr) {
    TRY(store.delete_session(peer));
    bridge.begin();
    return Ref<session_record>();
  }
  return record;
}

bool Protocol::Impl::drop_unreadable_session(const Address& peer) {
  if (bridge.error()) return false;
  bridge.begin();  // what the failed operation collected does not count
  const auto stored = bridge.session(peer);
  if (!stored || !(*stored)->has_value()) return false;
  const auto readable = readable_session(peer);
  return readable && !*readable;
}

Result<std::optional<std::uint32_t>> Protocol::remote_registration_id(const Address& peer) {
  impl_->bridge.begin();
  TRY(auto record, impl_->readable_session(peer));
  if (!record) return std::nullopt;
  return session_state_get_remote_registration_id(session_record_get_state(record.get()));
}

Result<std::optional<Bytes>> Protocol::session_base_key(const Address& peer) {
  impl_->bridge.begin();
  TRY(auto record, impl_->readable_session(peer));
  if (!record) return std::nullopt;
  const ec_public_key* key =
      session_state_get_alice_base_key(session_record_get_state(record.get()));
  if (key == nullptr) return std::nullopt;
  return to_bytes(with_type_byte(from_point(key)));
}

}  // namespace posthorn::signal
