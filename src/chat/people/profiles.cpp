#include "chat/people/profiles.h"

#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/people/usync.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr milliseconds kTimeout{20'000};
constexpr std::size_t kMostPictures = 500;
constexpr hours kKeepPicture{1};

Wall far_future() { return Wall::from_unix(4'102'444'800); }

}  // namespace

Result<void> Profiles::each(const std::function<void(const ListedChat&)>& take) {
  return people_.each_person([&](const store::PeopleStore::Listed& row) {
    take({row.chat, row.name, row.contact, false, 0, 0});
  });
}

Result<void> Profiles::each_chat(std::size_t most,
                                 const std::function<void(const ListedChat&)>& take) {
  return people_.each_chat(most, [&](const store::PeopleStore::Listed& row) {
    take({row.chat, row.name, row.contact, row.archived, row.timer, row.timer_set_at});
  });
}

std::string Profiles::contact_name(const std::string& chat) {
  return contact_of(chat).value_or("");
}

Result<std::string> Profiles::contact_of(const std::string& chat) {
  TRY(const Jid jid, context_.names.addressed(chat));
  if (!jid.is_person()) return std::string();
  TRY(const auto contact, people_.contact(to_string(jid.bare())));
  if (contact) return contact->full_name;
  TRY(const auto other, context_.names.other(jid));
  if (!other) return std::string();
  TRY(const auto same, people_.contact(to_string(other->bare())));
  return same ? same->full_name : std::string();
}

std::string Profiles::chat_name(const std::string& chat) { return name_of(chat).value_or(""); }

Result<std::string> Profiles::name_of(const std::string& chat) {
  TRY(const Jid jid, context_.names.addressed(chat));
  if (jid.is_group()) {
    TRY(const auto group, context_.groups.find(to_string(jid)));
    return group ? group->subject : std::string();
  }
  TRY(std::string contact, contact_of(chat));
  if (!contact.empty() || !jid.is_person()) return contact;
  TRY(const auto other, context_.names.other(jid));
  for (const Jid& name : {jid.bare(), other.value_or(jid).bare()}) {
    TRY(auto push_name, context_.messages.push_name(to_string(name)));
    if (push_name && !push_name->empty()) return std::move(*push_name);
  }
  return std::string();
}

/// Rows may stand under either of a person's names.
Result<ChatDetails> Profiles::stored(const std::string& chat) {
  TRY(const Jid jid, context_.names.addressed(chat));
  ChatDetails details;
  TRY(details.chat, context_.names.chat_id(jid));
  TRY(details.blocked, blocked_.holds(jid));
  TRY(const auto other, context_.names.other(jid));
  for (const Jid& name : {jid.bare(), other.value_or(jid).bare()}) {
    const std::string user = to_string(name);
    TRY(const auto contact, people_.contact(user));
    if (contact) details.contact = contact->full_name;
    TRY(const auto push_name, context_.messages.push_name(user));
    if (push_name) details.name = *push_name;
    TRY(auto labels, people_.labels_of(user));
    if (details.labels.empty()) details.labels = std::move(labels);
    TRY(const auto timer, context_.messages.timers().find(user));
    if (timer.seconds != 0) details.timer = timer.seconds;
    TRY(const auto row, people_.chat(user));
    if (!row) continue;
    if (details.name.empty()) details.name = row->name;
    details.archived = row->archived;
    const Wall until = row->muted_until < 0 ? far_future() : Wall::from_unix(row->muted_until);
    if (row->muted_until != 0 && until > context_.clock.now()) details.muted_until = until;
  }
  return details;
}

void Profiles::ask(Node iq, Once<void(Result<Node>)> done) {
  if (pause_.holds(context_.scheduler.now())) {
    return done(fail(Errc::busy, "WhatsApp was asked too often, try again later"));
  }
  context_.line.ask(
      std::move(iq), kTimeout,
      [this, alive = context_.alive, done = std::move(done)](Result<Node> reply) mutable {
        if (!*alive) return done(fail(Errc::cancelled, "profile"));
        if (reply) {
          pause_.on_success();
        } else if (pause_.on_error(reply.error(), context_.scheduler.now())) {
          return done(fail(Errc::busy, "WhatsApp was asked too often"));
        }
        done(std::move(reply));
      });
}

void Profiles::picture(const std::string& chat, Once<void(Result<Picture>)> done) {
  const auto jid = context_.names.addressed(chat);
  if (!jid) return done(tl::unexpected(jid.error()));
  const auto named = context_.names.preferred(*jid);
  if (!named) return done(tl::unexpected(named.error()));
  const std::string key = to_string(named->bare());
  const auto known = pictures_.find(key);
  if (known != pictures_.end() && known->second.until > context_.scheduler.now()) {
    return done(known->second.picture);
  }
  ask(build_picture_query(*named, token_for(*named)),
      [this, key, done = std::move(done)](Result<Node> reply) mutable {
        auto picture = parse_picture(reply);
        if (picture) {
          if (pictures_.size() >= kMostPictures) pictures_.clear();
          pictures_[key] = {*picture, context_.scheduler.now() + kKeepPicture};
        }
        done(std::move(picture));
      });
}

void Profiles::new_picture(const std::string& chat, Once<void(Result<Picture>)> done) {
  if (const auto jid = context_.names.addressed(chat)) forget_picture(*jid);
  picture(chat, std::move(done));
}

Bytes Profiles::token_for(const Jid& whose) {
  // With a token beside the question for our own picture the server says nothing at all.
  if (!whose.is_person() || is_own_user(context_.line.identity(), whose)) return {};
  return tokens_.token_for(whose).value_or(Bytes());
}

void Profiles::forget_picture(const Jid& whose) {
  pictures_.erase(to_string(whose.bare()));
  const auto other = context_.names.other(whose.bare());
  if (other && *other) pictures_.erase(to_string(**other));
}

void Profiles::details(const std::string& chat, Once<void(Result<ChatDetails>)> done) {
  auto found = stored(chat);
  if (!found) return done(std::move(found));
  picture(chat, [this, chat, found = std::move(*found),
                 done = std::move(done)](Result<Picture> picture) mutable {
    if (!picture) return done(tl::unexpected(picture.error()));
    found.picture = std::move(*picture);
    const auto jid = context_.names.addressed(chat);
    const auto named = jid ? context_.names.preferred(*jid) : jid;
    if (!named) return done(tl::unexpected(named.error()));
    if (!named->is_person()) return done(std::move(found));
    add_business(*named, std::move(found), std::move(done));
  });
}

void Profiles::add_business(const Jid& whose, ChatDetails details,
                            Once<void(Result<ChatDetails>)> done) {
  ask(build_business_query(whose),
      [this, alive = context_.alive, whose, details = std::move(details),
       done = std::move(done)](Result<Node> reply) mutable {
        // Refused: no business, or not for us to see.
        if (reply) details.business = parse_business(*reply);
        if (!*alive) return done(fail(Errc::cancelled, "profile"));
        add_about(whose, std::move(details), std::move(done));
      });
}

void Profiles::add_about(const Jid& whose, ChatDetails details,
                         Once<void(Result<ChatDetails>)> done) {
  ask(build_about_query(whose, token_for(whose), hex_encode(context_.random.bytes(8))),
      [details = std::move(details), done = std::move(done)](Result<Node> reply) mutable {
        const auto users = reply ? parse_usync(*reply) : fail(reply.error(), "about");
        if (users && !users->empty()) details.about = users->front().about;
        done(std::move(details));
      });
}

void Profiles::set_own_picture(Bytes jpeg, Once<void(Result<void>)> done) {
  Node iq("iq", {{"to", Jid{"", std::string(wire::kServerUser), 0}},
                 {"type", "set"},
                 {"xmlns", "w:profile:picture"}});
  iq.content = std::vector<Node>{Node("picture", {{"type", "image"}}, std::move(jpeg))};
  forget_picture(context_.line.identity().pn);
  ask(std::move(iq), [done = std::move(done)](Result<Node> reply) mutable {
    if (!reply) return done(tl::unexpected(reply.error()));
    done({});
  });
}

}  // namespace posthorn::chat
