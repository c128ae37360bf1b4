#include <signal/group_cipher.h>
#include <signal/group_session_builder.h>
#include <signal/sender_key.h>
#include <signal/sender_key_record.h>
#include <signal/sender_key_state.h>

#include "posthorn/base/log.h"
#include "posthorn/signal/protocol.h"
#include "signal/protocol_impl.h"
#include "signal/record_bounds.h"

namespace posthorn::signal {

namespace {

struct FreeCipher {
  void operator()(group_cipher* cipher) const { group_cipher_free(cipher); }
};
using Cipher = std::unique_ptr<group_cipher, FreeCipher>;

struct FreeBuilder {
  void operator()(group_session_builder* builder) const { group_session_builder_free(builder); }
};
using Builder = std::unique_ptr<group_session_builder, FreeBuilder>;

Builder make_builder(StoreBridge& bridge, signal_context* context) {
  group_session_builder* builder = nullptr;
  group_session_builder_create(&builder, bridge.context(), context);
  return Builder(builder);
}

Cipher make_cipher(StoreBridge& bridge, signal_context* context,
                   const signal_protocol_sender_key_name& name) {
  group_cipher* cipher = nullptr;
  group_cipher_create(&cipher, bridge.context(), &name, context);
  return Cipher(cipher);
}

/// The same id under the same signing key: the chain we have is as far or further.
bool knows(sender_key_record* record, sender_key_distribution_message* message) {
  sender_key_state* state = nullptr;
  const std::uint32_t id = sender_key_distribution_message_get_id(message);
  if (sender_key_record_get_sender_key_state_by_id(record, &state, id) != 0) return false;
  return ec_public_key_compare(sender_key_state_get_signing_key_public(state),
                               sender_key_distribution_message_get_signature_key(message)) == 0;
}

}  // namespace

Result<std::optional<Protocol::SenderKeyState>> Protocol::own_sender_key(const SenderKeyName& own) {
  const auto record = impl_->readable_sender_key(own);
  sender_key_state* state = nullptr;
  if (!record || sender_key_record_get_sender_key_state(record.get(), &state) != 0)
    return std::optional<SenderKeyState>();
  return std::optional(
      SenderKeyState{sender_key_state_get_key_id(state),
                     sender_chain_key_get_iteration(sender_key_state_get_chain_key(state))});
}

Result<Bytes> Protocol::create_distribution(const SenderKeyName& own) {
  impl_->readable_sender_key(own);
  impl_->bridge.begin();
  const signal_protocol_sender_key_name name = to_c(own);
  const Builder builder = make_builder(impl_->bridge, impl_->context.get());
  Ref<sender_key_distribution_message> message;
  const int status = group_session_builder_create_session(builder.get(), message.out(), &name);
  if (status < 0) return impl_->to_error(status, "sender key");
  TRY(impl_->bridge.finish());
  const auto* serialized =
      ciphertext_message_get_serialized(reinterpret_cast<const ciphertext_message*>(message.get()));
  return to_bytes(view(serialized));
}

tl::expected<void, DecryptFailure> Protocol::process_distribution(const SenderKeyName& name,
                                                                  ByteView distribution) {
  if (auto wrong = check_version(distribution)) return tl::unexpected(std::move(*wrong));
  Ref<sender_key_distribution_message> message;
  if (sender_key_distribution_message_deserialize(message.out(), raw(distribution),
                                                  distribution.size(), impl_->context.get()) < 0) {
    return tl::unexpected(impl_->to_failure(SG_ERR_INVALID_PROTO_BUF));
  }
  impl_->readable_sender_key(name);
  impl_->bridge.begin();
  const signal_protocol_sender_key_name c_name = to_c(name);
  Ref<sender_key_record> record;
  int status = signal_protocol_sender_key_load_key(impl_->bridge.context(), record.out(), &c_name);
  if (status < 0) return tl::unexpected(impl_->to_failure(status));
  if (knows(record.get(), message.get())) return {};

  const Builder builder = make_builder(impl_->bridge, impl_->context.get());
  status = group_session_builder_process_session(builder.get(), &c_name, message.get());
  if (status < 0) return tl::unexpected(impl_->to_failure(status));
  if (auto written = impl_->bridge.finish(); !written) {
    return tl::unexpected(DecryptFailure{DecryptError::internal, std::move(written.error())});
  }
  return {};
}

Result<Bytes> Protocol::encrypt_group(const SenderKeyName& own, ByteView padded) {
  impl_->bridge.begin();
  TRY(auto known, impl_->store.sender_key(own));
  if (!known) return fail(Errc::not_found, "no sender key");
  const signal_protocol_sender_key_name name = to_c(own);
  const Cipher cipher = make_cipher(impl_->bridge, impl_->context.get(), name);
  Ref<ciphertext_message> message;
  const int status = group_cipher_encrypt(cipher.get(), raw(padded), padded.size(), message.out());
  if (status < 0) return impl_->to_error(status, "encrypt for group");
  TRY(impl_->bridge.finish());
  return to_bytes(view(ciphertext_message_get_serialized(message.get())));
}

DecryptResult Protocol::decrypt_group(const SenderKeyName& name, ByteView message) {
  if (auto wrong = check_version(message)) return tl::unexpected(std::move(*wrong));
  Ref<sender_key_message> parsed;
  if (sender_key_message_deserialize(parsed.out(), raw(message), message.size(),
                                     impl_->context.get()) < 0) {
    return tl::unexpected(impl_->to_failure(SG_ERR_INVALID_PROTO_BUF));
  }
  if (impl_->leaps(name, parsed.get())) return tl::unexpected(too_far());
  impl_->bridge.begin();
  const signal_protocol_sender_key_name c_name = to_c(name);
  const Cipher cipher = make_cipher(impl_->bridge, impl_->context.get(), c_name);
  signal_buffer* plaintext = nullptr;
  const int status = group_cipher_decrypt(cipher.get(), parsed.get(), nullptr, &plaintext);
  Buffer owner(plaintext);
  if (status >= 0) return impl_->finish(std::move(owner));
  // For an unknown key id of a known sender the library has the same code as for a wrong signature.
  const bool no_key = status != SG_ERR_DUPLICATE_MESSAGE && !impl_->bridge.error() &&
                      !impl_->has_sender_key(name, sender_key_message_get_key_id(parsed.get()));
  return tl::unexpected(impl_->to_failure(no_key ? SG_ERR_NO_SESSION : status));
}

Result<void> Protocol::rotate_sender_key(const SenderKeyName& own) {
  return impl_->store.delete_sender_key(own);
}

Ref<sender_key_record> Protocol::Impl::readable_sender_key(const SenderKeyName& name) {
  Ref<sender_key_record> record;
  const auto bytes = store.sender_key(name);
  if (!bytes || !*bytes) return record;
  if (sender_key_record_deserialize(record.out(), raw(**bytes), (*bytes)->size(), context.get()) ==
      0) {
    return record;
  }
  // Should deleting fail as well, the next operation tries again.
  if (auto deleted = store.delete_sender_key(name); !deleted) {
    log::warn("signal", "unreadable sender key stays", {{"error", deleted.error()}});
  }
  return {};
}

bool Protocol::Impl::leaps(const SenderKeyName& name, sender_key_message* message) {
  const std::uint32_t iteration = sender_key_message_get_iteration(message);
  if (iteration <= kMaxLeap) return false;
  const auto record = readable_sender_key(name);
  sender_key_state* state = nullptr;
  if (!record || sender_key_record_get_sender_key_state_by_id(
                     record.get(), &state, sender_key_message_get_key_id(message)) != 0) {
    return false;  // no key for it: it fails by itself
  }
  const std::uint32_t next = sender_chain_key_get_iteration(sender_key_state_get_chain_key(state));
  return iteration > next && iteration - next > kMaxLeap;
}

bool Protocol::Impl::has_sender_key(const SenderKeyName& name, std::uint32_t id) {
  const auto record = readable_sender_key(name);
  sender_key_state* state = nullptr;
  return record && sender_key_record_get_sender_key_state_by_id(record.get(), &state, id) == 0;
}

}  // namespace posthorn::signal
