#include "throttle/regulars_csv.h"
#include "throttle/valve_impl.h"

namespace posthorn::throttle {
namespace {

constexpr std::size_t kExamples = 20;

Regular facts_of(const PastChat& past, const Moment& m) {
  const auto day = [&m](const std::optional<Wall>& at) {
    return at ? to_day(std::min(m.now, m.to_tick(at->since_epoch.count()))) : std::uint16_t{0};
  };
  Regular out;
  out.in_day = day(past.wrote);
  out.out_day = day(past.written);
  out.joined_day = day(past.member_since);
  out.run = static_cast<std::uint8_t>(std::min<std::uint32_t>(past.unanswered, 255));
  if (past.wrote || past.listed) out.flags |= Regular::wrote;
  if (past.listed) out.flags |= Regular::listed;
  return out;
}

}  // namespace

bool Valve::Impl::learn(const PastChat& past, const Moment& m) {
  const ChatKey key = key_of(past.chat);
  if (!is_possible(key)) return false;
  State& state = engine_.state;
  const bool wrote_today =
      past.wrote && !past.listed && m.now - m.to_tick(past.wrote->since_epoch.count()) < kDay;
  state.chats.learn(key, facts_of(past, m), m.now);
  // Days are too coarse for who may be answered right now.
  if (wrote_today && !key.is_group())
    note_inbound(state, key, m.to_tick(past.wrote->since_epoch.count()), m.now);
  if (engine_.waiting.find_chat(key) != kNone) state.chats.recall(key, m.now);
  engine_.reconsider(key, m.now);
  return true;
}

void Valve::Impl::on_history(std::span<const PastChat> chats, Once<void(Result<void>)> kept) {
  const Moment m = moment();
  for (const PastChat& past : chats) learn(past, m);
  wake();
  if (!save()) return kept(fail(Errc::io, "the disk did not take the regulars"));
  o_.blobs.durable(std::move(kept));
}

Result<ImportReport> Valve::Impl::import_regulars(std::string_view csv, const std::string& who) {
  if (who.empty()) return fail(Errc::refused, "who imports the list is needed");
  const Moment m = moment();
  ImportReport report;
  const auto refuse = [&report](std::size_t line, std::string why) {
    ++report.refused;
    if (report.examples.size() < kExamples) report.examples.push_back({line, std::move(why)});
  };
  std::size_t number = 0;
  while (!csv.empty()) {
    const std::size_t end = csv.find('\n');
    const std::string_view line = csv.substr(0, end);
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    ++number;
    const auto past = parse_regular(line);
    if (!past) {
      refuse(number, past.error().detail);
      continue;
    }
    if (!*past) continue;
    const ChatKey key = key_of((*past)->chat);
    const State& state = engine_.state;
    const bool known =
        state.chats.find(key) != nullptr || state.chats.regulars.find(key) != nullptr;
    if (!learn(**past, m)) {
      refuse(number, "\"" + (*past)->chat + "\" is nobody's number");
    } else {
      ++(known ? report.known : report.added);
    }
  }
  audit(who, "regulars", "", std::to_string(report.added) + " added",
        std::to_string(report.known) + " known before, " + std::to_string(report.refused) +
            " lines not taken");
  save();
  wake();
  return report;
}

}  // namespace posthorn::throttle
