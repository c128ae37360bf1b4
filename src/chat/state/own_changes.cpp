#include "chat/people/addressing.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/state/app_state.h"
#include "posthorn/wire/fields.h"

/// What the shop changes itself. Fields, versions and collections: chapter 11 section 10.1.
namespace posthorn::chat {
namespace {

using wire::FieldWriter;
using wire::Jid;
using wire::SyncOperation;
using Changes = std::vector<StateChange>;

constexpr std::size_t kMostPending = 50;
constexpr hours kForEver{24 * 365 * 50};

/// A range with no message in it: everything up to now.
FieldWriter range_to(Wall now) {
  FieldWriter range;
  range.number(1, static_cast<std::uint64_t>(now.unix_seconds()));
  return range;
}

StateChange flag(const char* name, const std::string& jid, std::uint32_t field,
                 std::int64_t version, bool on) {
  FieldWriter action;
  action.number(1, on ? 1 : 0);
  return {SyncOperation::set, {name, jid}, field, action.take(), version};
}

StateChange with_range(StateChange change, Wall now) {
  FieldWriter range;
  range.message(2, range_to(now));
  append(change.action, range.out());
  return change;
}

}  // namespace

/// Under which of its names the account's devices know the chat. Section 10.5.
Result<std::string> AppState::named(const std::string& chat) {
  TRY(const Jid jid, context_.names.addressed(chat));
  TRY(const Jid preferred, context_.names.preferred(jid));
  if (!preferred.is_lid() || !context_.addressing.by_number()) return to_string(preferred);
  TRY(const auto pn, context_.names.other(preferred));
  return to_string(pn.value_or(preferred));
}

void AppState::change(const std::string& collection, Result<Changes> changes, Done done) {
  if (!changes) return done(tl::unexpected(std::move(changes.error())));
  if (!context_.line.online()) return done(fail(Errc::disconnected, "not connected"));
  Line& one = line(collection);
  if (const auto now = ready(one); !now) return done(tl::unexpected(now.error()));
  if (one.pending.size() >= kMostPending) return done(fail(Errc::busy, "too many changes wait"));
  one.pending.push_back({std::move(*changes), std::move(done)});
  if (!round_) run_soon();
}

Result<Changes> AppState::chat_changes(const std::string& chat,
                                       const std::function<Changes(const std::string& jid)>& make) {
  TRY(const std::string jid, named(chat));
  return make(jid);
}

void AppState::archive(const std::string& chat, bool on, Done done) {
  auto changes = chat_changes(chat, [&](const std::string& jid) {
    Changes list{with_range(flag("archive", jid, 17, 3, on), context_.clock.now())};
    if (on) list.push_back(flag("pin_v1", jid, 5, 5, false));
    return list;
  });
  change("regular_low", std::move(changes), std::move(done));
}

void AppState::pin(const std::string& chat, bool on, Done done) {
  auto changes = chat_changes(chat, [&](const std::string& jid) {
    Changes list{flag("pin_v1", jid, 5, 5, on)};
    if (on) list.push_back(with_range(flag("archive", jid, 17, 3, false), context_.clock.now()));
    return list;
  });
  change("regular_low", std::move(changes), std::move(done));
}

void AppState::mute(const std::string& chat, std::optional<Wall> until, Done done) {
  auto changes = chat_changes(chat, [&](const std::string& jid) {
    StateChange one = flag("mute", jid, 4, 2, until.has_value());
    if (until) {
      const bool for_ever = *until - context_.clock.now() > kForEver;
      FieldWriter end;
      end.number(
          2, for_ever ? ~std::uint64_t{0} : static_cast<std::uint64_t>(until->since_epoch.count()));
      append(one.action, end.out());
    }
    return Changes{std::move(one)};
  });
  change("regular_high", std::move(changes), std::move(done));
}

void AppState::mark_read(const std::string& chat, bool read, Done done) {
  auto changes = chat_changes(chat, [&](const std::string& jid) {
    return Changes{with_range(flag("markChatAsRead", jid, 20, 3, read), context_.clock.now())};
  });
  change("regular_low", std::move(changes), std::move(done));
}

void AppState::remove(const std::string& chat, Done done) {
  auto changes = chat_changes(chat, [&](const std::string& jid) {
    FieldWriter action;
    action.message(1, range_to(context_.clock.now()));
    return Changes{{SyncOperation::set, {"deleteChat", jid, "1"}, 22, action.take(), 6}};
  });
  change("regular_high", std::move(changes), std::move(done));
}

void AppState::remove_message(const std::string& chat, const std::string& message_id, bool from_me,
                              Wall sent_at, Done done) {
  auto changes = chat_changes(chat, [&](const std::string& jid) {
    FieldWriter action;
    action.number(1, 1).number(2, static_cast<std::uint64_t>(sent_at.unix_seconds()));
    // "0" as participant: a message of ours, or of the one person in the chat.
    return Changes{{SyncOperation::set,
                    {"deleteMessageForMe", jid, message_id, from_me ? "1" : "0", "0"},
                    18,
                    action.take(),
                    3}};
  });
  change("regular_high", std::move(changes), std::move(done));
}

void AppState::save_contact(const std::string& chat, const std::string& first_name,
                            const std::string& last_name, bool in_phone_book, Done done) {
  const auto make = [&]() -> Result<Changes> {
    TRY(const Jid jid, context_.names.addressed(chat));
    if (!jid.is_person()) return fail(Errc::malformed, "chatId is not a person's");
    TRY(const auto other, context_.names.other(jid));
    const std::optional<Jid> pn = jid.is_pn() ? std::optional(jid) : other;
    const std::optional<Jid> lid = jid.is_lid() ? std::optional(jid) : other;
    const std::string full = last_name.empty() ? first_name : first_name + " " + last_name;
    FieldWriter action;
    action.text(1, full).text(2, first_name);
    if (!pn)
      return Changes{{SyncOperation::set, {"lid_contact", to_string(*lid)}, 61, action.take(), 1}};
    if (lid) action.text(3, to_string(*lid));
    action.number(4, in_phone_book ? 1 : 0);
    return Changes{{SyncOperation::set, {"contact", to_string(*pn)}, 3, action.take(), 2}};
  };
  change("critical_unblock_low", make(), std::move(done));
}

void AppState::remove_contact(const std::string& chat, Done done) {
  const auto make = [&]() -> Result<Changes> {
    TRY(const Jid jid, context_.names.addressed(chat));
    if (!jid.is_person()) return fail(Errc::malformed, "chatId is not a person's");
    TRY(const auto other, context_.names.other(jid));
    const Jid pn = jid.is_pn() ? jid : other.value_or(jid);
    const bool known = pn.is_pn();
    return Changes{{SyncOperation::remove,
                    {known ? "contact" : "lid_contact", to_string(pn)},
                    0,
                    {},
                    known ? 2 : 1}};
  };
  change("critical_unblock_low", make(), std::move(done));
}

}  // namespace posthorn::chat
