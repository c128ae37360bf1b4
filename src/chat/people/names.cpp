#include "chat/people/names.h"

#include "chat/people/ids.h"

namespace posthorn::chat {
namespace {

using wire::Jid;

constexpr std::size_t kMaxCached = 256;

Jid user_jid(std::string user, std::string_view server) {
  return {std::move(user), std::string(server), 0};
}

}  // namespace

std::string Names::account_of(const std::string& chat) {
  const auto jid = addressed(chat);
  if (!jid || !jid->is_person()) return chat;
  return chat_id(*jid).value_or(chat);
}

Result<Jid> Names::addressed(const std::string& chat) {
  TRY(Jid jid, parse_chat_id(chat));
  if (!jid.is_pn()) return jid;
  TRY(const auto account, aliases_.find(jid.user));
  if (!account) return jid;
  return wire::parse_jid(*account);
}

Result<void> Names::learn_number(const std::string& number, const Jid& account) {
  const Jid asked = user_jid(number, wire::kServerUser);
  TRY(const std::string own, chat_id(asked));
  TRY(const std::string name, chat_id(account));
  if (name == own) return aliases_.drop(number);
  TRY(aliases_.save(number, to_string(account.bare())));
  tell(own, name);
  return {};
}

void Names::tell(const std::string& from, const std::string& into) {
  if (joined_ && from != into) joined_(from, into);
}

void Names::forget_cache() {
  lids_.clear();
  pns_.clear();
}

Result<std::optional<std::string>> Names::find_other(const Jid& jid) {
  auto& known = jid.is_pn() ? lids_ : pns_;
  if (const auto at = known.find(jid.user); at != known.end()) return at->second;
  TRY(auto found, jid.is_pn() ? messages_.lid_of(jid.user) : messages_.pn_of(jid.user));
  if (known.size() >= kMaxCached) known.clear();
  known.emplace(jid.user, found);
  return found;
}

Result<std::optional<Jid>> Names::other(const Jid& jid) {
  if (!jid.is_person()) return std::optional<Jid>();
  TRY(auto user, find_other(jid));
  if (!user) return std::optional<Jid>();
  return std::optional(
      user_jid(std::move(*user), jid.is_pn() ? wire::kServerLid : wire::kServerUser));
}

Result<Jid> Names::preferred(const Jid& jid) {
  if (!jid.is_pn()) return jid;
  TRY(const auto lid, other(jid));
  return lid ? lid->with_device(jid.device) : jid;
}

Result<bool> Names::is_news(const Jid& pn, const Jid& lid) {
  const Jid& number = pn.is_pn() ? pn : lid;
  const Jid& hidden = pn.is_pn() ? lid : pn;
  if (!number.is_pn() || !hidden.is_lid()) return false;
  TRY(const auto known, find_other(number));
  return known != hidden.user;
}

Result<void> Names::learn(const Jid& one, const Jid& other) {
  TRY(const bool news, is_news(one, other));
  if (!news) return {};
  const Jid pn = (one.is_pn() ? one : other).bare();
  const Jid lid = (one.is_pn() ? other : one).bare();
  TRY(const auto number_before, messages_.pn_of(lid.user));
  forget_cache();
  TRY(auto transaction, store_.begin());
  TRY(messages_.save_name(pn.user, lid.user));
  // An account of its own: no check may lead from here to another one any more.
  TRY(aliases_.drop(pn.user));
  const auto moved = store_.move_peer(signal::make_name(pn.user, pn.server),
                                      signal::make_name(lid.user, lid.server));
  if (!moved) return fail(moved.error(), "moving a number's sessions to its LID");
  TRY(messages_.move_user(to_string(pn), to_string(lid)));
  TRY(transaction.commit());
  TRY(const std::string name, chat_id(pn));
  // What is known of a number stays with it when its account is a new one: mostly the same person
  // has registered again, and an opt-out must hold. With an account that changes its number it
  // goes.
  if (number_before) {
    TRY(const std::string before, chat_id(user_jid(*number_before, wire::kServerUser)));
    tell(before, name);
  }
  tell(to_string(lid), name);
  return {};
}

Result<std::string> Names::chat_id(const Jid& jid) {
  Jid named = jid.bare();
  if (named.is_lid()) {
    TRY(const auto pn, other(named));
    if (pn) named = *pn;
  }
  if (named.is_pn()) named.server = std::string(wire::kServerLegacyUser);
  return to_string(named);
}

}  // namespace posthorn::chat
