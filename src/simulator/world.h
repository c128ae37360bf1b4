#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/simulator/simulator.h"
#include "simulator/app_state.h"
#include "simulator/calls.h"
#include "simulator/connection.h"
#include "simulator/directory.h"
#include "simulator/faults.h"
#include "simulator/groups.h"
#include "simulator/journal.h"
#include "simulator/media_shelf.h"
#include "simulator/pairing.h"
#include "simulator/peers.h"
#include "simulator/queries.h"
#include "simulator/relay.h"

namespace posthorn::simulator {

/// Everything there is, in one place: the parts reach each other through it.
class World {
 public:
  World(Scheduler& scheduler_in, Random& random_in, const Options& options_in);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  Scheduler& scheduler;
  Random& random;
  const Options options;
  Journal journal;
  Directory directory;
  Groups groups;
  FaultTable faults;
  MediaShelf media;
  Pairing pairing;
  Queries queries;
  Relay relay;
  Peers peers;
  AppState app_state{*this};
  Calls calls;

  [[nodiscard]] Wall now() const { return scheduler.system_wall() + clock_offset_; }
  [[nodiscard]] std::string now_text() const { return std::to_string(now().unix_seconds()); }
  void set_clock_offset(milliseconds offset) { clock_offset_ = offset; }
  [[nodiscard]] milliseconds clock_offset() const { return clock_offset_; }
  /// A new id for a stanza of the server.
  [[nodiscard]] std::string next_id();
  /// Runs the task later, unless the world has ended by then.
  void later(milliseconds after, Task task);
  void post(Task task);

  [[nodiscard]] const wire::ServerIdentity& identity() const { return identity_; }
  [[nodiscard]] const crypto::Key32& root_key() const { return root_key_; }

  void accept(std::unique_ptr<Stream> stream);
  [[nodiscard]] Connection* connection(std::uint64_t id) const;
  [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }
  /// Drops the connection object in a later turn.
  void retire(std::uint64_t id);

  /// Noise is done: registration or login.
  void on_payload(Connection& from, ByteView payload);
  /// A stanza of a connection that is registered or logged in.
  void on_stanza(Connection& from, const wire::Node& stanza);
  /// A stanza of a device, real or virtual.
  void on_device_stanza(Device& from, const wire::Node& stanza);
  void on_gone(Connection& connection);

  void violation(const Connection& connection, std::string what);
  void violation(const Device& device, std::string what);
  /// Nothing the real server refuses.
  void remark(const Connection& connection, std::string what);
  void note(JournalEntry::Direction direction, std::uint64_t connection, const Device* device,
            const wire::Node& node);

  /// Takes the device out of the account: conflict device_removed to it, the new list to others.
  void unlink(Device& device);
  /// <notification type="devices"> to contacts and account_sync to own devices.
  void announce_devices(Account& account, const char* operation, std::uint16_t device,
                        std::uint32_t key_index);
  /// account_sync to the account's devices: whom it blocks has changed. but: the one that did it.
  void announce_block_list(const Account& account, std::optional<std::uint16_t> but = {});

 private:
  void log_in(Connection& from, std::uint64_t username, std::uint16_t device_id, bool passive);
  void refuse(Connection& from, int reason, int code, std::int64_t expire);

  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // shared: timers look whether it still is
  milliseconds clock_offset_{0};
  std::uint64_t next_stanza_ = 1;
  std::string stanza_prefix_;
  wire::ServerIdentity identity_;
  crypto::Key32 root_key_{};
  std::uint64_t next_connection_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
};

}  // namespace posthorn::simulator
