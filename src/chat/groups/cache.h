#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/groups/metadata.h"
#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/store/group_store.h"

namespace posthorn::chat {

/// The groups we are in: members and settings in memory, bounded, asked for when they are needed
/// and kept fresh by WhatsApp's notifications; names and admins in the store.
/// Source: chapter 10 sections 3, 9, 13.
class GroupCache {
 public:
  /// A snapshot; a later change makes another one.
  using Info = std::shared_ptr<const GroupInfo>;
  /// We are in that group (chatId), at least since then.
  using Joined = std::function<void(const std::string& chat, Wall since)>;

  /// All outlive this. protocol: on staged keys.
  GroupCache(const MessageContext& context, ReceiveLane& lane, signal::Protocol& protocol)
      : context_(context), lane_(lane), protocol_(protocol) {}
  /// Whoever waits is answered with cancelled.
  ~GroupCache();

  /// From memory, else from WhatsApp; members' names are learned by then. done may run inside.
  /// Errors: not_found (no such group, or we are no member), disconnected, timeout, busy, io,
  /// malformed, cancelled.
  void get(const wire::Jid& group, Once<void(Result<Info>)> done);
  /// The same, whatever is remembered.
  void refresh(const wire::Jid& group, Once<void(Result<Info>)> done);
  /// nullptr: not in memory.
  [[nodiscard]] Info find(const wire::Jid& group);
  void forget(const wire::Jid& group);
  void forget_all();

  /// A group that an answer of WhatsApp's describes whole: one that we have just made.
  void adopt(GroupInfo info);

  /// Asks once for the names of all groups; again after forget_all().
  void ask_names();
  void on_joined(Joined joined) { joined_ = std::move(joined); }
  /// Since when we are in it, at the latest; nullopt: we are not.
  [[nodiscard]] std::optional<Wall> member_since(const GroupInfo& info) const;

  /// For the lane: <notification type="w:gp2">.
  [[nodiscard]] static bool concerns(const wire::Node& stanza);
  [[nodiscard]] Result<LaneWork> take(const wire::Node& stanza, bool batch_open);

 private:
  struct Entry {
    Info info;
    std::uint64_t used = 0;
  };
  struct Change;
  using Pairs = std::vector<std::pair<wire::Jid, wire::Jid>>;

  void ask(const wire::Jid& group);
  void on_answer(const wire::Jid& group, Result<wire::Node> reply);
  void learn(Pairs names, Info info);
  void answer(const wire::Jid& group, const Result<Info>& result);
  Info keep(GroupInfo info);
  Result<void> save_names(std::vector<GroupInfo> groups);
  Result<void> save_name(const GroupInfo& info);
  [[nodiscard]] Wall joined_at(const GroupInfo& info) const;
  void tell_joined(const GroupInfo& info);

  Result<void> apply(Change& change, const wire::Node& child);
  void apply_create(Change& change, const wire::Node& child);
  void apply_members(Change& change, const wire::Node& child);
  [[nodiscard]] bool names_us(const std::vector<Member>& members) const;
  LaneWork to_work(Change change);

  const MessageContext& context_;
  ReceiveLane& lane_;
  signal::Protocol& protocol_;
  Joined joined_;
  std::map<wire::Jid, Entry> entries_;
  std::map<wire::Jid, std::vector<Once<void(Result<Info>)>>> waiting_;
  std::size_t members_ = 0;  ///< of all entries
  std::uint64_t uses_ = 0;
  bool asked_names_ = false;
};

/// Under which name the box has its sender key: its LID where it has one.
[[nodiscard]] signal::SenderKeyName own_sender_key(const session::Identity& self,
                                                   const wire::Jid& group);

}  // namespace posthorn::chat
