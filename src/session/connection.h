#pragma once

#include <memory>

#include "posthorn/base/clock.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/wire/channel.h"
#include "session/target.h"

namespace posthorn::session {

/// One connection at a time: dialling, WebSocket, Noise, then stanzas both ways. Can be opened
/// again after it was lost or closed. Everything happens in later turns of the loop than the call.
class Connection final : private Stream::Handler {
 public:
  static constexpr milliseconds kHandshakeTimeout{20'000};
  /// More than this unsent means that the other side stopped reading.
  static constexpr std::size_t kMostUnsent = 8U << 20;

  struct Handler {
    virtual ~Handler() = default;
    /// The stream is open; WebSocket and Noise follow.
    virtual void on_dialled() = 0;
    /// Stanzas may flow. certificate: nullopt when the handshake was a resumption.
    virtual void on_open(const std::optional<wire::ServerCertificate>& certificate) = 0;
    virtual void on_stanza(wire::Node stanza) = 0;
    /// Once per open(), last, not after close(). crypto: the certificate was refused.
    virtual void on_lost(Error why) = 0;
  };

  Connection(Scheduler& scheduler, Dialer& dialer, Random& random, const Clock& clock,
             Handler& handler);
  ~Connection() override;

  void open(const Target& target, wire::ClientIdentity identity, Bytes routing_info);
  /// Dropped unless open, and once break_off() was called. Stanzas written in one turn of the loop
  /// leave in one piece.
  void write(const wire::Node& stanza);
  /// Stops and starts reading from the network.
  void pause_reading(bool paused);
  /// Sends what is queued, then closes. No callback follows.
  void close();
  /// Ends it as if the network had: on_lost(why) follows in a later turn.
  void break_off(Error why);

  [[nodiscard]] bool is_open() const { return open_; }
  [[nodiscard]] bool idle() const { return !channel_; }

 private:
  void on_data(ByteView data) override;
  void on_closed(Error why) override;

  void on_dialled(Result<std::unique_ptr<Stream>> stream);
  void deliver();
  void flush_later();
  void flush();
  void retire_stream();
  void lose(Error why);

  Scheduler& scheduler_;
  Dialer& dialer_;
  Random& random_;
  const Clock& clock_;
  Handler& handler_;
  std::uint64_t generation_ = 0;  ///< callbacks of an earlier connection compare and fall silent
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< shared with posted tasks
  std::unique_ptr<Dialer::Dial> dial_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<wire::ClientChannel> channel_;
  std::unique_ptr<Stream> lingering_;
  Timer handshake_timer_;
  Timer linger_timer_;
  bool open_ = false;
  bool breaking_off_ = false;
  bool flush_pending_ = false;
};

}  // namespace posthorn::session
