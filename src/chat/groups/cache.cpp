#include "chat/groups/cache.h"

#include <algorithm>
#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"
#include "posthorn/base/utf8.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr milliseconds kQueryTimeout{30'000};
/// Of all groups in memory together: about 1.5 MiB.
constexpr std::size_t kMembersInMemory = 8192;
/// Names learned in one transaction.
constexpr std::size_t kNamesAtOnce = 32;

Error to_group_error(Error error) {
  const bool gone = error.code == Errc::refused &&
                    (error.detail.starts_with("404") || error.detail.starts_with("403"));
  if (gone) error.code = Errc::not_found;
  if (error.code == Errc::refused && error.detail.starts_with("429")) error.code = Errc::busy;
  return error;
}

/// In a list with a blank behind each.
void set_admin(std::string& admins, const std::string& user, bool is_admin) {
  const std::string word = user + ' ';
  const std::size_t at = (' ' + admins).find(' ' + word);
  if (at != std::string::npos) admins.erase(at, word.size());
  if (is_admin) admins += word;
}

std::vector<std::pair<Jid, Jid>> names_of(const std::vector<Member>& members) {
  std::vector<std::pair<Jid, Jid>> names;
  for (const Member& member : members) {
    if (!member.other.empty()) names.emplace_back(member.jid, member.other);
  }
  return names;
}

}  // namespace

signal::SenderKeyName own_sender_key(const session::Identity& self, const Jid& group) {
  return {to_string(group.bare()), address_of(self.lid.empty() ? self.pn : self.lid)};
}

GroupCache::~GroupCache() {
  auto all = std::exchange(waiting_, {});
  for (auto& [group, waiting] : all) {
    for (auto& done : waiting) done(fail(Errc::cancelled, "asking for the group"));
  }
}

GroupCache::Info GroupCache::find(const Jid& group) {
  const auto at = entries_.find(group.bare());
  if (at == entries_.end()) return nullptr;
  at->second.used = ++uses_;
  return at->second.info;
}

void GroupCache::forget(const Jid& group) {
  const auto at = entries_.find(group.bare());
  if (at == entries_.end()) return;
  members_ -= at->second.info->members.size();
  entries_.erase(at);
}

void GroupCache::forget_all() {
  entries_.clear();
  members_ = 0;
  asked_names_ = false;
}

GroupCache::Info GroupCache::keep(GroupInfo info) {
  forget(info.jid);
  members_ += info.members.size();
  const Jid jid = info.jid;
  auto kept = std::make_shared<const GroupInfo>(std::move(info));  // shared: snapshots are held
  entries_[jid] = {kept, ++uses_};
  while (members_ > kMembersInMemory && entries_.size() > 1) {
    const auto oldest = std::min_element(
        entries_.begin(), entries_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    forget(oldest->first);
  }
  return kept;
}

void GroupCache::get(const Jid& group, Once<void(Result<Info>)> done) {
  if (Info known = find(group)) return done(std::move(known));
  const Jid jid = group.bare();
  auto& waiting = waiting_[jid];
  waiting.push_back(std::move(done));
  if (waiting.size() == 1) ask(jid);
}

void GroupCache::refresh(const Jid& group, Once<void(Result<Info>)> done) {
  forget(group);
  get(group, std::move(done));
}

void GroupCache::ask(const Jid& group) {
  context_.line.ask(build_group_query(group), kQueryTimeout,
                    [this, alive = context_.alive, group](Result<Node> reply) {
                      if (*alive) on_answer(group, std::move(reply));
                    });
}

void GroupCache::on_answer(const Jid& group, Result<Node> reply) {
  if (!reply) return answer(group, tl::unexpected(to_group_error(std::move(reply.error()))));
  auto info = parse_group_answer(*reply);
  if (info && info->jid != group) info = fail(Errc::malformed, "another group was answered");
  if (!info) return answer(group, fail(info.error(), "asking for the group"));
  Pairs names = names_of(info->members);
  learn(std::move(names), keep(std::move(*info)));
}

void GroupCache::adopt(GroupInfo info) {
  tell_joined(info);
  Pairs names = names_of(info.members);
  learn(std::move(names), keep(std::move(info)));
}

/// A slice at a time: a large group's names at once would hold up everything else.
void GroupCache::learn(Pairs names, Info info) {
  const std::size_t count = std::min(names.size(), kNamesAtOnce);
  Pairs now(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count));
  names.erase(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count));
  const bool last = names.empty();
  lane_.exclusive(
      [this, now = std::move(now), last, info]() -> Result<void> {
        for (const auto& [one, other] : now) {
          TRY(context_.names.learn(one, other));
        }
        return last ? save_name(*info) : Result<void>();
      },
      [this, alive = context_.alive, names = std::move(names), last,
       info](Result<void> written) mutable {
        if (!*alive) return;  // the lane ends later, and tells what it still had
        if (!written) return answer(info->jid, fail(written.error(), "members' names"));
        if (last) return answer(info->jid, info);
        context_.scheduler.post([this, alive, names = std::move(names), info]() mutable {
          if (*alive) learn(std::move(names), std::move(info));
        });
      });
}

void GroupCache::answer(const Jid& group, const Result<Info>& result) {
  const auto at = waiting_.find(group);
  if (at == waiting_.end()) return;
  auto waiting = std::move(at->second);
  waiting_.erase(at);
  if (!result) forget(group);
  for (auto& done : waiting) done(Result<Info>(result));
}

Result<void> GroupCache::save_name(const GroupInfo& info) {
  store::GroupStore::Group row;
  row.subject = info.subject;
  row.by_lid = info.by_lid;
  for (const Member& member : info.members) {
    if (!member.is_admin()) continue;
    const bool told = member.other.is_lid();
    TRY(const Jid named, context_.names.preferred(told ? member.other : member.jid));
    row.admins += to_string(named) + ' ';
  }
  return context_.groups.save(to_string(info.jid), row);
}

// Names of all groups
// -------------------------------------------------------------------------------------------

void GroupCache::ask_names() {
  if (std::exchange(asked_names_, true)) return;
  context_.line.ask(
      build_groups_query(), kQueryTimeout, [this, alive = context_.alive](Result<Node> reply) {
        if (!*alive) return;
        if (!reply) {
          asked_names_ = false;  // at the next login
          return;
        }
        auto groups = parse_groups_answer(*reply);
        for (const GroupInfo& info : groups) tell_joined(info);
        if (groups.empty()) return;
        lane_.exclusive(
            [this, groups = std::move(groups)]() mutable { return save_names(std::move(groups)); },
            [](Result<void> saved) {
              if (!saved) log::warn("groups", "names were not kept", {{"why", saved.error()}});
            });
      });
}

Result<void> GroupCache::save_names(std::vector<GroupInfo> groups) {
  for (GroupInfo& info : groups) {
    TRY(const auto known, context_.groups.find(to_string(info.jid)));
    if (known && info.members.empty()) {
      store::GroupStore::Group row = *known;
      row.subject = info.subject;
      row.by_lid = info.by_lid;
      TRY(context_.groups.save(to_string(info.jid), row));
      continue;
    }
    TRY(save_name(info));
  }
  return {};
}

/// How long we have been in somebody else's group WhatsApp does not say.
Wall GroupCache::joined_at(const GroupInfo& info) const {
  const session::Identity& self = context_.line.identity();
  const bool ours = !info.creator.empty() && is_own_user(self, info.creator);
  return ours && info.creation > 0 ? Wall::from_unix(info.creation, true) : context_.clock.now();
}

void GroupCache::tell_joined(const GroupInfo& info) {
  if (joined_) joined_(to_string(info.jid), joined_at(info));
}

std::optional<Wall> GroupCache::member_since(const GroupInfo& info) const {
  if (!names_us(info.members)) return std::nullopt;
  return joined_at(info);
}

// Notifications
// -------------------------------------------------------------------------------------------

bool GroupCache::concerns(const Node& stanza) { return stanza.text_attr("type") == "w:gp2"; }

/// One notification on its way through take().
struct GroupCache::Change {
  Jid group;
  std::optional<GroupInfo> info;  ///< as it will be; nullopt: not in memory
  std::optional<std::string> subject;
  /// Who has become an admin, or is none any more; for a group that is not in memory.
  std::vector<std::pair<Jid, bool>> admins;
  bool stale = false;   ///< what is in memory may be wrong
  bool joined = false;  ///< we are in it now
  bool left = false;    ///< we are not any more
  Wall when;
};

Result<LaneWork> GroupCache::take(const Node& stanza, bool batch_open) {
  const auto from = stanza.jid_attr("from");
  if (!from || !from->is_group() || from->user.empty()) return LaneWork{};
  Pairs names;
  for (const Node& child : stanza.children()) {
    const Pairs pairs = names_of(parse_members(child));
    // More than that are learned when the group is asked for.
    if (pairs.size() <= kNamesAtOnce) names.insert(names.end(), pairs.begin(), pairs.end());
  }
  bool news = false;
  for (const auto& [one, other] : names) {
    TRY(const bool one_is_news, context_.names.is_news(one, other));
    news = news || one_is_news;
  }
  if (news && batch_open) {
    // Moving sessions to a LID goes past the staged ones, so these must be in the store first.
    LaneWork later;
    later.after_commit = true;
    return later;
  }
  for (const auto& [one, other] : names) {
    TRY(context_.names.learn(one, other));
  }
  Change change;
  change.group = from->bare();
  const auto t = stanza.int_attr("t");
  change.when = t && *t > 0 ? Wall::from_unix(*t, true) : context_.clock.now();
  if (const Info known = find(change.group)) change.info = *known;
  for (const Node& child : stanza.children()) {
    TRY(apply(change, child));
  }
  return to_work(std::move(change));
}

bool GroupCache::names_us(const std::vector<Member>& members) const {
  const session::Identity& self = context_.line.identity();
  return std::any_of(members.begin(), members.end(), [&](const Member& member) {
    return is_own_user(self, member.jid) ||
           (!member.other.empty() && is_own_user(self, member.other));
  });
}

Result<void> GroupCache::apply(Change& change, const Node& child) {
  const std::string& tag = child.tag;
  GroupInfo ignored;
  GroupInfo& info = change.info ? *change.info : ignored;
  if (tag == "create") {
    apply_create(change, child);
  } else if (tag == "add" || tag == "remove" || tag == "leave" || tag == "promote" ||
             tag == "demote") {
    apply_members(change, child);
  } else if (tag == "delete") {
    change.left = true;
  } else if (tag == "subject") {
    change.subject = cut_utf8(child.text_attr("subject"), 512);
    info.subject = *change.subject;
    info.subject_time = child.int_attr("s_t").value_or(info.subject_time);
  } else if (tag == "announcement" || tag == "not_announcement") {
    info.only_admins_send = tag == "announcement";
  } else if (tag == "locked" || tag == "unlocked") {
    info.only_admins_edit = tag == "locked";
  } else if (tag == "suspended" || tag == "unsuspended") {
    info.suspended = tag == "suspended";
  } else if (tag == "not_ephemeral") {
    info.ephemeral_seconds = 0;
  } else if (tag == "ephemeral") {
    const auto seconds = child.int_attr("expiration").value_or(0);
    info.ephemeral_seconds =
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, 0x7FFFFFFF));
  } else if (tag != "invite" && tag != "revoke" && !tag.starts_with("growth_") &&
             tag.find("membership") == std::string::npos) {
    // A change that is not understood may concern anything.
    change.stale = true;
  }
  return {};
}

void GroupCache::apply_create(Change& change, const Node& child) {
  const Node* node = child.child("group");
  auto info = node != nullptr ? parse_group(*node) : fail(Errc::malformed, "create");
  if (!info || info->jid != change.group) {
    change.stale = true;
    return;
  }
  change.info = std::move(*info);
  change.joined = true;
}

void GroupCache::apply_members(Change& change, const Node& child) {
  const std::vector<Member> members = parse_members(child);
  const bool removes = child.tag == "remove" || child.tag == "leave";
  if (names_us(members)) {
    change.joined = child.tag == "add";
    change.left = removes;
    // Whoever comes back finds another group than the one he left.
    if (change.joined || removes) change.stale = true;
  }
  if (child.tag != "add") {
    for (const Member& named : members) {
      const bool told = named.other.is_lid();
      change.admins.emplace_back(told ? named.other : named.jid, child.tag == "promote");
    }
  }
  if (!change.info) return;
  GroupInfo& info = *change.info;
  const std::string before = child.text_attr("prev_v_id");
  // We have missed a change.
  if (!before.empty() && before != info.participants_version) change.stale = true;
  if (const auto after = child.attr("v_id")) info.participants_version = *after;
  for (const Member& named : members) {
    Member* known = info.find(named.jid);
    if (known == nullptr && !named.other.empty()) known = info.find(named.other);
    if (child.tag == "add") {
      if (known == nullptr && info.members.size() < kMembersMost) info.members.push_back(named);
    } else if (known == nullptr) {
      change.stale = true;
    } else if (removes) {
      info.members.erase(info.members.begin() + (known - info.members.data()));
    } else {
      known->role = child.tag == "promote" ? Member::Role::admin : Member::Role::member;
    }
  }
  info.size = info.members.size();
}

LaneWork GroupCache::to_work(Change change) {
  LaneWork work;
  forget(change.group);
  Info info;
  if (change.info && !change.stale && !change.left) info = keep(std::move(*change.info));
  const Jid group = change.group;
  work.write = [this, group, info, subject = change.subject, admins = std::move(change.admins),
                left = change.left]() -> Result<void> {
    const std::string name = to_string(group);
    if (left) return context_.groups.drop(name);
    if (info) return save_name(*info);
    TRY(auto row, context_.groups.find(name));
    if (!row && !subject) return {};
    if (!row) row.emplace();
    if (subject) row->subject = *subject;
    for (const auto& [user, is_admin] : admins) {
      TRY(const Jid named, context_.names.preferred(user));
      set_admin(row->admins, to_string(named), is_admin);
    }
    return context_.groups.save(name, *row);
  };
  if (change.left) {
    const auto dropped =
        protocol_.rotate_sender_key(own_sender_key(context_.line.identity(), group));
    if (!dropped) log::warn("groups", "own key of a group stays", {{"why", dropped.error()}});
  }
  if (change.joined) {
    work.afterwards = [this, group, when = change.when] {
      if (joined_) joined_(to_string(group), when);
      if (!find(group) && context_.line.online()) get(group, [](Result<Info>) {});
    };
  }
  return work;
}

}  // namespace posthorn::chat
