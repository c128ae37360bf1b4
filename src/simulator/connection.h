#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/wire/channel.h"
#include "simulator/directory.h"

namespace posthorn::simulator {

class World;

/// One client's connection, from the upgrade request to its end. Applies the faults that concern
/// bytes and order; what stanzas mean is World's business.
class Connection final : public Endpoint, private Stream::Handler {
 public:
  enum class Phase : std::uint8_t { handshake, registering, logged_in, ended };

  Connection(World& world, std::uint64_t id, std::unique_ptr<Stream> stream);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] Device* device() const { return device_; }
  [[nodiscard]] const crypto::Key32& client_key() const { return channel_.client_key(); }

  void begin_registration() { phase_ = Phase::registering; }
  void begin_login(Device& device);
  /// The device is gone or has another connection now.
  void forget_device() { device_ = nullptr; }

  /// Sends a stanza, with the faults that match it.
  void deliver(const wire::Node& stanza) override;
  /// Sends this last stanza, the stream's end and a WebSocket Close.
  void end(const wire::Node& last);
  /// Ends in order without a word.
  void end();
  /// Breaks the line at once.
  void abort();
  /// Nothing is handled or sent from here on, but the line stays.
  void go_deaf() { deaf_ = true; }

 private:
  void on_data(ByteView data) override;
  void on_closed(Error why) override;
  void on_data_after_end(ByteView data);

  void on_node(const wire::Node& node);
  void handle(const wire::Node& node);
  using Pass = void (Connection::*)(const wire::Node& node);
  bool act(const Fault& fault, const wire::Node& node, Pass pass);
  void act_in(const Fault& fault, const wire::Node& node);
  void act_out(const Fault& fault, const wire::Node& node);
  void answer_error(const Fault& fault, const wire::Node& node);
  void write(const wire::Node& node);
  void write_plaintext(ByteView plaintext);
  void write_damaged(const Fault& fault, const wire::Node& node);
  void flush();
  void output(Bytes bytes);
  void trickle();
  void finish();
  void watch_silence();

  World& world_;
  std::uint64_t id_;
  std::unique_ptr<Stream> stream_;
  wire::ServerChannel channel_;
  Phase phase_ = Phase::handshake;
  Device* device_ = nullptr;
  bool deaf_ = false;
  std::optional<wire::Node> swapped_;
  milliseconds trickle_every_{0};
  Bytes trickled_;
  Timer silence_;
};

}  // namespace posthorn::simulator
