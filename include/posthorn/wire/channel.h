#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/wire/certificate.h"
#include "posthorn/wire/node.h"
#include "posthorn/wire/node_codec.h"
#include "posthorn/wire/noise.h"
#include "posthorn/wire/websocket.h"

/// Everything between a byte stream and nodes: WebSocket + frames + Noise + codec. No I/O, no
/// timers: the owner holds the Stream and does, for either side:
///
///     ClientChannel channel(std::move(options), random);
///     stream.write(channel.take_output());                 // the upgrade request
///     on_data(data):   auto fed = channel.feed(data, clock.now());
///                      while (auto node = channel.next()) …;   // also after an error
///                      write(channel.take_output());           // also after an error
///                      if (!fed) close the stream, reconnect;
///     to send:         channel.send(node); write(channel.take_output());
///
/// Several send() before one take_output() become one write. The owner keeps the time-outs: 20 s
/// until handshake_done(), then chapter 01 section 9.
namespace posthorn::wire {

struct ClientChannelOptions {
  WebSocketRequest request;
  ClientIdentity identity;
  Bytes routing_info;  ///< from <edge_routing>; empty: none. Forget it when a login fails with it
};

/// The client's end.
class ClientChannel {
 public:
  /// The upgrade request is in take_output() at once. `random` outlives the channel.
  ClientChannel(ClientChannelOptions options, Random& random);
  ClientChannel(const ClientChannel&) = delete;
  ClientChannel& operator=(const ClientChannel&) = delete;
  ~ClientChannel();

  /// Takes what the stream gave; now: for the certificate's window.
  /// Errors (the channel is dead then): refused (upgrade declined), malformed (protocol broken or a
  /// tag wrong), crypto (certificate refused: alarm the operator), disconnected (closed by the
  /// server in order; nodes that came before are still in next()).
  [[nodiscard]] Result<void> feed(ByteView received, Wall now);
  /// The next stanza; nullopt: none yet. An Error (malformed) is one stanza that could not be
  /// decoded: log it and go on.
  [[nodiscard]] std::optional<Result<Node>> next();
  /// Queues a stanza. Errors: disconnected (not handshake_done(), or dead), malformed (cannot be
  /// encoded; nothing was queued).
  [[nodiscard]] Result<void> send(const Node& node);
  /// Queues a WebSocket Close.
  void close();
  /// Bytes for the stream, in order; empty when there is nothing.
  [[nodiscard]] Bytes take_output();

  /// True once the Noise keys are in place: stanzas may flow.
  [[nodiscard]] bool handshake_done() const;
  /// The chain verified in this handshake; nullopt before, and when resumed().
  [[nodiscard]] const std::optional<ServerCertificate>& certificate() const;
  [[nodiscard]] bool resumed() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct ServerChannelOptions {
  std::string path = "/ws/chat";
  ServerIdentity identity;
};

/// The server's end, for the simulator.
class ServerChannel {
 public:
  /// How frames sit in WebSocket messages; a client must take all of them.
  enum class Framing : std::uint8_t {
    one_per_message,
    merged,      ///< all frames of one take_output() in one message
    split,       ///< every frame in two messages
    fragmented,  ///< every message in WebSocket fragments
  };

  ServerChannel(ServerChannelOptions options, Random& random);
  ServerChannel(const ServerChannel&) = delete;
  ServerChannel& operator=(const ServerChannel&) = delete;
  ~ServerChannel();

  /// Errors: as the client's; bad first bytes close with 1011.
  [[nodiscard]] Result<void> feed(ByteView received);
  [[nodiscard]] std::optional<Result<Node>> next();
  [[nodiscard]] Result<void> send(const Node& node, Compression compression = Compression::none);
  /// Queues a frame with this plaintext (flag byte included), whatever it is: for faults.
  [[nodiscard]] Result<void> send_plaintext(ByteView plaintext);
  void set_framing(Framing framing);
  /// Queues a WebSocket Close. code 1000: in order; 1011: refused.
  void close(std::uint16_t code = 1000);
  [[nodiscard]] Bytes take_output();

  [[nodiscard]] bool handshake_done() const;
  [[nodiscard]] bool closed() const;
  /// After handshake_done(): serialised wa::ClientPayload and the client's static key.
  [[nodiscard]] ByteView client_payload() const;
  [[nodiscard]] const Key32& client_key() const;
  [[nodiscard]] bool resumed() const;
  /// What the client sent as edge routing prefix; empty: none.
  [[nodiscard]] ByteView routing_info() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::wire
