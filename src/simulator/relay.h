#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "posthorn/base/scheduler.h"
#include "posthorn/wire/node.h"
#include "simulator/directory.h"

namespace posthorn::simulator {

class World;
struct Group;

/// Carries messages, receipts and notifications between devices, and keeps what a device has not
/// acknowledged. It never opens an <enc>. Chapter 13 B7, B8.
class Relay {
 public:
  explicit Relay(World& world) : world_(world) {}

  /// Gives the device a stanza now, or when it comes back. Stanzas that need an ack are kept until
  /// it came.
  void deliver(Device& to, wire::Node stanza);
  /// <notification type> from the server with this child to all devices of the account.
  void notify_account(const Account& account, const char* type, const wire::Node& child);

  void on_login(Device& device, bool passive);
  void on_active(Device& device);
  void on_gone(Device& device);

  void on_message(Device& from, const wire::Node& message);
  void on_receipt(Device& from, const wire::Node& receipt);
  void on_ack(Device& from, const wire::Node& ack);
  void on_ib(Device& from, const wire::Node& ib);
  void on_presence(Device& from, const wire::Node& presence);
  void on_chatstate(Device& from, const wire::Node& chatstate);
  void on_call(Device& from, const wire::Node& call);

  [[nodiscard]] bool draining(const Device& device) const { return drains_.contains(&device); }

 private:
  struct Drain {
    std::size_t total = 0;
    std::size_t sent = 0;
    std::unique_ptr<Timer> patience;
  };
  /// Ids already relayed, per sending device; the oldest go first.
  struct SeenIds {
    std::unordered_set<std::string> ids;
    std::deque<std::string> order;
    bool insert(const std::string& id);
  };
  struct Routed {
    Device* device;
    const wire::Node* enc;
  };

  void send_batch(Device& device, std::size_t count);
  void finish_drain(Device& device);
  void settle(Device& device, std::string_view tag, const std::string& id, const wire::Node* ack);
  void ack_message(Device& from, const wire::Node& message, int error, const std::string& phash);
  [[nodiscard]] int policy_error(const Device& from, const Account& target,
                                 const wire::Node& message) const;
  [[nodiscard]] std::optional<std::vector<Routed>> route(Device& from, Account& target,
                                                         const wire::Node& message);
  [[nodiscard]] std::string fresh_phash(const Device& from, const Account& target,
                                        const wire::Node& message,
                                        const std::vector<Routed>& routed) const;
  [[nodiscard]] wire::Node relayed(const Device& from, const Account& target, const Device& to,
                                   const wire::Node& message, const wire::Node& enc) const;
  // relay_groups.cpp
  void on_story(Device& from, const wire::Node& message);
  void forward_story_receipt(Device& from, const wire::Node& receipt);
  void on_group_message(Device& from, const wire::Node& message);
  [[nodiscard]] std::optional<std::map<const Device*, const wire::Node*>> group_copies(
      Device& from, const Group& group, const wire::Node& message);
  [[nodiscard]] wire::Node group_form(const Device& from, const Group& group,
                                      const wire::Node& message,
                                      const std::vector<const wire::Node*>& encs) const;
  void forward_group_receipt(Device& from, const wire::Node& receipt);
  void group_chatstate(Device& from, const Group& group, const wire::Node& chatstate);
  void remember_sender(const std::string& id, const Device& from);

  void forward_receipt(Device& from, Account& target, const wire::Node& receipt);
  void forward_retry(Device& from, const wire::Node& receipt, const wire::Jid& to);
  void tell_own_devices_read(Device& from, const wire::Node& receipt, const char* type);

  World& world_;
  std::unordered_map<const Device*, Drain> drains_;
  std::unordered_map<std::string, SeenIds> seen_;       ///< by sending device, PN form
  std::unordered_map<std::string, wire::Jid> senders_;  ///< message id -> device, for retries
  std::deque<std::string> sender_order_;
};

}  // namespace posthorn::simulator
