#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "posthorn/simulator/simulator.h"
#include "simulator/directory.h"

namespace posthorn::simulator {

class World;

/// The people behind the virtual devices: accounts' owners and scripted customers.
class Peers {
 public:
  explicit Peers(World& world) : world_(world) {}

  /// A new account with its virtual phone.
  Account& add_account(const NewAccount& wish);
  /// The app-state keys for a companion that has just logged in for the first time.
  void welcome(Device& companion);
  void refill(Device& device);

  Result<std::string> send(std::string_view account, const PeerText& text);
  Result<std::string> send(std::string_view account, const PeerFile& file);
  /// The phone of that device's account is asked for a file that the media host has dropped.
  void upload_again(Device& asker, const wire::Node& receipt);
  Result<void> read(std::string_view account, std::string_view message_id);
  Result<void> set_script(std::string_view account, const PeerScript& script);
  Result<void> lose_session(std::string_view account);
  Result<void> reregister(std::string_view account);
  Result<std::uint16_t> add_companion(std::string_view account);
  Result<void> remove_companion(std::string_view account, std::uint16_t device);
  Result<void> drain_prekeys(std::string_view account);
  Result<void> set_online(std::string_view account, bool online);

  void keep(Account& account, Received received);
  [[nodiscard]] std::vector<Received> inbox(const Account& account, std::uint64_t after) const;
  /// Runs after every received message, for long polls; one at a time.
  void on_received(std::function<void()> watcher) { watcher_ = std::move(watcher); }
  void clear();

 private:
  [[nodiscard]] Result<Account*> known(std::string_view account) const;
  void attach(Device& device, const signal::OwnIdentity& identity);

  World& world_;
  std::uint64_t next_sequence_ = 1;
  std::map<const Account*, std::deque<Received>> inboxes_;
  std::function<void()> watcher_;
};

}  // namespace posthorn::simulator
