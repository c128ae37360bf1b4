#include "chat/groups/audience.h"

#include <algorithm>
#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/people/usync.h"

namespace posthorn::chat {
namespace {

using wire::Jid;

/// Users of one question, or looked up in one turn.
constexpr std::size_t kUsersAtOnce = 64;

bool is_hosted(const Jid& device) {
  return device.server == wire::kServerHosted || device.server == wire::kServerHostedLid;
}

}  // namespace

void AudienceFinder::find(const MessageContext& context, Devices& devices, const GroupInfo& group,
                          Devices::Freshness freshness, Once<void(Result<Audience>)> done) {
  // Shared with the answers that it waits for.
  std::shared_ptr<AudienceFinder> finder(
      new AudienceFinder(context, devices, group, freshness, std::move(done)));
  finder->next();
}

AudienceFinder::AudienceFinder(const MessageContext& context, Devices& devices,
                               const GroupInfo& group, Devices::Freshness freshness,
                               Once<void(Result<Audience>)> done)
    : context_(context), devices_(devices), freshness_(freshness), done_(std::move(done)) {
  const session::Identity& self = context.line.identity();
  self_ = group.by_lid && !self.lid.empty() ? self.lid : self.pn;
  shown_.reserve(group.members.size() + 1);
  bool listed = false;
  for (const Member& member : group.members) {
    const bool own = is_own_user(self, member.jid);
    listed = listed || own;
    shown_.push_back(own ? self_.bare() : member.jid);
  }
  if (!listed) shown_.push_back(self_.bare());
}

void AudienceFinder::next() {
  if (done_users_ >= shown_.size()) return finish();
  asked_ = std::min(kUsersAtOnce, shown_.size() - done_users_);
  std::vector<Jid> users(shown_.begin() + static_cast<std::ptrdiff_t>(done_users_),
                         shown_.begin() + static_cast<std::ptrdiff_t>(done_users_ + asked_));
  devices_.get(
      std::move(users),
      [self = shared_from_this()](Result<std::vector<UserDevices>> lists) {
        self->on_devices(std::move(lists));
      },
      freshness_);
}

void AudienceFinder::on_devices(Result<std::vector<UserDevices>> lists) {
  if (!lists) return done_(fail(lists.error(), "devices of a group"));
  for (std::size_t i = 0; i < lists->size() && i < asked_; ++i) {
    add((*lists)[i], shown_[done_users_ + i]);
  }
  done_users_ += asked_;
  context_.scheduler.post([self = shared_from_this(), alive = context_.alive] {
    if (!*alive) return self->done_(fail(Errc::cancelled, "devices of a group"));
    self->next();
  });
}

void AudienceFinder::add(const UserDevices& user, const Jid& shown) {
  const auto add_device = [&](const Jid& device) {
    // Devices of a hosting company never get what is said in groups.
    if (is_hosted(device)) return;
    const Jid named = user.user.with_device(device.device);
    const Jid seen = shown.with_device(device.device);
    if (seen == self_) return;
    out_.devices.push_back({named, seen});
  };
  for (const Jid& device : user.devices) add_device(device);
  if (user.devices.empty()) add_device(user.user);
}

void AudienceFinder::finish() {
  std::vector<Jid> all{self_};
  all.reserve(out_.devices.size() + 1);
  for (const TargetDevice& device : out_.devices) all.push_back(device.shown);
  out_.phash = device_hash(all);
  done_(std::move(out_));
}

}  // namespace posthorn::chat
