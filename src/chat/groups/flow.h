#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/groups/audience.h"
#include "chat/groups/cache.h"
#include "chat/groups/stanza.h"
#include "chat/groups/stories.h"
#include "chat/send/ack.h"
#include "chat/send/flow.h"
#include "chat/send/open_send.h"
#include "posthorn/base/job.h"
#include "posthorn/base/once.h"
#include "posthorn/throttle/sender.h"

namespace posthorn::chat {

/// One job on its way to a group, or to those who see our statuses: members, their devices, our key
/// for those who lack it, the message under that key, on disk, write, ack. A slice in each turn of
/// the loop, whatever the group's size. Ends at every error with an outcome that says whether
/// anything may have left.
///
/// Who holds our key is marked when the server has taken the message. A new key is made when
/// somebody who holds the old one is no longer among those who may read, and after 1,000 messages.
/// Source: chapters 05 section 6, 06 section 4.1, 10 section 10.
class GroupFlow final : public OpenSend, public std::enable_shared_from_this<GroupFlow> {
 public:
  /// All outlive the flow.
  struct Tools {
    SendTools send;
    GroupCache& groups;
    Stories& stories;
  };
  static std::shared_ptr<GroupFlow> start(Tools tools, const Job& job,
                                          Once<void(throttle::SendOutcome)> done);
  void cancel() override;

 private:
  enum class Step : std::uint8_t { preparing, sent, finished };

  GroupFlow(Tools tools, Job job, Once<void(throttle::SendOutcome)> done);
  void begin();
  void ask_group();
  void on_ready(Result<Content::What> what);
  void on_group(Result<GroupCache::Info> group);
  [[nodiscard]] Result<Stories::Audience> present_readers();
  void on_story(Result<Stories::Audience> people);
  void on_audience(Result<Audience> audience);
  Result<void> choose_key();
  Result<void> choose_receivers(std::vector<std::string> holders);
  void name_holders(const std::set<std::string>& holders);
  [[nodiscard]] bool is_story() const { return is_story_chat(group_); }
  void on_key(Result<void> result);
  void build_sessions();
  void make_copies();
  Result<void> encrypt_slice();
  Result<void> seal();
  void on_sealed(Result<void> result);
  void on_may_leave(Result<void> result);
  void on_ack(Result<wire::Node> ack);
  void follow_up(const AckReading& reading);
  void mark_holders();

  void begin_repair();
  void end_repair();
  void on_repair_group(Result<GroupCache::Info> group);
  void on_repair_audience(Result<Audience> audience);

  [[nodiscard]] const MessageContext& context() const { return tools_.send.context; }
  void finish(throttle::SendOutcome outcome);
  void end(throttle::SendOutcome::Kind kind, std::string detail, int code = 0);
  void end(const Error& error);
  template <class F>
  auto later(F member);
  void exclusive(Result<void> (GroupFlow::*work)(), void (GroupFlow::*done)(Result<void>));

  Tools tools_;
  Job job_;
  Once<void(throttle::SendOutcome)> done_;
  Step step_ = Step::preparing;
  bool has_left_ = false;  ///< some of it has been written to the wire
  wire::Jid group_;
  GroupCache::Info info_;
  Audience audience_;
  std::string story_setting_;  ///< of a status: who it was for, in WhatsApp's word
  std::optional<wa::Message> message_;
  std::uint32_t key_id_ = 0;
  Bytes pairwise_;  ///< padded: what a device that lacks our key gets for itself
  std::vector<TargetDevice> lacking_;
  std::size_t next_ = 0;              ///< of lacking_
  std::vector<std::string> holders_;  ///< devices that will hold the key when the server takes it
  GroupMessage stanza_;
  bool mode_changed_ = false;  ///< 421: tried again once
  /// The server has taken it; what follows only reaches devices that it did not know of.
  std::optional<throttle::SendOutcome> taken_;
  std::size_t first_holders_ = 0;  ///< of holders_: those of the stanza that was taken
  bool marking_ = false;           ///< nothing else is to come
};

}  // namespace posthorn::chat
