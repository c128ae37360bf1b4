#include "posthorn/fleet/agent.h"

#include <algorithm>
#include <utility>

#include "fleet/agent_impl.h"
#include "posthorn/base/log.h"

namespace posthorn::fleet {

namespace {

constexpr seconds kLogEvery{600};
constexpr std::size_t kRefusedAtMost = 3;
constexpr int kTrialsAtMost = 3;
/// Names of the last few lives, 16 digits and a space each.
constexpr std::size_t kRunsKept = 4 * 17;
/// A new connection's state is told within so long.
constexpr seconds kStateWithin{30};
/// Time for the daemon to hear that sending goes on.
constexpr seconds kLeave{2};

}  // namespace

Agent::Impl::Impl(Outside outside, Settings settings)
    : outside_(std::move(outside)),
      settings_(std::move(settings)),
      outlet_(outside_.broker),
      words_(outlet_),
      backoff_(outside_.random, settings_.spread),
      journal_(outside_.blobs),
      view_(outside_.scheduler, outside_.box, settings_.poll),
      pause_(outside_.blobs, outside_.box),
      connect_(outside_.scheduler),
      state_timer_(outside_.scheduler),
      desk_(outside_.scheduler, outside_.box),
      leaving_(outside_.scheduler) {}

Result<void> Agent::Impl::start() {
  TRY(certificate_, outside_.identity.current());
  topics_ = {settings_.org, certificate_.box};
  TRY(load_counters());
  TRY(load_hash_key());
  TRY(journal_.load());
  pause_.load();
  alerts_ = std::make_unique<AlertBoard>(outside_.blobs, words_, topics_);
  alerts_->load();
  EventPump::Outside pump{outside_.scheduler, outside_.box, outlet_, topics_,
                          settings_.share,    hash_key_,    {}};
  pump.on_gap = [this](std::uint64_t from, std::uint64_t to) { on_gap(from, to); };
  pump_ = std::make_unique<EventPump>(std::move(pump));
  commands_ =
      std::make_unique<Commands>(Commands::Outside{outside_.scheduler, outside_.box, view_, outlet_,
                                                   journal_, topics_, settings_, own_commands()});
  commands_->start();
  view_.start([this] { on_look(); });
  desk_.start([this] { return report(); }, [this](const Desk::Wish& wish) { on_wish(wish); });
  // The boxes of a street get their power back at once.
  const auto most = static_cast<std::uint64_t>(milliseconds(settings_.spread).count() / 10);
  connect_.start(milliseconds(static_cast<std::int64_t>(outside_.random.between(0, most))),
                 [this] { connect(); });
  return {};
}

void Agent::Impl::stop() {
  desk_.stop();
  connect_.stop();
  state_timer_.stop();
  if (outlet_.connected()) {
    Publication goodbye;
    goodbye.topic = topics_.at("online");
    goodbye.payload = online_text(false);
    goodbye.retain = true;
    outlet_.publish(goodbye);
  }
  outside_.broker.stop();
  outlet_.on_lost();
}

Result<void> Agent::Impl::load_counters() {
  TRY(const auto saved, outside_.blobs.load("counters"));
  if (saved) {
    if (const auto value = json::parse(as_text(*saved))) {
      boot_ = json::int_at(*value, "boot").value_or(0);
      birth_sequence_ = json::int_at(*value, "bdSeq").value_or(0);
      runs_before_ = json::string_at(*value, "runs").value_or("").substr(0, kRunsKept);
    }
  }
  ++boot_;
  run_ = hex_encode(outside_.random.bytes(8));
  return save_counters();
}

Result<void> Agent::Impl::save_counters() {
  json::Value out(::Json::objectValue);
  out["boot"] = static_cast<::Json::Int64>(boot_);
  out["bdSeq"] = static_cast<::Json::Int64>(birth_sequence_);
  // A life that was never connected has told nobody its name.
  out["runs"] = connects_ > 0 ? run_ + " " + runs_before_ : runs_before_;
  return outside_.blobs.save("counters", as_bytes(json::write(out)));
}

/// The organisation's key, so that the centre can tell that two shops wrote to one customer; or a
/// key of this box alone.
Result<void> Agent::Impl::load_hash_key() {
  if (const auto key = hex_decode(settings_.hash_key); key && key->size() == 32) {
    hash_key_ = *key;
    return {};
  }
  TRY(auto saved, outside_.blobs.load("hash-key"));
  if (!saved || saved->size() != 32) {
    saved = outside_.random.bytes(32);
    TRY(outside_.blobs.save("hash-key", *saved));
  }
  hash_key_ = *saved;
  return {};
}

std::string Agent::Impl::online_text(bool online) const {
  json::Value out(::Json::objectValue);
  out["online"] = online;
  if (online) {
    const auto now = view_.now();
    out["since"] = static_cast<::Json::Int64>(now ? now->unix_seconds() : 0);
  }
  out["boot"] = static_cast<::Json::Int64>(boot_);
  out["bdSeq"] = static_cast<::Json::Int64>(birth_sequence_);
  out["run"] = run_;
  return json::write(out);
}

void Agent::Impl::connect() {
  ++birth_sequence_;
  Publication will;
  will.topic = topics_.at("online");
  will.payload = online_text(false);
  will.retain = true;
  outside_.broker.connect(will, *this);
}

void Agent::Impl::on_connected() {
  ++connects_;
  connected_at_ = outside_.scheduler.now();
  outlet_.on_connected();
  lost_detail_.clear();
  link_since_ = view_.now() ? view_.now()->unix_seconds() : 0;
  twin_ = false;
  if (const auto saved = save_counters(); !saved) {
    log::error("fleet", "counters cannot be kept", {{"error", saved.error()}});
  }
  if (outside_.identity.on_trial()) settle_renewal();
  log::info("fleet", "connected to the broker", {{"box", topics_.box}});
  if (auto subscribed = outside_.broker.subscribe({{topics_.at("cmd/+"), false},
                                                   {topics_.pause_of_all(), true},
                                                   {topics_.at("online"), true}});
      !subscribed) {
    log::error("fleet", "commands cannot be subscribed to", {{"error", subscribed.error()}});
  }
  words_.keep(topics_.at("online"), online_text(true));
  words_.keep(topics_.at("birth"), birth());
  words_.say_all();
  commands_->on_connected();
  pump_->on_connected();
  // After a broker's restart a thousand boxes have a state to tell.
  said_state_.clear();
  const auto most = static_cast<std::uint64_t>(
      std::min(milliseconds(settings_.spread) / 2, milliseconds(kStateWithin)).count());
  state_timer_.start(milliseconds(static_cast<std::int64_t>(outside_.random.between(0, most))),
                     [this] { say_state(true); });
}

/// Mosquitto 2.0.11 closes a connection that another one takes over without a word. So each life of
/// an agent has a name of its own: one that is neither ours nor our last one's is somebody else.
void Agent::Impl::on_online(const Incoming& message) {
  const auto said = json::parse(message.payload, 50);
  const std::string run = said ? json::string_at(*said, "run").value_or("") : "";
  if (run.size() != run_.size() || run == run_) return;
  if (runs_before_.find(run) != std::string::npos) return;
  if (!json::bool_at(*said, "online").value_or(false) || std::exchange(twin_, true)) return;
  alerts_->raise({"twin", "another device uses this box's certificate",
                  "find the second box (a copied card, a restored backup) and enrol it anew"},
                 view_.now());
}

void Agent::Impl::on_lost(Loss why, const std::string& detail) {
  if (twin_ && why == Loss::broken) why = Loss::taken_over;
  const milliseconds lasted =
      connected_at_ ? outside_.scheduler.now() - *connected_at_ : milliseconds(0);
  const bool was = connected_at_.has_value();
  connected_at_.reset();
  lost_detail_ = std::string(to_string(why)) + (detail.empty() ? "" : ": " + detail);
  if (was) link_since_ = view_.now() ? view_.now()->unix_seconds() : 0;
  // A number that no connection used is used by the next try.
  if (!was) --birth_sequence_;
  state_timer_.stop();
  outlet_.on_lost();
  pump_->on_lost();
  const bool believed = why != Loss::certificate && why != Loss::refused;
  if (outside_.identity.on_trial() && !believed && ++trials_ >= kTrialsAtMost) {
    outside_.identity.give_up_trial();
    trials_ = 0;
    alerts_->raise({"certificate", "the broker did not take the renewed certificate: " + detail,
                    "the box goes on with the one before; renew again"},
                   view_.now());
  }
  const milliseconds after = backoff_.next(why, lasted);
  tell_loss(why, detail, after);
  connect_.start(after, [this] { connect(); });
}

/// A broker that is away for a day is one line each ten minutes.
void Agent::Impl::tell_loss(Loss why, const std::string& detail, milliseconds after) {
  const std::string cause = std::string(to_string(why)) + detail;
  const Mono now = outside_.scheduler.now();
  if (cause == told_cause_ && now - told_at_ < kLogEvery) return;
  told_cause_ = cause;
  told_at_ = now;
  log::warn("fleet", "no connection to the broker",
            {{"why", to_string(why)}, {"detail", detail}, {"next_try_ms", after.count()}});
}

void Agent::Impl::on_acknowledged(int id, bool taken) {
  if (!taken && !std::exchange(told_refusal_, true)) {
    log::error("fleet", "the broker's rules refuse what this box publishes",
               {{"what_to_do", "see the ACL example of the README"}});
  }
  outlet_.on_acknowledged(id, taken);
}

void Agent::Impl::on_message(const Incoming& message) {
  if (message.topic == topics_.pause_of_all()) {
    if (pause_.on_all(message)) {
      pause_.keep(view_.state());
    } else {
      ++ignored_;
      log::warn("fleet", "a word on all/pause is not understood");
    }
    return;
  }
  if (message.topic == topics_.at("online")) return on_online(message);
  commands_->on_message(message);
}

std::string Agent::Impl::birth() const {
  const auto now = view_.now();
  return birth_text(outside_.facts, settings_, view_.state(), certificate_.until,
                    now && certificate_.due(now->unix_seconds()));
}

void Agent::Impl::on_look() {
  const BoxState& box = view_.state();
  if (view_.refused() >= kRefusedAtMost) {
    return outside_.end("the daemon does not know our token any more");
  }
  const auto now = view_.now();
  day_.on_metrics(box.metrics, now);
  pause_.keep(box);
  const std::string failure = outside_.updater == nullptr ? "" : outside_.updater->failure();
  if (failure != told_failure_ && !failure.empty()) {
    alerts_->raise({"update", "an update failed: " + failure, "see the box's log"}, now);
  }
  told_failure_ = failure;
  alerts_->set_standing(alerts_of(box, certificate_, now), now);
  if (!box.version.empty()) {
    words_.say(topics_.at("birth"), birth());
    if (settings_.home_assistant) {
      const auto [topic, payload] = discovery_of(topics_, settings_, outside_.facts, box.version);
      words_.say(topic, payload);
    }
  }
  if (!state_timer_.active()) say_state(false);
  say_metrics();
}

/// Changes at most every poll, and what has not changed at least every so often.
void Agent::Impl::say_state(bool always) {
  const BoxState& box = view_.state();
  const auto now = view_.now();
  const StateFacts facts = state_facts();
  json::Value state = state_json(box, day_, facts);
  const std::string same = json::write(state);
  const Mono at = outside_.scheduler.now();
  const bool due = always || said_state_ != same || at - said_state_at_ >= settings_.at_least;
  if (!due || !outlet_.connected()) return;
  if (now) state["time"] = static_cast<::Json::Int64>(now->unix_seconds());
  state["eventsTo"] = static_cast<::Json::UInt64>(facts.event_position);
  Publication publication;
  publication.topic = topics_.at("state");
  publication.payload = json::write(state);
  publication.retain = true;
  if (!outlet_.publish(publication)) return;
  said_state_ = same;
  said_state_at_ = at;
}

StateFacts Agent::Impl::state_facts() const {
  return {pause_.of_all(), certificate_.until, pump_->position(),
          outside_.updater == nullptr ? "" : outside_.updater->state()};
}

void Agent::Impl::say_metrics() {
  const Mono at = outside_.scheduler.now();
  if (!settings_.metrics || !outlet_.connected() || at - said_metrics_at_ < minutes(1)) return;
  json::Value out(::Json::objectValue);
  for (const auto& [name, value] : view_.state().metrics) out[name] = value;
  Publication publication;
  publication.topic = topics_.at("metrics");
  publication.payload = json::write(out);
  publication.qos = 0;
  if (outlet_.publish(publication)) said_metrics_at_ = at;
}

/// For the page: Desk.
json::Value Agent::Impl::report() const {
  json::Value out(::Json::objectValue);
  out["enrolled"] = true;
  out["org"] = topics_.org;
  out["box"] = topics_.box;
  out["host"] = settings_.host;
  out["broker"] = outlet_.connected() ? "connected" : "away";
  out["detail"] = lost_detail_;
  if (link_since_ > 0) out["since"] = static_cast<::Json::Int64>(link_since_);
  out["certificateUntil"] = static_cast<::Json::Int64>(certificate_.until);
  if (const Commands::Last& last = commands_->last(); !last.what.empty()) {
    out["lastCommand"]["do"] = last.what;
    out["lastCommand"]["status"] = last.status;
    if (last.at > 0) out["lastCommand"]["time"] = static_cast<::Json::Int64>(last.at);
  }
  return out;
}

void Agent::Impl::on_wish(const Desk::Wish& wish) {
  if (wish.what != "leave" || !outside_.leave || leaving_.active()) return;
  log::warn("fleet", "leaves the fleet, as somebody at the box's page wants it");
  // Nobody would take the fleet's pause back any more.
  pause_.forget();
  stop();
  leaving_.start(kLeave, [this] { outside_.leave(); });
}

void Agent::Impl::on_gap(std::uint64_t from, std::uint64_t to) {
  alerts_->raise({"gap",
                  "events " + std::to_string(from) + " to " + std::to_string(to) +
                      " were overwritten on the box before the broker could be reached",
                  "ask the box for its state; what the till received is not affected"},
                 view_.now());
}

Agent::Agent(Outside outside, Settings settings)
    : impl_(std::make_unique<Impl>(std::move(outside), std::move(settings))) {}
Agent::~Agent() = default;
Result<void> Agent::start() { return impl_->start(); }
void Agent::stop() { impl_->stop(); }
Agent::Counters Agent::counters() const { return impl_->counters(); }

}  // namespace posthorn::fleet
