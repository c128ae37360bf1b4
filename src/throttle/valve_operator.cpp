#include <algorithm>

#include "posthorn/base/log.h"
#include "posthorn/base/user_id.h"
#include "throttle/limits.h"
#include "throttle/valve_impl.h"

namespace posthorn::throttle {
namespace {

constexpr std::size_t kShortestReason = 10;

/// A budget of section 9.
struct Budget {
  std::uint32_t limit = 0;
  Tick free_at = 0;
  std::uint32_t used = 0;
  const char* window = "24 h";
};

template <class Window>
Budget budget_of(const Window& window, std::uint32_t limit, std::uint32_t count, Tick now,
                 const char* name) {
  const Tick free_at = count > limit ? kNever : window.free_at(now, limit + 1 - count);
  return {limit, free_at, window.used(now), name};
}

/// For `count` more of them at once.
Budget budget_of(const State& state, Action action, std::uint32_t count, Tick now) {
  switch (action) {
    case Action::create_group:
      return budget_of(state.day_groups, 2, count, now, "24 h");
    case Action::add_group_member:
      return budget_of(state.day_members, 10, count, now, "24 h");
    case Action::post_status:
      return budget_of(state.day_statuses, 4, count, now, "24 h");
    case Action::change_profile:
      return budget_of(state.day_profile, 4, count, now, "24 h");
    case Action::look_up:
      return budget_of(state.hour_look_ups, 60, count, now, "1 h");
  }
  return {};
}

/// change: of the window in which that is counted.
template <class Change>
void change_window(State& state, Action action, Change change) {
  switch (action) {
    case Action::create_group:
      return change(state.day_groups);
    case Action::add_group_member:
      return change(state.day_members);
    case Action::post_status:
      return change(state.day_statuses);
    case Action::change_profile:
      return change(state.day_profile);
    case Action::look_up:
      return change(state.hour_look_ups);
  }
}

/// Rare switches of the state may come with these; nothing else may be overridden.
Result<void> check_override(const Override& wish, const Standing& standing, Tick now) {
  if (parse_exception(wish.limit) == Exception::none)
    return fail(Errc::refused,
                "\"" + wish.limit +
                    "\" cannot be overridden; possible: openings, minute, minute_reply, "
                    "hour, day, budget_30d, campaign, yellow_hold");
  if (wish.reason.size() < kShortestReason)
    return fail(Errc::refused, "a reason of at least 10 characters is needed");
  if (wish.lasts <= milliseconds(0) || wish.lasts > hours(24))
    return fail(Errc::refused, "an override lasts more than 0 and at most 24 h");
  const Exception limit = parse_exception(wish.limit);
  if (limit == Exception::campaign && wish.campaign_text.empty())
    return fail(Errc::refused, "the campaign's text is needed");
  if (limit == Exception::yellow_hold && (!standing.yellow || standing.rung < 4))
    return fail(Errc::refused, "there is no hold of a fourth yellow to end");
  if (limit == Exception::yellow_hold && now < standing.lock_until)
    return fail(Errc::refused, "WhatsApp's own lock is still running");
  return {};
}

}  // namespace

void Valve::Impl::set_paused(bool paused) {
  engine_.state.paused = paused;
  wake();
}

Result<void> Valve::Impl::set_settings(const Settings& settings, const std::string& who) {
  TRY(check_settings(settings));
  const Settings before = engine_.state.settings;
  engine_.state.settings = settings;
  for (const SettingInfo& info : setting_table()) {
    const std::int64_t old_value = before.*info.member;
    const std::int64_t new_value = settings.*info.member;
    if (old_value != new_value)
      audit(who, "setting." + std::string(info.name), std::to_string(old_value),
            std::to_string(new_value), "");
  }
  engine_.reconsider_all(moment().now);
  wake();
  return {};
}

Result<void> Valve::Impl::declare_in_use(std::uint32_t months, const std::string& who) {
  Standing& standing = engine_.state.standing;
  if (months == 0) return {};
  if (standing.credited) return fail(Errc::refused, "this was declared before, and counts once");
  const std::string before = std::to_string(standing.trust_days);
  credit_months(standing, months, moment().now);
  audit(who, "trust_days", before, std::to_string(standing.trust_days),
        "in daily use for " + std::to_string(months) + " months");
  save();
  wake();
  return {};
}

Result<void> Valve::Impl::acknowledge(const std::string& who, const std::string& reason) {
  Standing& standing = engine_.state.standing;
  if (!needs_acknowledgement(standing))
    return fail(Errc::refused, "there is nothing to acknowledge");
  if (reason.size() < kShortestReason)
    return fail(Errc::refused, "a reason of at least 10 characters is needed");
  standing.acknowledged = true;
  audit(who, "acknowledge", "", std::string(to_string(level_of(standing, moment().now))), reason);
  save();
  wake();
  return {};
}

Result<void> Valve::Impl::add_override(const Override& wish) {
  State& state = engine_.state;
  const Tick now = moment().now;
  TRY(check_override(wish, state.standing, now));
  const Exception limit = parse_exception(wish.limit);
  RunningOverride* place = nullptr;
  for (RunningOverride& running : state.overrides) {
    const bool free = running.limit == Exception::none || now >= running.until;
    if (running.limit == limit || (free && place == nullptr)) place = &running;
    if (running.limit == limit) break;
  }
  if (place == nullptr) return fail(Errc::refused, "four overrides are active already");
  *place = {limit, limit == Exception::campaign ? text_hash(wish.campaign_text) : 0,
            now + wish.lasts.count(), wish.who.substr(0, 64), wish.reason.substr(0, 400)};
  if (limit == Exception::yellow_hold) state.standing.yellow_ended = true;
  audit(wish.who, "override." + wish.limit, "off",
        "on for " + std::to_string(wish.lasts.count() / kMinute) + " min", wish.reason);
  save();
  engine_.reconsider_all(now);
  wake();
  return {};
}

Result<void> Valve::Impl::end_override(const std::string& name, const std::string& who) {
  const Exception limit = parse_exception(name);
  for (RunningOverride& running : engine_.state.overrides) {
    if (running.limit != limit || limit == Exception::none) continue;
    running = RunningOverride{};
    audit(who, "override." + name, "on", "off", "");
    save();
    return {};
  }
  return fail(Errc::not_found, "no such override is active");
}

Result<void> Valve::Impl::may_join(const std::string& chat, Tick now) {
  const ChatKey member = key_of(chat);
  engine_.state.chats.recall(member, now);
  const ChatRecord* record = engine_.state.chats.find(member);
  if (record != nullptr && record->is(ChatRecord::has_inbound)) return {};
  return fail(Errc::refused,
              chat + ": only people who have written to this number may be put into a group");
}

Result<void> Valve::Impl::take(std::span<const Cost> costs) {
  const Moment m = moment();
  std::map<Action, std::uint32_t> counts;
  for (const Cost& cost : costs) {
    if (!cost.member_chat.empty()) TRY(may_join(cost.member_chat, m.now));
    ++counts[cost.action];
  }
  for (const auto& [action, count] : counts) {
    const Budget budget = budget_of(engine_.state, action, count, m.now);
    if (budget.free_at <= m.now) continue;
    std::string words = std::string(to_string(action)) + ": " + std::to_string(budget.used) +
                        " of " + std::to_string(budget.limit) + " in " + budget.window;
    if (count > 1) words += ", " + std::to_string(count) + " more are too many";
    if (budget.free_at != kNever)
      words += ", next at " + to_iso8601(Wall{milliseconds(m.to_wall(budget.free_at)), m.trusted});
    return fail(Errc::busy, std::move(words));
  }
  for (const auto& [action, count] : counts)
    change_window(engine_.state, action,
                  [&m, many = count](auto& window) { window.add(m.now, many); });
  save();
  return {};
}

void Valve::Impl::give_back(Action action, std::uint32_t count) {
  const Tick now = moment().now;
  change_window(engine_.state, action, [now, count](auto& window) { window.refund(now, count); });
  save();
}

std::vector<OptOut> Valve::Impl::opt_outs() {
  const Moment m = moment();
  std::vector<OptOut> out;
  const auto chat_of = [this](const ChatKey& key) {
    if (key.kind != ChatKey::Kind::other) return build_chat(key);
    const auto named = std::find_if(opted_out_ids_.begin(), opted_out_ids_.end(),
                                    [&key](const auto& id) { return parse_chat(id) == key; });
    return named == opted_out_ids_.end() ? build_chat(key) : *named;
  };
  engine_.state.chats.for_each([&](const ChatRecord& record) {
    if (!record.is(ChatRecord::opted_out)) return;
    out.push_back({chat_of(record.key),
                   Wall{milliseconds(m.to_wall(from_stamp(record.opted))), m.trusted},
                   record.is(ChatRecord::by_operator)});
  });
  return out;
}

Result<void> Valve::Impl::set_opt_out(const std::string& chat, bool on, const std::string& who,
                                      const std::string& reason) {
  const ChatKey key = key_of(chat);
  const bool user_id = is_user_id(user_id_in(chat));
  if (key.kind == ChatKey::Kind::none || (key.kind == ChatKey::Kind::other && !user_id))
    return fail(Errc::malformed, "\"" + chat + "\" is no chat id");
  if (reason.empty()) return fail(Errc::refused, "a reason is needed");
  const bool listed = on_opt_out_list(key);
  if (!on && !listed) return fail(Errc::not_found, "this chat is not on the opt-out list");
  if (on == listed) return {};
  if (!engine_.set_opted_out(key, on, true, false, moment().now))
    return fail(Errc::full, "the opt-out list is full");
  if (user_id) name_opt_out(chat, on);
  audit(who, "opt_out", listed ? "on" : "off", on ? "on" : "off", chat_hash(chat) + ": " + reason);
  save();
  wake();
  return {};
}

/// The record has only a hash of such a chatId.
void Valve::Impl::name_opt_out(const std::string& chat, bool on) {
  if (on) {
    opted_out_ids_.insert(chat);
  } else {
    opted_out_ids_.erase(chat);
  }
  if (const auto saved = persist_.save_opted_out_ids(opted_out_ids_); !saved) {
    log::error("throttle", "who has opted out is not kept by name", {{"error", saved.error()}});
  }
}

void Valve::Impl::factory_defaults(const std::string& who) {
  State& state = engine_.state;
  const Tick now = moment().now;
  std::vector<ChatRecord> kept;
  state.chats.for_each([&kept](const ChatRecord& record) {
    if (record.is(ChatRecord::opted_out)) kept.push_back(record);
  });
  state.chats.clear();
  for (const ChatRecord& record : kept) state.chats.load(record);
  state.chats.mark_all_dirty();
  state.texts.clear();
  // What WhatsApp told us about the account is no setting of ours and stays.
  state.overrides = {};
  state.standing.trust_days = 0;
  state.checks = {};
  state.settings = Settings{};
  audit(who, "factory_defaults", "", "", "");
  engine_.reconsider_all(now);
  save();
  wake();
}

std::optional<Wall> Valve::Impl::reconnect_not_before() {
  const Moment m = moment();
  const Tick at = reconnect_at(engine_.state.standing);
  if (at <= m.now) return std::nullopt;
  return Wall{milliseconds(m.to_wall(at)), m.trusted};
}

std::vector<Metric> Valve::Impl::metrics() {
  std::vector<Metric> out = build_metrics(status());
  const auto counter = [&out](std::string name, std::string labels, std::uint64_t value) {
    out.push_back({std::move(name), std::move(labels), static_cast<double>(value), true});
  };
  for (const Lane lane : {Lane::reply, Lane::known, Lane::first}) {
    counter("throttle_sent_total", "lane=\"" + std::string(to_string(lane)) + "\"",
            counters_.sent[static_cast<std::size_t>(lane)]);
  }
  for (const auto& [reason, count] : counters_.refused)
    counter("throttle_refused_total", "reason=\"" + reason + "\"", count);
  for (const auto& [code, count] : counters_.rejected)
    counter("throttle_rejected_total", "code=\"" + std::to_string(code) + "\"", count);
  counter("throttle_uncertain_total", "", counters_.uncertain);
  counter("throttle_delivered_total", "", counters_.delivered);
  counter("throttle_signals_total", "", counters_.signals);
  counter("throttle_audit_records_total", "", audit_.count());
  return out;
}

}  // namespace posthorn::throttle
