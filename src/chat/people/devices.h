#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/people/usync.h"
#include "chat/people/usync_pause.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/signal/protocol.h"

namespace posthorn::chat {

/// The devices of one user.
struct UserDevices {
  wire::Jid user;      ///< bare, in the preferred form
  bool found = false;  ///< the server knows the user
  std::vector<wire::Jid> devices;
};

/// Device lists: from the store while fresh, else from the server, checked against the account's
/// signed list where one comes. Source: chapter 09 sections 5, 9.
class Devices {
 public:
  /// All outlive this.
  Devices(const MessageContext& context, ReceiveLane& lane, signal::Protocol& protocol)
      : context_(context), lane_(lane), protocol_(protocol) {}

  enum class Freshness : bool { remembered, asked };
  /// users: bare, in any form. done: in the same order; names that came along are learned by then.
  /// asked: whatever is remembered.
  /// Errors: timeout, disconnected, refused, busy (asked too often), malformed, io.
  void get(std::vector<wire::Jid> users, Once<void(Result<std::vector<UserDevices>>)> done,
           Freshness freshness = Freshness::remembered);

  /// The list is asked for again at its next use.
  Result<void> drop(const wire::Jid& user);

  /// The identity key of the user's phone, which signs for his companions; nullopt: not known yet.
  [[nodiscard]] Result<std::optional<signal::PublicKey>> account_key(const wire::Jid& user);

 private:
  enum class Round : bool { first, under_lids };
  void ask(std::vector<wire::Jid> users, Round round,
           Once<void(Result<std::vector<UserDevices>>)> done);
  void on_reply(std::vector<wire::Jid> users, Round round, const Result<wire::Node>& reply,
                Once<void(Result<std::vector<UserDevices>>)> done);
  void ask_under_lids(std::vector<wire::Jid> users,
                      const std::vector<std::pair<wire::Jid, wire::Jid>>& names,
                      Once<void(Result<std::vector<UserDevices>>)> done);
  Result<std::vector<UsyncUser>> read_answer(const Result<wire::Node>& reply);
  [[nodiscard]] Result<std::optional<std::vector<DeviceEntry>>> cached(const wire::Jid& user);
  Result<std::vector<UserDevices>> take_answer(const std::vector<wire::Jid>& users,
                                               const std::vector<UsyncUser>& answer);
  Result<UserDevices> take_user(const wire::Jid& asked, const UsyncUser& answer);
  Result<std::vector<DeviceEntry>> checked(const wire::Jid& user, const UsyncUser& answer,
                                           store::MessageStore::DeviceList& row);
  Result<void> forget_companions(const wire::Jid& user, const std::string& devices);

  const MessageContext& context_;
  ReceiveLane& lane_;
  signal::Protocol& protocol_;
  UsyncPause pause_;
};

/// "0;5:3;99:1h": ids, key indexes, hosted. What does not parse is left out.
[[nodiscard]] std::string encode_devices(const std::vector<DeviceEntry>& devices);
[[nodiscard]] std::vector<DeviceEntry> decode_devices(std::string_view text);

}  // namespace posthorn::chat
