#include "throttle/engine.h"

#include <algorithm>

#include "throttle/opt_out_words.h"

namespace posthorn::throttle {
namespace {

Engine::Step step_of(Engine::Step::Kind kind, std::uint32_t job, Tick at) {
  Engine::Step step;
  step.kind = kind;
  step.job = job;
  step.at = at;
  return step;
}

}  // namespace

Admission Engine::add(std::uint64_t sequence, const ChatKey& chat, std::uint64_t text, Tick expires,
                      bool urgent, bool consent, bool confirmation, bool accepted,
                      const Moment& m) {
  WaitingJob job;
  job.sequence = sequence;
  job.text = text;
  job.expires = expires;
  job.urgent = urgent;
  job.consent = consent;
  job.confirmation = confirmation;
  state.chats.recall(chat, m.now);
  Admission admission = admit(state, m, waiting, chat, job);
  if (accepted && admission.refusal == Refusal::no_capacity) admission = {};
  if (!admission.refusal) waiting.add(chat, job, classify(state, chat, job, m.now));
  return admission;
}

Charge Engine::charge_for(const Decision& decision, const Moment& m) const {
  const WaitingJob& job = waiting.job(decision.job);
  Charge charge;
  charge.chat = waiting.chat(decision.chat).key;
  charge.lane = decision.lane;
  charge.opening = decision.line == Line::opening_consent || decision.line == Line::opening_plain;
  charge.consent = job.consent;
  charge.again = decision.line == Line::retry;
  charge.text = job.text;
  charge.sequence = job.sequence;
  if (job.urgent && decision.lane == Lane::known && in_quiet_hours(state.settings, m))
    charge.night = night_of(state.settings, m);
  return charge;
}

Engine::Step Engine::next(const Moment& m) {
  pass_time(state, m);
  for (;;) {
    const Decision decision = decide(state, m, waiting);
    switch (decision.kind) {
      case Decision::Kind::wait:
        return step_of(Step::Kind::wait, kNone, decision.at);
      case Decision::Kind::hold:
        waiting.hold(decision.chat, decision.at, decision.why);
        continue;
      case Decision::Kind::move:
        waiting.move(decision.chat, decision.line);
        continue;
      case Decision::Kind::refuse: {
        Step step = step_of(Step::Kind::refuse, decision.job, m.now);
        step.refusal = decision.refusal;
        return step;
      }
      case Decision::Kind::check: {
        charge_check(state, m.now);
        waiting.set_busy(decision.chat, Hold::checking_number);
        Step step = step_of(Step::Kind::check, decision.job, m.now);
        step.chat = waiting.chat(decision.chat).key;
        return step;
      }
      case Decision::Kind::send:
        break;
    }
    if (ready && !ready(waiting.job(decision.job).sequence)) {
      waiting.hold(decision.chat, m.now + kMinute, Hold::preparing);
      continue;
    }
    const Charge charge = charge_for(decision, m);
    newest_ = throttle::charge(state, charge, m.now);
    waiting.set_busy(decision.chat, Hold::none);
    Step step = step_of(Step::Kind::send, decision.job, m.now);
    step.chat = charge.chat;
    step.charge = charge;
    return step;
  }
}

void Engine::finish(std::uint32_t job, const Moment& m) {
  note_final(state, waiting.job(job).sequence);
  const WaitingChat& chat = waiting.chat(waiting.job(job).chat);
  Line line = Line::busy;
  if (chat.head == job && waiting.job(job).next != kNone)
    line = classify(state, chat.key, waiting.job(waiting.job(job).next), m.now);
  waiting.remove(job, line);
}

void Engine::put_back(std::uint32_t job, Tick until, Hold why) {
  waiting.hold(waiting.job(job).chat, until, why);
}

void Engine::take_back(std::uint32_t job, Tick until, Hold why) {
  take_back_newest(waiting.job(job).sequence, waiting.chat(waiting.job(job).chat).key);
  waiting.hold(waiting.job(job).chat, until, why);
}

void Engine::charge_again(const Charge& charge, Tick at) {
  Charged charged = throttle::charge(state, charge, at);
  if (!charge.own_device) newest_ = std::move(charged);
}

void Engine::take_back_newest(std::uint64_t sequence, const ChatKey& chat) {
  if (!newest_ || newest_->what.sequence != sequence) return;
  throttle::take_back(state, *newest_, chat);
  newest_.reset();
}

void Engine::on_checked(const ChatKey& key, std::optional<bool> on_whatsapp, const Moment& m) {
  if (on_whatsapp) note_check(state, key, *on_whatsapp, m.now);
  const std::uint32_t chat = waiting.find_chat(key);
  if (chat == kNone || waiting.chat(chat).why != Hold::checking_number) return;
  if (on_whatsapp) {
    waiting.move(chat, classify(state, key, waiting.job(waiting.chat(chat).head), m.now));
  } else {
    waiting.hold(chat, m.now + 5 * kMinute, Hold::checking_number);
  }
}

std::string_view Engine::on_inbound(const ChatKey& key, std::string_view text, Tick written,
                                    const Moment& m) {
  const Request request = key.is_group() ? Request{} : parse_request(text);
  note_inbound(state, key, written, m.now);
  std::string_view confirmation;
  const ChatRecord* record = state.chats.find(key);
  const bool on_list = record != nullptr && record->is(ChatRecord::opted_out);
  if (request.wish == Wish::stop && !on_list) {
    if (set_opted_out(key, true, false, true, m.now)) confirmation = request.confirmation;
  } else if (request.wish == Wish::stop) {
    // Saying it again is no message that asks for an answer.
    ChatRecord* again = state.chats.touch(key, m.now);
    again->opted = std::max(again->opted, again->last_in);
  }
  if (request.wish == Wish::start && on_list) set_opted_out(key, false, false, false, m.now);
  reconsider(key, m.now);
  return confirmation;
}

Charge Engine::own_send(const ChatKey& chat, const Moment& m) {
  state.chats.recall(chat, m.now);
  const ChatRecord* record = state.chats.find(chat);
  Charge charge;
  charge.chat = chat;
  charge.lane = lane_of(state, record, m.now);
  if (chat.is_group() && charge.lane == Lane::first) charge.lane = Lane::known;
  charge.opening = charge.lane == Lane::first && (record == nullptr || record->last_out == 0);
  charge.own_device = true;
  return charge;
}

void Engine::join(const ChatKey& from, const ChatKey& into, Tick now) {
  join_chats(state, from, into, now);
  const Waiting::Joined joined = waiting.join(from, into);
  if (!joined.to_move) return;
  waiting.move(joined.chat,
               classify(state, into, waiting.job(waiting.chat(joined.chat).head), now));
}

bool Engine::on_signal(const Signal& signal, const Moment& m) {
  if (signal.kind == Signal::Kind::reachout_ack && !signal.chat.empty()) {
    if (ChatRecord* record = state.chats.touch(parse_chat(signal.chat), m.now))
      record->set(ChatRecord::reachout_refused);
  }
  return apply(state.standing, signal, m);
}

void Engine::set_connected(bool connected, const Moment& m) {
  if (connected && !state.connected) state.connected_at = m.now;
  state.connected = connected;
}

bool Engine::set_opted_out(const ChatKey& key, bool on, bool by_operator, bool confirm, Tick now) {
  ChatRecord* record = state.chats.touch(key, now);
  if (record == nullptr) return false;
  state.chats.set_opted_out(*record, on);
  record->set(ChatRecord::by_operator, on && by_operator);
  record->set(ChatRecord::confirm_due, on && confirm);
  // Only what is written after this opens a reply window again.
  record->opted = !on           ? 0
                  : by_operator ? std::max(to_stamp(now), record->last_in)
                                : record->last_in;
  reconsider(key, now);
  return true;
}

void Engine::reconsider(const ChatKey& key, Tick now) {
  const std::uint32_t chat = waiting.find_chat(key);
  if (chat == kNone || waiting.chat(chat).line == Line::busy) return;
  waiting.move(chat, classify(state, key, waiting.job(waiting.chat(chat).head), now));
}

void Engine::reconsider_all(Tick now) {
  waiting.for_each_chat([this, now](std::uint32_t chat) {
    if (waiting.chat(chat).line == Line::busy) return;
    waiting.move(
        chat, classify(state, waiting.chat(chat).key, waiting.job(waiting.chat(chat).head), now));
  });
}

}  // namespace posthorn::throttle
