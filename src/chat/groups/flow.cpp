#include "chat/groups/flow.h"

#include <algorithm>
#include <set>
#include <utility>

#include "chat/content/context.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using Kind = throttle::SendOutcome::Kind;

/// A stanza for two thousand new devices is most of a megabyte, and uplinks are slow.
constexpr milliseconds kAckTimeout{60'000};
constexpr std::uint32_t kMessagesPerKey = 1000;
constexpr std::size_t kSessionsAtOnce = 100;
constexpr std::size_t kCopiesAtOnce = 16;
constexpr std::size_t kMarksAtOnce = 256;
constexpr int kForbidden = 403;
constexpr int kStaleMode = 421;

/// In a group whose messages disappear each one says after how long.
void set_timer(wa::Message& message, std::uint32_t seconds) {
  if (wa::ContextInfo* context = mutable_context(message)) context->set_expiration(seconds);
}

}  // namespace

template <class F>
auto GroupFlow::later(F member) {
  return [self = shared_from_this(), member](auto result) {
    if (self->step_ != Step::finished) ((*self).*member)(std::move(result));
  };
}

void GroupFlow::exclusive(Result<void> (GroupFlow::*work)(),
                          void (GroupFlow::*done)(Result<void>)) {
  tools_.send.lane.exclusive(
      [self = shared_from_this(), work]() -> Result<void> {
        if (self->step_ == Step::finished) return {};
        return ((*self).*work)();
      },
      later(done));
}

std::shared_ptr<GroupFlow> GroupFlow::start(Tools tools, const Job& job,
                                            Once<void(throttle::SendOutcome)> done) {
  std::shared_ptr<GroupFlow> flow(new GroupFlow(tools, job, std::move(done)));
  flow->begin();
  return flow;
}

GroupFlow::GroupFlow(Tools tools, Job job, Once<void(throttle::SendOutcome)> done)
    : tools_(tools), job_(std::move(job)), done_(std::move(done)) {}

void GroupFlow::cancel() {
  if (step_ == Step::finished) return;
  marking_ = true;  // no more time for it
  end(step_ == Step::sent ? Kind::uncertain : Kind::not_sent, "the session has ended");
}

void GroupFlow::finish(throttle::SendOutcome outcome) {
  if (step_ == Step::finished) return;
  if (taken_ && !marking_) return end_repair();
  step_ = Step::finished;
  done_(taken_ ? std::move(*taken_) : std::move(outcome));
}

void GroupFlow::end(Kind kind, std::string detail, int code) {
  throttle::SendOutcome outcome;
  outcome.kind = kind == Kind::not_sent && has_left_ ? Kind::uncertain : kind;
  outcome.code = code;
  outcome.detail = std::move(detail);
  outcome.server_time = context().clock.now();
  finish(std::move(outcome));
}

/// Before anything has left the box: hand it over again later.
void GroupFlow::end(const Error& error) { end(Kind::not_sent, to_string(error)); }

void GroupFlow::begin() {
  const auto group = parse_chat_id(job_.chat);
  if (!group) return end(Kind::rejected, group.error().detail);
  if (!context().line.online()) return end(Kind::not_sent, "not connected");
  auto earlier = find_earlier(context(), job_.id);
  if (!earlier) return end(earlier.error());
  if (earlier->outcome) return finish(std::move(*earlier->outcome));
  message_ = std::move(earlier->message);
  group_ = *group;
  if (!message_ && needs_readying(job_.content))
    return ready(tools_.send, job_, later(&GroupFlow::on_ready));
  ask_group();
}

void GroupFlow::on_ready(Result<Content::What> what) {
  if (!what) return end(outcome_without_file(what.error()), what.error().detail);
  job_.content.what = std::move(*what);
  ask_group();
}

void GroupFlow::ask_group() {
  if (is_story() && std::holds_alternative<content::Deletion>(job_.content.what))
    return on_story(present_readers());
  if (is_story()) return tools_.stories.audience(job_.audience, later(&GroupFlow::on_story));
  tools_.groups.get(group_, later(&GroupFlow::on_group));
}

/// A deletion is for those who got what it deletes: they hold our key.
Result<Stories::Audience> GroupFlow::present_readers() {
  const auto own = own_sender_key(context().line.identity(), group_);
  TRY(const auto key, tools_.send.protocol.own_sender_key(own));
  std::vector<std::string> holders;
  if (key) {
    TRY(holders, context().groups.holders(to_string(group_), key->id));
  }
  return tools_.stories.readers(holders);
}

void GroupFlow::on_story(Result<Stories::Audience> people) {
  const bool nobody =
      !people && (people.error().code == Errc::not_found || people.error().code == Errc::malformed);
  if (nobody) return end(Kind::rejected, people.error().detail);
  if (!people) return end(people.error());
  story_setting_ = std::move(people->setting);
  info_ = std::make_shared<const GroupInfo>(std::move(people->people));  // shared: as the cache's
  AudienceFinder::find(context(), tools_.send.devices, *info_, Devices::Freshness::remembered,
                       later(&GroupFlow::on_audience));
}

void GroupFlow::on_group(Result<GroupCache::Info> group) {
  if (!group && group.error().code == Errc::not_found)
    return end(Kind::rejected, "the account is no member of this group", kForbidden);
  if (!group) return end(group.error());
  info_ = *group;
  const session::Identity& self = context().line.identity();
  const Member* us = info_->find(self.lid.empty() ? self.pn : self.lid);
  if (us == nullptr) us = info_->find(self.pn);
  if (us == nullptr)
    return end(Kind::rejected, "the account is no member of this group", kForbidden);
  if (info_->suspended) return end(Kind::rejected, "WhatsApp has suspended this group");
  if (info_->only_admins_send && !us->is_admin())
    return end(Kind::rejected, "only admins may write in this group, and the account is none");
  AudienceFinder::find(context(), tools_.send.devices, *info_, Devices::Freshness::remembered,
                       later(&GroupFlow::on_audience));
}

void GroupFlow::on_audience(Result<Audience> audience) {
  if (!audience) return end(audience.error());
  audience_ = std::move(*audience);
  exclusive(&GroupFlow::choose_key, &GroupFlow::on_key);
}

// The key
// -------------------------------------------------------------------------------------------

Result<void> GroupFlow::choose_key() {
  auto& protocol = tools_.send.protocol;
  const signal::SenderKeyName own = own_sender_key(context().line.identity(), group_);
  const std::string name = to_string(group_);
  TRY(const auto known, protocol.own_sender_key(own));
  std::vector<std::string> holders;
  bool fresh = known && known->iteration < kMessagesPerKey;
  if (fresh) {
    TRY(holders, context().groups.holders(name, known->id));
    std::set<std::string> readers;
    for (const TargetDevice& device : audience_.devices) readers.insert(to_string(device.named));
    fresh = std::all_of(holders.begin(), holders.end(),
                        [&](const std::string& holder) { return readers.contains(holder); });
  }
  if (!fresh) {
    TRY(protocol.rotate_sender_key(own));
    holders.clear();
  }
  // Before anything is sealed, so that who gets it can read this very message.
  TRY(const Bytes distribution, protocol.create_distribution(own));
  TRY(const auto now, protocol.own_sender_key(own));
  if (!now) return fail(Errc::crypto, "no sender key");
  key_id_ = now->id;
  wa::Message message;
  auto& key = *message.mutable_senderkeydistributionmessage();
  key.set_groupid(name);
  key.set_axolotlsenderkeydistributionmessage(to_string(distribution));
  pairwise_ = signal::pad(as_bytes(message.SerializeAsString()), context().random);
  return choose_receivers(std::move(holders));
}

Result<void> GroupFlow::choose_receivers(std::vector<std::string> holders) {
  const std::set<std::string> known(std::make_move_iterator(holders.begin()),
                                    std::make_move_iterator(holders.end()));
  lacking_.clear();
  for (const TargetDevice& device : audience_.devices) {
    if (!known.contains(to_string(device.named))) lacking_.push_back(device);
  }
  next_ = 0;
  holders_.clear();
  if (!message_) {
    TRY(message_, message_of(context(), job_, group_, group_));
    if (info_->ephemeral_seconds > 0) set_timer(*message_, info_->ephemeral_seconds);
  }
  stanza_ = {};
  stanza_.id = job_.id;
  stanza_.to = group_;
  stanza_.attrs = describe_content(*message_);
  if (is_story()) {
    // With hash or mode the server refuses it; of a deletion it wants no setting.
    name_holders(known);
    if (stanza_.attrs.edit.empty())
      stanza_.attrs.meta.emplace_back("status_setting", story_setting_);
  } else {
    stanza_.addressing_mode = info_->by_lid ? "lid" : "pn";
    stanza_.phash = audience_.phash;
  }
  stanza_.device_identity = context().line.identity().device_identity;
  return {};
}

/// A status names everybody who may see it: those whose phone has the key already by their name.
void GroupFlow::name_holders(const std::set<std::string>& holders) {
  for (const TargetDevice& device : audience_.devices) {
    const bool phone = device.named.device == 0;
    if (phone && holders.contains(to_string(device.named)))
      stanza_.holders.push_back(device.shown.bare());
  }
}

void GroupFlow::on_key(Result<void> result) {
  if (!result && is_for_good(result.error())) return end(Kind::rejected, result.error().detail);
  if (!result) return end(result.error());
  build_sessions();
}

void GroupFlow::build_sessions() {
  if (next_ >= lacking_.size()) {
    next_ = 0;
    return make_copies();
  }
  const std::size_t count = std::min(kSessionsAtOnce, lacking_.size() - next_);
  std::vector<Jid> devices;
  for (std::size_t i = 0; i < count; ++i) devices.push_back(lacking_[next_ + i].named);
  next_ += count;
  tools_.send.sessions.ensure(std::move(devices), FetchReason::ordinary,
                              [self = shared_from_this()](Result<SessionBuilder::Lists> result) {
                                if (self->step_ == Step::finished) return;
                                if (!result) return self->end(result.error());
                                self->context().scheduler.post([self] {
                                  if (self->step_ != Step::finished) self->build_sessions();
                                });
                              });
}

void GroupFlow::make_copies() {
  if (next_ >= lacking_.size()) return exclusive(&GroupFlow::seal, &GroupFlow::on_sealed);
  tools_.send.lane.exclusive(
      [self = shared_from_this()]() -> Result<void> {
        if (self->step_ == Step::finished) return {};
        return self->encrypt_slice();
      },
      [self = shared_from_this()](Result<void> result) {
        if (self->step_ == Step::finished) return;
        if (!result) return self->end(result.error());
        self->context().scheduler.post([self] {
          if (self->step_ != Step::finished) self->make_copies();
        });
      });
}

Result<void> GroupFlow::encrypt_slice() {
  const std::size_t end_of_slice = std::min(next_ + kCopiesAtOnce, lacking_.size());
  for (; next_ < end_of_slice; ++next_) {
    const TargetDevice& device = lacking_[next_];
    auto encrypted = tools_.send.protocol.encrypt(address_of(device.named), pairwise_);
    const bool no_session = !encrypted && encrypted.error().code == Errc::not_found;
    if (!encrypted && !no_session) return fail(encrypted.error(), "encrypting");
    // A companion without keys asks for the message by itself when it is there again; a phone is
    // tried with every message until it has the key.
    if (no_session && device.named.device == 0) continue;
    holders_.push_back(to_string(device.named));
    if (encrypted) stanza_.copies.push_back({device.shown, std::move(*encrypted)});
  }
  return {};
}

/// Inside the lane's transaction: the key has moved on, and the disk is near enough (Store::leave),
/// before the stanza leaves.
Result<void> GroupFlow::seal() {
  if (taken_) return {};  // those who were missed get the message itself
  const Bytes plain = signal::pad(as_bytes(message_->SerializeAsString()), context().random);
  TRY(stanza_.sealed,
      tools_.send.protocol.encrypt_group(own_sender_key(context().line.identity(), group_), plain));
  return save_sent(context(), job_, group_, *message_);
}

void GroupFlow::on_sealed(Result<void> result) {
  if (!result) return end(result.error());
  // None of those who were missed has keys: there is nothing to send them.
  if (taken_ && stanza_.copies.empty()) return end_repair();
  context().store.leave(later(&GroupFlow::on_may_leave));
}

void GroupFlow::on_may_leave(Result<void> result) {
  if (!result) return end(result.error());
  if (!context().line.online()) return end(Kind::not_sent, "not connected");
  step_ = Step::sent;
  has_left_ = true;
  auto stanza = build_group_message(stanza_);
  stanza_.copies.clear();
  stanza_.sealed.reset();
  // First the waiting, then the write: a link that answers at once must find us.
  context().line.await_ack(job_.id, kAckTimeout, later(&GroupFlow::on_ack));
  context().line.write(std::move(stanza));
}

// The ack
// -------------------------------------------------------------------------------------------

void GroupFlow::on_ack(Result<wire::Node> ack) {
  if (!ack) return end(Kind::uncertain, to_string(ack.error()));
  AckReading reading = read_ack(*ack, job_.chat, context().clock.now());
  // A group that is not there is not a person without WhatsApp.
  if (reading.outcome.kind == Kind::no_account) reading.outcome.kind = Kind::rejected;
  follow_up(reading);
  const auto mode = ack->attr("addressing_mode");
  const bool other_mode =
      reading.outcome.code == kStaleMode || (mode && *mode != stanza_.addressing_mode);
  if (other_mode) tools_.groups.forget(group_);
  // What is taken is not sent once more in another form.
  if (reading.outcome.code == kStaleMode && !taken_ && !std::exchange(mode_changed_, true)) {
    step_ = Step::preparing;
    return ask_group();
  }
  if (reading.outcome.kind != Kind::sent) return finish(std::move(reading.outcome));
  const auto phash = ack->attr("phash");
  const bool stale = phash && *phash != stanza_.phash && !taken_ && !is_story();
  if (!taken_) taken_ = std::move(reading.outcome);
  if (!stale) return mark_holders();
  begin_repair();
}

void GroupFlow::follow_up(const AckReading& reading) {
  if (reading.outcome.kind == Kind::sent) {
    if (auto marked =
            context().messages.raise_status(job_.id, store::MessageStore::Sent::Status::acked);
        !marked) {
      log::warn("messages", "ack could not be stored", {{"why", marked.error()}});
    }
  }
  if (reading.restriction) context().line.restrict(*reading.restriction);
}

void GroupFlow::mark_holders() {
  marking_ = true;
  if (holders_.empty()) return finish(*taken_);
  tools_.send.lane.exclusive(
      [self = shared_from_this()]() -> Result<void> {
        auto& holders = self->holders_;
        const std::size_t count = std::min(kMarksAtOnce, holders.size());
        const auto slice = std::span(holders).last(count);
        TRY(self->context().groups.add_holders(to_string(self->group_), self->key_id_, slice));
        holders.resize(holders.size() - count);
        return {};
      },
      [self = shared_from_this()](Result<void> result) {
        // Not marked only means that they get the key once more.
        if (!result) return self->finish(*self->taken_);
        self->context().scheduler.post([self] {
          if (self->step_ != Step::finished) self->mark_holders();
        });
      });
}

// Devices that we did not know of
// -------------------------------------------------------------------------------------------

/// The server counts other devices than we did. Those that are new get the message for themselves,
/// once, under the same id; nobody's key is taken back for it (chapter 10 section 10).
void GroupFlow::begin_repair() {
  step_ = Step::preparing;
  first_holders_ = holders_.size();
  tools_.groups.refresh(group_, later(&GroupFlow::on_repair_group));
}

/// It reached nobody, or nobody knows: who got the first stanza holds the key all the same.
void GroupFlow::end_repair() {
  holders_.resize(std::min(first_holders_, holders_.size()));
  mark_holders();
}

void GroupFlow::on_repair_group(Result<GroupCache::Info> group) {
  if (!group) return mark_holders();
  info_ = *group;
  AudienceFinder::find(context(), tools_.send.devices, *info_, Devices::Freshness::asked,
                       later(&GroupFlow::on_repair_audience));
}

void GroupFlow::on_repair_audience(Result<Audience> audience) {
  if (!audience) return mark_holders();
  std::set<std::string> had;
  for (const TargetDevice& device : audience_.devices) had.insert(to_string(device.named));
  lacking_.clear();
  for (TargetDevice& device : audience->devices) {
    if (!had.contains(to_string(device.named))) lacking_.push_back(std::move(device));
  }
  if (lacking_.empty()) return mark_holders();
  wa::Message copy = *message_;
  wa::Message key;
  if (const auto plain = signal::unpad(pairwise_);
      plain && key.ParseFromArray(plain->data(), static_cast<int>(plain->size()))) {
    copy.MergeFrom(key);
  }
  pairwise_ = signal::pad(as_bytes(copy.SerializeAsString()), context().random);
  stanza_.phash = audience->phash;
  next_ = 0;
  build_sessions();
}

}  // namespace posthorn::chat
