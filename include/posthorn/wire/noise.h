#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/certificate.h"
#include "posthorn/wire/token_tables.h"

/// Noise_XX_25519_AESGCM_SHA256 with IK resumption and XXfallback, both sides, and the transport
/// cipher that follows. Pure. Protocol chapter 01 sections 3, 5 and 6.
///
/// Channel (channel.h) joins these with WebSocket and frames; use it unless you test this layer.
namespace posthorn::wire {

/// "WA", protocol magic, dictionary version: sent once before the first frame, and the prologue.
inline constexpr std::array<std::byte, 4> kConnectionHeader{std::byte{'W'}, std::byte{'A'},
                                                            std::byte{6}, std::byte{kTokenVersion}};
/// Edge routing prefix, before the header and outside the prologue: "ED", 0, 1, 3-byte length.
/// routing_info longer than a frame is left out.
void append_routing_prefix(Bytes& out, ByteView routing_info);

/// The two transport keys, named from the client's side.
struct TransportKeys {
  Key32 client_to_server{};
  Key32 server_to_client{};
};

/// One direction of the transport phase: AES-256-GCM with a counter, keyed once.
class TransportCipher {
 public:
  static constexpr std::size_t kTagBytes = 16;

  explicit TransportCipher(const Key32& key);
  TransportCipher(TransportCipher&&) noexcept;
  TransportCipher& operator=(TransportCipher&&) noexcept;
  ~TransportCipher();

  /// Encrypts what stands in `buffer` from `from` on in place and appends the tag.
  /// Errors: disconnected (the counter is used up: open a new connection).
  [[nodiscard]] Result<void> seal(Bytes& buffer, std::size_t from);
  /// Decrypts in place; returns the front part of `sealed` that is plaintext.
  /// Errors: malformed (tag wrong or missing). Fatal: the connection must be dropped.
  [[nodiscard]] Result<ByteView> open(std::span<std::byte> sealed);

 private:
  struct Gcm;
  std::unique_ptr<Gcm> gcm_;
  std::uint64_t counter_ = 0;
};

/// The symmetric state of a handshake: h, ck, k, n.
class NoiseState {
 public:
  explicit NoiseState(std::string_view protocol_name);

  void mix_hash(ByteView data);
  void mix_key(ByteView secret);
  /// mix_key of X25519. Errors: malformed (a public key of small order).
  [[nodiscard]] Result<void> mix_dh(const Key32& private_key, ByteView public_key32);
  [[nodiscard]] Bytes encrypt(ByteView plain);
  /// Errors: malformed (tag wrong or missing).
  [[nodiscard]] Result<Bytes> decrypt(ByteView sealed);
  [[nodiscard]] TransportKeys split() const;
  [[nodiscard]] const Key32& hash() const { return hash_; }
  [[nodiscard]] const Key32& chaining_key() const { return chaining_key_; }
  [[nodiscard]] const Key32& key() const { return key_; }

 private:
  Key32 hash_{};
  Key32 chaining_key_{};
  Key32 key_{};
  std::uint32_t counter_ = 0;
};

/// What the initiator brings.
struct ClientIdentity {
  KeyPair noise;                          ///< this installation's long-lived pair
  Bytes client_payload;                   ///< serialised wa::ClientPayload
  Key32 root_key = kWhatsAppRootKey;      ///< replaced only for a stand-in
  std::optional<Key32> known_server_key;  ///< ServerCertificate::leaf_key of an earlier XX: try IK
  VerifySignature verify;
};

/// The initiator: hello() once, then on_server_hello() once. Messages are frame payloads.
class ClientHandshake {
 public:
  ClientHandshake(ClientIdentity identity, Random& random);
  ClientHandshake(const ClientHandshake&) = delete;
  ClientHandshake& operator=(const ClientHandshake&) = delete;
  ~ClientHandshake();  ///< wipes its secrets

  /// The ClientHello: of IK when a server key is known, otherwise of XX.
  [[nodiscard]] Result<Bytes> hello();
  /// Takes the ServerHello. Returns the ClientFinish to send; empty after IK, which needs none.
  /// After success keys() is set.
  /// Errors: malformed (shape, or a tag is wrong: count it as a network failure); crypto (the
  /// certificate was refused: raise an alarm). Forget known_server_key after either.
  [[nodiscard]] Result<Bytes> on_server_hello(ByteView message, Wall now);

  [[nodiscard]] const TransportKeys& keys() const { return keys_; }
  /// Set after XX and XXfallback; IK does not verify a chain again.
  [[nodiscard]] const std::optional<ServerCertificate>& certificate() const { return certificate_; }
  /// True when this handshake was IK and the server agreed.
  [[nodiscard]] bool resumed() const { return resumed_; }

 private:
  Result<void> finish_resume(ByteView ephemeral, ByteView payload);
  Result<Bytes> finish_exchange(ByteView ephemeral, ByteView sealed_static, ByteView payload,
                                Wall now);

  ClientIdentity identity_;
  KeyPair ephemeral_;
  NoiseState state_;
  TransportKeys keys_;
  std::optional<ServerCertificate> certificate_;
  bool resumed_ = false;
};

/// What the responder brings (the simulator).
struct ServerIdentity {
  KeyPair noise;
  Bytes certificate_chain;
  bool allow_resume = true;  ///< false: every IK hello is answered with XXfallback
};

/// The responder: on_client_hello() once, and on_client_finish() unless finished() already.
class ServerHandshake {
 public:
  ServerHandshake(ServerIdentity identity, Random& random);
  ServerHandshake(const ServerHandshake&) = delete;
  ServerHandshake& operator=(const ServerHandshake&) = delete;
  ~ServerHandshake();  ///< wipes its secrets

  /// prologue: the 4 header bytes as received. Returns the ServerHello to send. An IK hello for
  /// another key is answered with XXfallback. Errors: malformed.
  [[nodiscard]] Result<Bytes> on_client_hello(ByteView prologue, ByteView message);
  /// Errors: malformed (shape or tag).
  [[nodiscard]] Result<void> on_client_finish(ByteView message);

  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] const TransportKeys& keys() const { return keys_; }
  [[nodiscard]] const Key32& client_key() const { return client_key_; }
  /// Serialised wa::ClientPayload.
  [[nodiscard]] ByteView client_payload() const { return client_payload_; }
  [[nodiscard]] bool resumed() const { return resumed_; }

 private:
  Result<Bytes> answer_exchange(ByteView client_ephemeral);
  Result<Bytes> answer_resume(ByteView prologue, ByteView client_ephemeral, ByteView sealed_static,
                              ByteView payload);

  ServerIdentity identity_;
  KeyPair ephemeral_;
  NoiseState state_;
  TransportKeys keys_;
  Key32 client_key_{};
  Bytes client_payload_;
  bool finished_ = false;
  bool resumed_ = false;
};

}  // namespace posthorn::wire
