#include "chat/groups/stories.h"

#include <algorithm>
#include <utility>

#include "chat/people/addressing.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr milliseconds kTimeout{20'000};
/// As many as the largest group: each person costs a question about devices and a key.
constexpr std::size_t kMostPeople = kMembersMost - 1;

/// Everybody once, and not ourselves.
void add(GroupInfo& people, std::set<std::string>& had, const session::Identity& self,
         const Jid& person) {
  if (is_own_user(self, person) || !had.insert(to_string(person)).second) return;
  people.members.push_back({.jid = person, .other = {}});
}

}  // namespace

Jid story_chat() { return {"status", std::string(wire::kServerBroadcast), 0}; }

bool is_story_chat(const Jid& chat) { return chat.bare() == story_chat(); }

Node build_story_privacy_query() {
  return Node(
      "iq",
      {{"to", Jid{"", std::string(wire::kServerUser), 0}}, {"type", "get"}, {"xmlns", "status"}},
      {Node("privacy")});
}

StoryPrivacy parse_story_privacy(const Node& iq) {
  StoryPrivacy privacy;
  const Node* list = iq.child("privacy");
  if (list == nullptr) return privacy;
  for (const Node& one : list->children()) {
    if (one.tag != "list" || one.text_attr("default") != "true") continue;
    const std::string type = one.text_attr("type");
    if (type == "whitelist") privacy.kind = StoryPrivacy::Kind::allowed;
    if (type == "blacklist") privacy.kind = StoryPrivacy::Kind::denied;
    for (const Node& user : one.children()) {
      if (const auto jid = user.jid_attr("jid")) privacy.users.push_back(jid->bare());
    }
  }
  return privacy;
}

/// As somebody is addressed in groups of that account's form.
Result<Jid> Stories::written_to(const Jid& person) {
  TRY(const Jid named, context_.names.preferred(person.bare()));
  if (!named.is_lid() || !context_.addressing.by_number()) return named;
  TRY(const auto number, context_.names.other(named));
  return number.value_or(named);
}

Stories::Audience Stories::begin(std::string setting) const {
  Audience out;
  out.setting = std::move(setting);
  out.people.jid = story_chat();
  out.people.by_lid =
      !context_.line.identity().lid.user.empty() && !context_.addressing.by_number();
  return out;
}

/// Whom the owner has blocked gets nothing from the box (DECISIONS 354).
Result<void> Stories::add_unblocked(GroupInfo& people, std::set<std::string>& had,
                                    const Jid& person) const {
  TRY(const bool blocked, blocked_.holds(person));
  if (!blocked) add(people, had, context_.line.identity(), person);
  return {};
}

Result<Stories::Audience> Stories::named_people(const std::vector<std::string>& named) {
  Audience out = begin("allowlist");
  std::set<std::string> had;
  for (const std::string& chat : named) {
    TRY(const Jid person, context_.names.addressed(chat));
    if (!person.is_person()) return fail(Errc::malformed, chat + " is not a person's chatId");
    TRY(const Jid to, written_to(person));
    TRY(add_unblocked(out.people, had, to));
  }
  if (!out.people.members.empty()) return out;
  return fail(Errc::not_found,
              "nobody would see this status: participants names only people who are blocked on the "
              "shop's phone, or the account itself");
}

Result<Stories::Audience> Stories::contacts(const StoryPrivacy& privacy) {
  using Kind = StoryPrivacy::Kind;
  Audience out = begin(privacy.kind == Kind::contacts  ? "contacts"
                       : privacy.kind == Kind::allowed ? "allowlist"
                                                       : "denylist");
  std::set<std::string> had, listed;
  for (const Jid& user : privacy.users) {
    TRY(const Jid to, written_to(from_hosted(user)));
    listed.insert(to_string(to));
    if (privacy.kind != Kind::allowed) continue;
    TRY(add_unblocked(out.people, had, to));
  }
  if (privacy.kind != Kind::allowed) {
    TRY(add_contacts(out.people, had, listed));
  }
  if (!out.people.members.empty()) return out;
  return fail(Errc::not_found,
              "nobody would see this status: the phone's status privacy and blocked contacts leave "
              "nobody of the address book as it is known here; name people in participants");
}

Result<void> Stories::add_contacts(GroupInfo& people, std::set<std::string>& had,
                                   const std::set<std::string>& denied) {
  std::vector<std::string> chats;
  TRY(people_.each_person([&chats](const store::PeopleStore::Listed& row) {
    const bool person = row.chat.ends_with("@c.us") || row.chat.ends_with("@lid");
    if (person && !row.contact.empty()) chats.emplace_back(row.chat);
  }));
  for (const std::string& chat : chats) {
    const auto person = context_.names.addressed(chat);
    if (!person || people.members.size() >= kMostPeople) continue;
    TRY(const Jid to, written_to(*person));
    if (denied.contains(to_string(to))) continue;
    TRY(add_unblocked(people, had, to));
  }
  if (chats.size() > kMostPeople) {
    log::warn("messages", "a status goes to a part of the contacts",
              {{"contacts", chats.size()}, {"people", people.members.size()}});
  }
  return {};
}

Result<Stories::Audience> Stories::readers(const std::vector<std::string>& devices) {
  Audience out = begin("");
  std::set<std::string> had;
  for (const std::string& device : devices) {
    const auto jid = wire::parse_jid(device);
    if (!jid) continue;
    TRY(const Jid to, written_to(*jid));
    add(out.people, had, context_.line.identity(), to);
  }
  if (out.people.members.empty()) return fail(Errc::not_found, "nobody has seen this status");
  return out;
}

void Stories::audience(const std::vector<std::string>& named, Once<void(Result<Audience>)> done) {
  if (!named.empty()) return done(named_people(named));
  context_.line.ask(
      build_story_privacy_query(), kTimeout,
      [this, alive = context_.alive, done = std::move(done)](Result<Node> reply) mutable {
        if (!*alive) return done(fail(Errc::cancelled, "audience of a status"));
        // 404: the owner never chose.
        if (!reply && reply.error().code != Errc::refused)
          return done(fail(reply.error(), "audience of a status"));
        done(contacts(reply ? parse_story_privacy(*reply) : StoryPrivacy{}));
      });
}

}  // namespace posthorn::chat
