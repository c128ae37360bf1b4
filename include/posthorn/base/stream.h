#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn {

/// Bytes in order, both ways: TCP or TLS in the box, an in-memory pair in tests.
/// Everything happens on the loop thread; nothing calls back inside start, write or close.
class Stream {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    /// A piece as it came, never empty; the view ends with the call.
    virtual void on_data(ByteView data) = 0;
    /// The other side sends no more, but still listens. True: the stream stays open for writing,
    /// and nothing more is read; false: it is over, and on_closed() follows.
    virtual bool on_end() { return false; }
    /// The other side or the network ended it. Called at most once, last, and not after close().
    virtual void on_closed(Error why) = 0;
  };

  /// Dropping a stream closes it at once, without a callback.
  virtual ~Stream() = default;

  /// Begins to read. The handler outlives the stream.
  virtual void start(Handler& handler) = 0;
  /// Queues bytes; order is kept. Written after close(): ignored.
  virtual void write(Bytes data) = 0;
  /// Bytes queued here and not yet taken by the operating system.
  [[nodiscard]] virtual std::size_t unsent() const = 0;
  /// Stops and starts reading, for backpressure.
  virtual void pause_reading(bool paused) = 0;
  /// Sends what is queued, then closes. No callback follows.
  virtual void close() = 0;
  /// Sends what is queued, then tells the other side that no more comes; reading goes on. A stream
  /// that cannot do so closes.
  virtual void end_writing() { close(); }
  /// Closes at once, so that the other side sees an error and not an orderly end, where the
  /// transport has a difference.
  virtual void reset() { close(); }
};

/// Where to connect.
struct Endpoint {
  std::string host;
  std::uint16_t port = 443;
  bool tls = true;
  /// PEM file of trusted roots; empty: the system's.
  std::string tls_ca_file;
  /// Name lookup, TCP and TLS together.
  milliseconds timeout{20'000};
};

/// Makes streams.
class Dialer {
 public:
  /// Dropping it before the answer gives up: done then runs with Errc::cancelled.
  class Dial {
   public:
    virtual ~Dial() = default;
  };

  virtual ~Dialer() = default;

  /// done gets an open stream, or: not_found (name), refused, timeout, crypto (certificate),
  /// disconnected.
  [[nodiscard]] virtual std::unique_ptr<Dial> dial(
      const Endpoint& endpoint, Once<void(Result<std::unique_ptr<Stream>>)> done) = 0;
};

}  // namespace posthorn
