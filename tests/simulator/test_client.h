#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/simulator/simulator.h"
#include "posthorn/wire/channel.h"
#include "support/fakes.h"

namespace posthorn::test {

/// A small client of our own, just enough to see the simulator from outside: links by QR or code,
/// logs in, answers nothing by itself.
class TestClient final : private Stream::Handler {
 public:
  TestClient(FakeScheduler& scheduler, Random& random, simulator::Simulator& simulator);

  /// Opens a connection: registration when not linked, else login.
  void connect();
  /// Waits for refs, lets the phone scan, signs, waits for 515, logs in, uploads keys, goes active.
  void link(const std::string& account);
  void log_in();
  void log_in_and_go_active();
  void upload_keys(std::size_t count = 20);

  [[nodiscard]] std::string qr() const;
  [[nodiscard]] bool open() const { return stream_ != nullptr; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void send(const wire::Node& node);
  /// Sends an iq (the id is filled in) and gives its answer.
  wire::Node ask(wire::Node iq);
  /// The next stanza with that tag (and child, if named), dropping none; nullopt: none came.
  std::optional<wire::Node> take(std::string_view tag, std::string_view child = {});
  /// Lets posted work and at most `by` of time pass.
  void settle(milliseconds by = milliseconds(0));

  /// Encrypts for all devices the directory shows and sends. Gives the id.
  std::string send_text(const simulator::AccountInfo& to, const std::string& text,
                        const std::string& id = {});
  /// Decrypts a received message; empty: could not.
  std::string open_text(const wire::Node& message);
  wire::Node encrypted(const wire::Jid& device, ByteView protobuf, bool own_copy);

  wire::Jid pn, lid;
  Bytes device_identity, account_key;
  wire::KeyPair noise;
  signal::MemoryKeyStore store;
  signal::Protocol protocol;
  crypto::Key32 root_key;
  std::deque<wire::Node> stanzas;
  Bytes adv_secret;
  bool passive = false;
  bool spoil_device_signature = false;
  bool keep_account_key = false;   ///< in what it signs, as some clients do
  bool hold_pair_success = false;  ///< leaves it in `stanzas`, unanswered
  bool resume = false;
  std::function<void()> cut;

 private:
  void on_data(ByteView data) override;
  void on_closed(Error why) override;
  [[nodiscard]] Bytes payload();
  void sign(const wire::Node& pair_success);

  FakeScheduler& scheduler_;
  Random& random_;
  simulator::Simulator& simulator_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<wire::ClientChannel> channel_;
  std::optional<Error> error_;
  std::optional<wire::Key32> server_key_;
  std::vector<std::string> refs_;
  std::uint64_t next_id_ = 1;
};

}  // namespace posthorn::test
