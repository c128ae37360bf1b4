#include "session/account_watch.h"

#include <algorithm>

#include "posthorn/base/log.h"
#include "session/mex.h"

namespace posthorn::session {

AccountWatch::AccountWatch(Scheduler& scheduler, const Clock& clock, Questions& questions,
                           Function<void(Restriction)> emit)
    : scheduler_(scheduler),
      clock_(clock),
      questions_(questions),
      emit_(std::move(emit)),
      reachout_(scheduler),
      capping_(scheduler) {}

void AccountWatch::start() {
  running_ = true;
  ask_reachout_soon();
  ask_capping_soon();
}

void AccountWatch::stop() {
  running_ = false;
  reachout_.timer.stop();
  capping_.timer.stop();
}

Mono AccountWatch::earliest(const Query& query) const {
  const Mono now = scheduler_.now();
  return query.asked ? std::max(now, *query.asked + kAtMostEvery) : now;
}

void AccountWatch::ask_reachout_soon() {
  if (running_) reachout_.timer.start_at(earliest(reachout_), [this] { ask_reachout(); });
}

void AccountWatch::ask_capping_soon() {
  if (!running_) return;
  capping_.timer.start_at(earliest(capping_), [this] { ask_capping(mex::kCappingQuery); });
}

void AccountWatch::on_reachout_ack() { ask_reachout_soon(); }

void AccountWatch::on_capping_ack() {
  capping_on_ = true;
  ask_capping_soon();
}

void AccountWatch::ask_reachout() {
  reachout_.timer.start(kReachoutEvery, [this] { ask_reachout(); });
  if (reachout_.under_way) return;
  reachout_.under_way = true;
  reachout_.asked = scheduler_.now();
  questions_.ask(
      mex::build_query(mex::kReachoutQuery), kTimeout,
      [this](Result<wire::Node> answer) { on_reachout(std::move(answer)); },
      Questions::Silence::expected);
}

void AccountWatch::on_reachout(Result<wire::Node> answer) {
  reachout_.under_way = false;
  if (!answer) {
    log::info("session", "restriction query failed", {{"error", answer.error()}});
    return;
  }
  auto news = mex::parse_reachout(*answer, clock_.now());
  if (!news) {
    log::info("session", "restriction query not understood", {{"error", news.error()}});
  } else if (*news) {
    take(**std::move(news));
  }
}

void AccountWatch::ask_capping(std::string_view query_id) {
  if (capping_on_) capping_.timer.start(kCappingEvery, [this] { ask_capping(mex::kCappingQuery); });
  if (capping_.under_way) return;
  capping_.under_way = true;
  capping_.asked = scheduler_.now();
  questions_.ask(
      mex::build_query(query_id), kTimeout,
      [this, query_id](Result<wire::Node> answer) { on_capping(std::move(answer), query_id); },
      Questions::Silence::expected);
}

void AccountWatch::on_capping(Result<wire::Node> answer, std::string_view query_id) {
  capping_.under_way = false;
  if (!answer) {
    log::info("session", "capping query failed", {{"error", answer.error()}});
    return;
  }
  auto news = mex::parse_capping(*answer);
  if (!news) {
    log::info("session", "capping query not understood", {{"error", news.error()}});
    const bool other_id = news.error().code == Errc::unsupported && query_id == mex::kCappingQuery;
    if (other_id && running_) ask_capping(mex::kCappingQueryOlder);
  } else if (*news) {
    take(**std::move(news));
  }
}

void AccountWatch::on_push(const wire::Node& notification) {
  for (Restriction& news : mex::parse_push(notification, clock_.now())) take(std::move(news));
}

void AccountWatch::take(Restriction news) {
  const Wall now = clock_.now();
  if (news.kind == Restriction::Kind::capping) {
    capping_on_ = news.active;
    if (capping_on_ && running_ && !capping_.timer.active())
      capping_.timer.start(kCappingEvery, [this] { ask_capping(mex::kCappingQuery); });
  }
  if (news.kind == Restriction::Kind::reachout_lock && news.active && running_) {
    // A lock is looked at again when it should be over, sooner than the regular time.
    const milliseconds left = *news.until - now;
    if (left > milliseconds(0) && left < kReachoutEvery)
      reachout_.timer.start(left + kAtMostEvery, [this] { ask_reachout(); });
  }
  emit_(std::move(news));
}

}  // namespace posthorn::session
