#pragma once

#include <optional>

#include "posthorn/signal/protocol.h"
#include "posthorn/wire/node.h"
#include "simulator/directory.h"

namespace posthorn::simulator {

class World;
struct Group;

/// Answers the IQs of logged-in devices (chapter 13 B6). None is left without an answer.
class Queries {
 public:
  explicit Queries(World& world) : world_(world) {}

  void on_iq(Device& from, const wire::Node& iq);

  /// A device's keys for somebody who wants to write to it; a one-time key leaves the stock.
  [[nodiscard]] std::optional<signal::Bundle> take_bundle(Device& device);
  /// MEX pushes on change.
  void push_timelock(const Account& account);
  void push_cap(const Account& account);

 private:
  using Handler = void (Queries::*)(Device&, const wire::Node&);
  struct Route {
    const char* xmlns;
    const char* type;
    const char* child;  ///< nullptr: any or none
    Handler handler;
  };
  static const std::vector<Route>& routes();

  void reply(Device& to, const wire::Node& iq, std::vector<wire::Node> children = {});
  void refuse(Device& to, const wire::Node& iq, int code, const char* text);
  void empty(Device& from, const wire::Node& iq);
  void ping(Device& from, const wire::Node& iq);

  // prekey_queries.cpp
  void upload_keys(Device& from, const wire::Node& iq);
  void count_keys(Device& from, const wire::Node& iq);
  void digest_keys(Device& from, const wire::Node& iq);
  void rotate_key(Device& from, const wire::Node& iq);
  void fetch_keys(Device& from, const wire::Node& iq);
  void fetch_identities(Device& from, const wire::Node& iq);

  // usync.cpp
  void usync(Device& from, const wire::Node& iq);

  // account_queries.cpp
  void set_active(Device& from, const wire::Node& iq);
  void props(Device& from, const wire::Node& iq);
  void get_privacy(Device& from, const wire::Node& iq);
  void set_privacy(Device& from, const wire::Node& iq);
  void issue_tokens(Device& from, const wire::Node& iq);
  void get_blocklist(Device& from, const wire::Node& iq);
  void set_blocklist(Device& from, const wire::Node& iq);
  void media_hosts(Device& from, const wire::Node& iq);
  void app_state(Device& from, const wire::Node& iq);
  void get_picture(Device& from, const wire::Node& iq);
  void set_about(Device& from, const wire::Node& iq);
  void mex(Device& from, const wire::Node& iq);
  void remove_device(Device& from, const wire::Node& iq);

  // group_queries.cpp
  void groups(Device& from, const wire::Node& iq);
  void list_groups(Device& from, const wire::Node& iq, const wire::Node& child);
  void change_groups(Device& from, const wire::Node& iq, const wire::Node& child);
  void create_group(Device& from, const wire::Node& iq, const wire::Node& child);
  void change_group(Device& from, const wire::Node& iq, Group& group, const wire::Node& child);
  void change_members(Device& from, const wire::Node& iq, Group& group, const wire::Node& child);
  void set_picture(Device& from, const wire::Node& iq);

  World& world_;
};

}  // namespace posthorn::simulator
