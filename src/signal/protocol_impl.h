#pragma once

#include "posthorn/signal/protocol.h"
#include "signal/crypto_provider.h"
#include "signal/library.h"
#include "signal/store_bridge.h"

namespace posthorn::signal {

class Protocol::Impl {
 public:
  Impl(KeyStore& key_store, Random& chance)
      : store(key_store), random(chance), context(chance), bridge(key_store, context.get()) {}

  /// The failure of an operation whose input came from a peer.
  DecryptFailure to_failure(int status) const;
  /// The failure of an operation of our own.
  tl::unexpected<Error> to_error(int status, std::string_view what) const;
  /// Takes plaintext out and writes what the operation changed.
  DecryptResult finish(Buffer plaintext);

  /// A record that the library cannot read any more (a flipped bit on the disk) would fail for
  /// ever: it is deleted, so that a retry builds a new one. True: that was the case.
  bool drop_unreadable_session(const Address& peer);
  /// Empty: no sender key, or an unreadable one (deleted).
  Ref<sender_key_record> readable_sender_key(const SenderKeyName& name);
  bool has_sender_key(const SenderKeyName& name, std::uint32_t id);
  /// Whether reading it would step over more than kMaxLeap messages.
  bool leaps(const SenderKeyName& name, sender_key_message* message);
  /// nullopt: no session, or an unreadable one (deleted).
  Result<Ref<session_record>> readable_session(const Address& peer);

  /// Keeps new pairs and gives the oldest `count`, when they are durable.
  void offer(const std::vector<KeyPair>& pairs, std::size_t count,
             Once<void(Result<std::vector<PreKey>>)> done);

  template <class Decrypt>
  DecryptResult decrypt_session(const Address& peer, Decrypt decrypt);
  /// Set when reading it would step over more than kMaxLeap messages, or the store fails.
  std::optional<DecryptFailure> refuse_leap(const Address& peer, const signal_message* message);

  KeyStore& store;
  Random& random;
  Context context;
  StoreBridge bridge;
  /// Shared with callbacks of the worker, which may come after the end of this object.
  std::shared_ptr<Impl*> alive = std::make_shared<Impl*>(this);
};

/// The library's view of an address; both end with the address it was made of.
inline signal_protocol_address to_c(const Address& address) {
  return {address.name.data(), address.name.size(), address.device};
}
inline signal_protocol_sender_key_name to_c(const SenderKeyName& name) {
  return {name.group.data(), name.group.size(), to_c(name.sender)};
}

/// DecryptError::too_far.
DecryptFailure too_far();

/// Version 3 only. nullopt: fine.
std::optional<DecryptFailure> check_version(ByteView message);

}  // namespace posthorn::signal
