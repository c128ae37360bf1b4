// watch: session, throttle and queue into one Status, into metrics, and into the page's picture of
// the day.
#include "daemon/advice.h"
#include "daemon/app.h"
#include "daemon/route.h"
#include "daemon/throttle_api.h"
#include "daemon/webhook_api.h"
#include "posthorn/api/notification.h"

namespace posthorn::daemon {

namespace {

json::Value seconds_or_null(const std::optional<Wall>& time) {
  return time ? json::Value(static_cast<::Json::Int64>(time->unix_seconds())) : json::Value();
}

}  // namespace

/// GET getActivity: the last 24 hours in numbers, and what the page says beside them. Times in
/// seconds since 1970; lastContact null: none since the start.
json::Value App::activity() const {
  json::Value out = hours_.to_json();
  const Wall now = out_.clock.now();
  const bool online = session_->state().state == session::State::online;
  out["lastContact"] = seconds_or_null(online ? std::optional(now) : last_contact_);
  out["oldestWaiting"] = seconds_or_null(out_.outbox_ring.status().oldest);
  out["zoneSeconds"] = static_cast<::Json::Int64>(out_.utc_offset(now).count());
  out["clockTrusted"] = now.trusted;
  return out;
}

/// For a webhook that is tried out: what its till knows already.
std::string App::present_state() const {
  api::Settings all = settings_.current();
  all.state_webhook = true;
  const auto told =
      api::build_state_changed(notifier_->state().value(), all, instance(), out_.clock.now());
  return told ? json::write(*told) : "{}";
}

std::string App::metrics() const {
  std::vector<throttle::Metric> all = valve_->metrics();
  const Wall now = out_.clock.now();
  add_ring(all, "outbox", out_.outbox_ring.status(), now);
  add_ring(all, "inbox", out_.inbox_ring.status(), now);
  counters_.add_to(all);
  add_webhook(all, *courier_);
  if (journal_) {
    all.push_back({"journal_bytes", "", static_cast<double>(journal_->bytes()), false});
    all.push_back({"journal_lost_total", "", static_cast<double>(journal_->lost()), true});
  }
  tail_.add_metrics(all);
  add_process(all);
  return metrics_text(all);
}

Status App::status() const {
  using session::State;
  Status status;
  switch (session_->state().state) {
    case State::offline:
    case State::connecting:
    case State::handshaking:
    case State::syncing:
      status.link = Status::Link::starting;
      break;
    case State::pairing:
    case State::logged_out:
      status.link = Status::Link::not_linked;
      break;
    case State::online:
      status.link = Status::Link::online;
      break;
    case State::backing_off:
      status.link = Status::Link::reconnecting;
      break;
    case State::paused:
    case State::replaced:
      status.link = Status::Link::paused;
      break;
    case State::blocked:
      status.link = Status::Link::blocked;
      break;
  }
  const session::StateChanged& detail = session_->state();
  status.link_cause = detail.cause;
  status.until = detail.until;
  status.throttle = valve_->level();
  if (!status.until) status.until = valve_->status().until;
  status.outbox_jobs = outbox_->count();
  status.inbox_notifications = inbox_->count();
  status.storage_ok = !detail.cause.starts_with("storage") && out_.store.healthy() &&
                      !out_.outbox_ring.status().fault && !out_.inbox_ring.status().fault;
  status.clock_trusted = out_.clock.now().trusted;
  status.what_to_do = advise(status, advice_.empty() ? detail.what_to_do : advice_,
                             valve_->status().needs_acknowledgement);
  // Whoever waits for a QR code asks here, too: of other things only a linked box speaks.
  if (status.link == Status::Link::online && status.what_to_do.empty()) {
    if (receipts_) status.what_to_do = receipts_->trouble();
    if (status.what_to_do.empty() && !config_.troubles.empty())
      status.what_to_do = config_.troubles.front();
  }
  return status;
}

}  // namespace posthorn::daemon
