#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/stream.h"
#include "posthorn/signal/curve.h"
#include "posthorn/wire/channel.h"
#include "posthorn/wire/wa.pb.h"
#include "support/fakes.h"

namespace posthorn::session::core_test {

/// A WhatsApp of a few hundred lines, over the real WebSocket, Noise and node codec: enough to
/// link, log in and be refused. Every answer can be replaced, every stanza that came in is kept.
class FakeServer {
 public:
  /// One connection of the box, also after it has ended.
  class Line final : public Stream::Handler {
   public:
    Line(FakeServer& server, std::unique_ptr<Stream> stream);

    void send(const wire::Node& stanza);
    /// Orderly close.
    void close();
    /// Goes on reading, never answers again: a half-open connection.
    void fall_silent() { silent_ = true; }
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] bool registering() const { return payload.has_devicepairingdata(); }
    [[nodiscard]] bool resumed() const { return channel_->resumed(); }
    [[nodiscard]] ByteView routing_info() const { return channel_->routing_info(); }
    /// Received stanzas with that tag (and, for iq, a child with that tag).
    [[nodiscard]] std::vector<wire::Node> all(std::string_view tag,
                                              std::string_view child = {}) const;

    wa::ClientPayload payload;
    std::vector<wire::Node> received;

   private:
    void on_data(ByteView data) override;
    void on_closed(Error why) override;
    void flush();

    FakeServer& server_;
    std::unique_ptr<Stream> stream_;
    std::unique_ptr<wire::ServerChannel> channel_;
    bool greeted_ = false;
    bool silent_ = false;
    bool ended_ = false;
  };

  FakeServer(posthorn::test::FakeScheduler& scheduler, posthorn::test::MemoryDialer& dialer);

  [[nodiscard]] std::string root_key_hex() const;
  /// The newest connection. There is one.
  [[nodiscard]] Line& line() { return *lines.back(); }
  void send(const wire::Node& stanza) { line().send(stanza); }

  /// The phone scans this QR text: <pair-success> goes out on the newest connection.
  void scan(const std::string& qr_text);
  /// The stanza of scan(), to be spoilt by the test.
  [[nodiscard]] wire::Node pair_success(ByteView adv_secret, ByteView identity_public);
  [[nodiscard]] static wire::Node stream_error(std::string code,
                                               std::optional<wire::Node> child = {});
  [[nodiscard]] wire::Node success() const;
  [[nodiscard]] static wire::Node ib(wire::Node child);

  std::vector<std::unique_ptr<Line>> lines;
  /// After the handshake. Default: pair-device with `refs` refs, or success and an empty backlog.
  std::function<void(Line&)> on_open;
  /// Before the default answers; true: dealt with.
  std::function<bool(Line&, const wire::Node&)> on_stanza;
  int refs = 6;
  std::uint64_t prekeys_on_server = 0;
  std::int64_t time = 1'790'000'100;
  std::string phone = "4915550001234";
  std::string lid = "100200300400500";
  bool sign_with_other_account = false;
  bool allow_resume = true;
  wire::ChainFlaw flaw = wire::ChainFlaw::none;
  posthorn::test::SeededRandom random{77};
  signal::KeyPair account = signal::make_key_pair(random);

 private:
  friend class Line;
  void greet(Line& line);
  void answer(Line& line, const wire::Node& stanza);
  void answer_iq(Line& line, const wire::Node& iq);
  [[nodiscard]] wire::ServerIdentity identity();

  posthorn::test::FakeScheduler& scheduler_;
  wire::KeyPair root_ = wire::make_key_pair(random);
  wire::KeyPair intermediate_ = wire::make_key_pair(random);
  wire::KeyPair static_ = wire::make_key_pair(random);
};

}  // namespace posthorn::session::core_test
