#include "throttle/persist.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "posthorn/base/log.h"
#include "throttle/codec.h"

namespace posthorn::throttle {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kHot = "throttle/hot";
constexpr std::string_view kJournal = "throttle/journal";
constexpr std::string_view kOptedOutIds = "throttle/opted-out-ids";

std::string regulars_name(std::size_t page) { return "throttle/regulars/" + std::to_string(page); }
std::string page_name(std::size_t page) { return "throttle/chats/" + std::to_string(page); }

template <class A>
void fields_of(ChatKey& key, A& a) {
  a(key.number);
  a(key.extra);
  a(key.kind);
}

template <class A>
void fields_of(ChatRecord& r, A& a) {
  fields_of(r.key, a);
  a(r.flags);
  a(r.run);
  for (std::uint8_t& before : r.before) a(before);
  a(r.touched);
  a(r.last_out);
  a(r.last_in);
  a(r.checked);
  a(r.opted);
  a(r.joined);
  a(r.text);
  a(r.text_at);
}

template <class A>
void fields_of(Charge& c, A& a) {
  fields_of(c.chat, a);
  a(c.lane);
  a(c.opening);
  a(c.consent);
  a(c.night);
  a(c.again);
  a(c.own_device);
  a(c.text);
  a(c.sequence);
}

template <class A>
void fields_of(JournalEvent& e, A& a) {
  a(e.number);
  a(e.kind);
  a(e.at);
  fields_of(e.charge, a);
  a(e.written);
  a(e.request);
}

template <class A>
void fields_of(LastAnswers& answers, A& a) {
  a(answers.bits);
  a(answers.count);
  answers.count = std::min(answers.count, LastAnswers::kMost);
}

/// Members that an older release still looks for between those of ours.
template <class... Members, class A>
void skip(A& a, int times) {
  for (int i = 0; i < times; ++i) {
    std::tuple<Members...> nothing{};
    std::apply([&a](auto&... members) { (a(members), ...); }, nothing);
  }
}

/// What came after that release, behind everything that it reads.
template <class A>
void later_fields(State& s, A& a) {
  for (Opening& opening : s.openings) a(opening.read);
  a(s.standing.aged);
  a(s.standing.declared_at);
}

/// Everything of the state but settings, chats and texts.
template <class A>
void hot_fields(State& s, A& a) {
  s.standing.fields(a);
  a(s.random);
  a(s.salt);
  s.minute_known_first.fields(a);
  s.minute_reply.fields(a);
  s.hour_known_first.fields(a);
  s.hour_checks.fields(a);
  s.hour_look_ups.fields(a);
  s.day_known_first.fields(a);
  s.day_total.fields(a);
  s.day_checks.fields(a);
  s.day_groups.fields(a);
  s.day_members.fields(a);
  s.day_statuses.fields(a);
  s.day_profile.fields(a);
  s.month_unanswered.fields(a);
  for (Opening& opening : s.openings) {
    fields_of(opening.chat, a);
    a(opening.at);
    a(opening.consent);
    a(opening.answered);
  }
  a(s.openings_head);
  fields_of(s.checks, a);
  fields_of(s.known_sends, a);
  skip<std::uint64_t, Tick, bool>(a, 64);  // deliveries, until release 0.1
  skip<std::uint32_t>(a, 1);
  a(s.night);
  a(s.urgent_at_night);
  for (RunningOverride& running : s.overrides) {
    a(running.limit);
    a(running.text);
    a(running.until);
    a(running.who);
    a(running.reason);
  }
  a(s.unsure_always);
  a(s.next_any);
  for (Tick& next : s.next_in_lane) a(next);
  for (std::uint64_t& sequence : s.charged) a(sequence);
}

/// A century.
constexpr std::int32_t kMostTrustDays = 36'500;

/// A damaged index must not send us outside an array.
void sanitize(State& s) {
  s.openings_head %= static_cast<std::uint32_t>(s.openings.size());
  s.standing.rung = std::min<std::uint8_t>(s.standing.rung, 4);
  s.standing.pauses = std::min<std::uint8_t>(s.standing.pauses, 5);
  s.standing.factor = std::clamp(s.standing.factor, 250, 1000);
  s.standing.trust_days = std::clamp(s.standing.trust_days, 0, kMostTrustDays);
}

template <class A>
void fields_of(Regular& r, A& a) {
  a(r.id);
  a(r.in_day);
  a(r.out_day);
  a(r.joined_day);
  a(r.run);
  a(r.flags);
}

Bytes encode_page(const Regulars::Page& page) {
  Encoder out;
  out(kVersion);
  for (Regular regular : page) fields_of(regular, out);
  return out.take();
}

Bytes encode_page(const Chats::Page& page) {
  Encoder out;
  out(kVersion);
  for (ChatRecord record : page) fields_of(record, out);
  return out.take();
}

}  // namespace

Result<void> Persist::save_journal() {
  Encoder out;
  out(kVersion);
  out(static_cast<std::uint32_t>(events_.size()));
  for (JournalEvent& event : events_) fields_of(event, out);
  return blobs_.save(kJournal, out.take());
}

void Persist::note(JournalEvent event) {
  event.number = ++number_;
  events_.push_back(std::move(event));
}

Result<void> Persist::record(JournalEvent event) {
  note(std::move(event));
  return save_journal();
}

Result<void> Persist::checkpoint(Engine& engine, const PolicyClock::Saved& clock) {
  State& state = engine.state;
  for (std::size_t page = 0; page < state.chats.pages(); ++page) {
    if (!state.chats.dirty(page)) continue;
    TRY(blobs_.save(page_name(page), encode_page(state.chats.page(page))));
    state.chats.mark_clean(page);
  }
  Regulars& regulars = state.chats.regulars;
  for (std::size_t page = 0; page < regulars.pages(); ++page) {
    if (!regulars.dirty(page)) continue;
    TRY(blobs_.save(regulars_name(page), encode_page(regulars.page(page))));
    regulars.mark_clean(page);
  }
  Encoder out;
  out(kVersion);
  out(number_);
  out(clock.newest);
  out(clock.tick);
  out(clock.wall_ms);
  out(static_cast<std::uint32_t>(state.chats.pages()));
  hot_fields(state, out);
  std::vector<TextUse> texts = state.texts.live(clock.newest);
  out(static_cast<std::uint32_t>(texts.size()));
  for (TextUse& use : texts) use.fields(out);
  later_fields(engine.state, out);
  TRY(blobs_.save(kHot, out.take()));
  checkpointed_ = number_;
  return {};
}

void Persist::on_durable(std::uint64_t checkpoint) {
  std::erase_if(events_, [checkpoint](const JournalEvent& e) { return e.number <= checkpoint; });
}

Result<void> Persist::save_opted_out_ids(const std::set<std::string>& chats) {
  Encoder out;
  out(kVersion);
  out(static_cast<std::uint32_t>(chats.size()));
  for (const std::string& chat : chats) out(chat);
  return blobs_.save(kOptedOutIds, out.take());
}

Result<std::set<std::string>> Persist::load_opted_out_ids() {
  std::set<std::string> chats;
  TRY(const auto blob, blobs_.load(kOptedOutIds));
  if (!blob) return chats;
  const bool known = !blob->empty() && blob->front() == std::byte{kVersion};
  Decoder in(known ? ByteView(*blob).subspan(1) : ByteView());
  std::uint32_t count = 0;
  in(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    std::string chat;
    in(chat);
    if (in.ok()) chats.insert(std::move(chat));
  }
  if (!in.ok()) log::error("throttle", "names on the opt-out list are damaged and left out");
  return chats;
}

/// Without a checkpoint the pages, which hold the opt-outs, are still looked for.
constexpr std::uint32_t kUnknownPages = 0xffffffffU;

void Persist::load_pages(Engine& engine, std::uint32_t pages) {
  bool damaged = false;
  for (std::size_t page = 0; page < std::min<std::size_t>(pages, kMaxPages); ++page) {
    const Result<std::optional<Bytes>> blob = blobs_.load(page_name(page));
    if (pages == kUnknownPages && blob && !*blob) break;
    if (!blob || !*blob || (*blob)->empty() || (*blob)->front() != std::byte{kVersion}) {
      damaged = true;
      continue;
    }
    Decoder in(ByteView(**blob).subspan(1));
    for (std::size_t i = 0; i < kChatsPerPage; ++i) {
      ChatRecord record;
      fields_of(record, in);
      if (!in.ok()) break;
      engine.state.chats.load(record);
    }
    damaged = damaged || !in.ok();
  }
  if (!damaged) {
    for (std::size_t page = 0; page < engine.state.chats.pages(); ++page)
      engine.state.chats.mark_clean(page);
    return;
  }
  // What is left moved to other places: every page is written again.
  log::error("throttle", "a page of chats is damaged; what it held is lost");
  engine.state.chats.mark_all_dirty();
}

void Persist::load_regulars(Engine& engine) {
  Regulars& regulars = engine.state.chats.regulars;
  bool damaged = false;
  for (std::size_t page = 0; page * Regulars::kPerPage < kMaxRegulars; ++page) {
    const Result<std::optional<Bytes>> blob = blobs_.load(regulars_name(page));
    if (blob && !*blob) break;
    if (!blob || (*blob)->empty() || (*blob)->front() != std::byte{kVersion}) {
      damaged = true;
      continue;
    }
    Decoder in(ByteView(**blob).subspan(1));
    for (std::size_t i = 0; i < Regulars::kPerPage; ++i) {
      Regular regular;
      fields_of(regular, in);
      if (!in.ok()) break;
      regulars.load(regular);
    }
    damaged = damaged || !in.ok();
  }
  if (damaged) log::error("throttle", "a page of regulars is damaged; what it held is lost");
  // What is left moved to other places then: every page is written again.
  for (std::size_t page = 0; !damaged && page < regulars.pages(); ++page) regulars.mark_clean(page);
}

void Persist::replay(Engine& engine, const JournalEvent& event) {
  const bool to_chat = event.kind != JournalEvent::Kind::final;
  if (event.charge.lane > Lane::first ||
      (to_chat && event.charge.chat.kind == ChatKey::Kind::none)) {
    return;  // damaged
  }
  Moment moment;
  moment.now = event.at;
  switch (event.kind) {
    case JournalEvent::Kind::charge:
      engine.charge_again(event.charge, event.at);
      return;
    case JournalEvent::Kind::inbound:
      engine.on_inbound(event.charge.chat, event.request, event.written, moment);
      return;
    case JournalEvent::Kind::final:
      note_final(engine.state, event.charge.sequence);
      return;
    case JournalEvent::Kind::taken_back:
      engine.take_back_newest(event.charge.sequence, event.charge.chat);
      return;
  }
}

Result<bool> Persist::load(Engine& engine, PolicyClock::Saved& clock) {
  TRY(const auto hot, blobs_.load(kHot));
  bool found = false;
  load_regulars(engine);
  if (hot && !hot->empty() && hot->front() == std::byte{kVersion}) {
    Decoder in(ByteView(*hot).subspan(1));
    std::uint32_t pages = 0;
    std::uint32_t texts = 0;
    in(number_);
    in(clock.newest);
    in(clock.tick);
    in(clock.wall_ms);
    in(pages);
    hot_fields(engine.state, in);
    in(texts);
    for (std::uint32_t i = 0; i < texts && in.ok(); ++i) {
      TextUse use;
      use.fields(in);
      if (in.ok()) engine.state.texts.load(use, clock.newest);
    }
    if (in.ok() && !in.done()) later_fields(engine.state, in);
    if (!in.ok())
      log::error("throttle", "the saved state is cut short; the rest is at its default");
    sanitize(engine.state);
    checkpointed_ = number_;
    load_pages(engine, pages);
    found = true;
  } else {
    if (hot) log::error("throttle", "the saved state is unreadable; only the chats are kept");
    load_pages(engine, kUnknownPages);
    found = hot.has_value();
  }
  TRY(const auto journal, blobs_.load(kJournal));
  if (!journal || journal->empty() || journal->front() != std::byte{kVersion}) return found;
  Decoder in(ByteView(*journal).subspan(1));
  std::uint32_t count = 0;
  in(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    JournalEvent event;
    fields_of(event, in);
    if (!in.ok() || event.number <= number_) continue;
    number_ = event.number;
    clock.newest = std::max(clock.newest, event.at);
    replay(engine, event);
    found = true;
    events_.push_back(std::move(event));
  }
  return found;
}

}  // namespace posthorn::throttle
