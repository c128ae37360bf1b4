#include "fleet/reports.h"

#include <algorithm>
#include <array>

namespace posthorn::fleet {

namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kCertificateSoon = 30 * kDay;

/// What is counted of a day: our word, and the metric's name.
constexpr std::array<std::pair<const char*, const char*>, 5> kCounted{{
    {"sent", "posthorn_jobs_total{fate=\"sent\"}"},
    {"failed", "posthorn_jobs_total{fate=\"failed\"}"},
    {"noAccount", "posthorn_jobs_total{fate=\"no_account\"}"},
    {"delivered", "posthorn_receipts_total{kind=\"delivered\"}"},
    {"received", "posthorn_messages_received_total"},
}};

::Json::Int64 whole(double value) { return static_cast<::Json::Int64>(value); }

/// What the board says, in steps: a temperature or a free byte more is no news.
json::Value steady_board(const json::Value& board) {
  json::Value out(::Json::objectValue);
  for (const char* key : {"board", "storageWornPercent", "storageNearEnd", "underVoltage"}) {
    if (board.isMember(key)) out[key] = json::at(board, key);
  }
  if (const auto degrees = json::int_at(board, "temperatureCelsius")) {
    out["temperatureCelsius"] = static_cast<::Json::Int64>(*degrees / 5 * 5);
  }
  if (const auto bytes = json::int_at(board, "freeBytes")) {
    out["freeMiB"] = static_cast<::Json::Int64>((*bytes >> 26) << 6);
  }
  return out;
}

double metric(const BoxState& box, const char* name) {
  const auto at = box.metrics.find(name);
  return at == box.metrics.end() ? 0 : at->second;
}

}  // namespace

std::string birth_text(const Facts& facts, const Settings& settings, const BoxState& box,
                       std::int64_t certificate_until, bool certificate_due) {
  json::Value out(::Json::objectValue);
  out["model"] = facts.model;
  out["serial"] = facts.serial;
  out["version"] = box.version;
  out["agent"] = facts.version;
  out["slot"] = facts.slot;
  out["git"] = facts.git;
  out["api"] = 1;
  out["country"] = facts.country;
  json::Value features(::Json::arrayValue);
  features.append(settings.share == Share::full       ? "events-full"
                  : settings.share == Share::metadata ? "events-metadata"
                                                      : "events-none");
  if (settings.metrics) features.append("metrics");
  if (settings.care) features.append("care");
  if (!settings.hawkbit_url.empty()) features.append("hawkbit");
  if (settings.home_assistant) features.append("home-assistant");
  out["features"] = features;
  out["config"] = facts.config_digest;
  out["certificate"]["expires"] = static_cast<::Json::Int64>(certificate_until);
  out["certificate"]["renew"] = certificate_due;
  return json::write(out);
}

void DayCounters::on_metrics(const std::map<std::string, double>& metrics,
                             std::optional<Wall> now) {
  const std::int64_t day = now ? now->unix_seconds() / kDay : day_;
  if (day != day_) {
    day_ = day;
    today_.clear();
  }
  for (const auto& [word, name] : kCounted) {
    const auto at = metrics.find(name);
    if (at == metrics.end()) continue;
    const auto before = last_.find(word);
    // A total below the last one: the daemon started again, and counts from nothing.
    const bool fresh = before == last_.end() || at->second < before->second;
    if (before != last_.end()) today_[word] += at->second - (fresh ? 0 : before->second);
    if (before == last_.end()) today_[word] += 0;
    last_[word] = at->second;
  }
}

json::Value DayCounters::to_json() const {
  json::Value out(::Json::objectValue);
  for (const auto& [word, count] : today_) out[word] = whole(count);
  return out;
}

json::Value state_json(const BoxState& box, const DayCounters& day, const StateFacts& facts) {
  json::Value out(::Json::objectValue);
  out["daemon"] = box.reachable ? "up" : "down";
  out["link"] = box.link;
  out["linkCause"] = box.link_cause;
  out["whatToDo"] = box.what_to_do;
  out["lane"] = box.throttle;
  out["paused"] = box.paused;
  out["fleetPaused"] = facts.fleet_paused;
  out["outboxJobs"] = static_cast<::Json::Int64>(box.outbox_jobs);
  out["inboxNotifications"] = static_cast<::Json::Int64>(box.inbox_notifications);
  // In whole minutes, so that an age is no news every ten seconds.
  const double age = metric(box, "posthorn_queue_oldest_age_seconds{queue=\"outbox\"}");
  out["oldestJobMinutes"] = whole(age / 60);
  out["storageOk"] = box.storage_ok;
  out["clockTrusted"] = box.clock_trusted;
  if (!facts.update.empty()) out["update"] = facts.update;
  out["board"] = steady_board(box.board);
  out["today"] = day.to_json();
  out["certificateExpires"] = static_cast<::Json::Int64>(facts.certificate_until);
  return out;
}

std::vector<Alert> alerts_of(const BoxState& box, const CertificateFacts& certificate,
                             std::optional<Wall> now) {
  std::vector<Alert> out;
  const auto add = [&](const char* name, std::string text, std::string what) {
    out.push_back({name, std::move(text), std::move(what)});
  };
  if (!box.reachable) {
    add("daemon", "posthornd does not answer on the box",
        "see the box's light and its journal; it starts again by itself");
    return out;
  }
  if (box.throttle == "yellow" || box.throttle == "red" || box.throttle == "black") {
    add("restriction", "WhatsApp restricts the number: " + box.throttle, box.what_to_do);
  }
  if (box.link == "notLinked" || box.link == "blocked") {
    add("unlinked", "the shop's phone is not linked: " + box.link + " " + box.link_cause,
        box.what_to_do);
  }
  if (!box.storage_ok) add("storage", "the box cannot write its storage", box.what_to_do);
  if (!box.clock_trusted) {
    add("clock", "the box does not know the time", "is its time server reachable?");
  }
  // Of a life of days a month would be always.
  const std::int64_t soon = std::min(kCertificateSoon, (certificate.until - certificate.from) / 4);
  if (certificate.until != 0 && now && certificate.until - now->unix_seconds() < soon) {
    const bool over = certificate.until < now->unix_seconds();
    add("certificate",
        std::string("the box's certificate for the broker ") + (over ? "has ended" : "ends") +
            " at " + to_iso8601(Wall::from_unix(certificate.until)),
        "renew it by the command \"renew\"");
  }
  return out;
}

std::pair<std::string, std::string> discovery_of(const Topics& topics, const Settings& settings,
                                                 const Facts& facts, const std::string& version) {
  const std::string id = "posthorn_" + topics.box;
  json::Value out(::Json::objectValue);
  out["device"]["identifiers"] = id;
  out["device"]["name"] = "Posthorn " + topics.box;
  out["device"]["manufacturer"] = "Posthorn";
  out["device"]["model"] = facts.model;
  out["device"]["sw_version"] = version;
  out["origin"]["name"] = "posthorn-fleet";
  out["origin"]["sw_version"] = facts.version;
  out["state_topic"] = topics.at("state");
  out["availability"][0]["topic"] = topics.at("online");
  out["availability"][0]["value_template"] = "{{ 'online' if value_json.online else 'offline' }}";
  struct Part {
    const char* key;
    const char* platform;
    const char* name;
    const char* path;
    const char* unit;
  };
  constexpr std::array<Part, 5> kParts{{
      {"link", "sensor", "WhatsApp link", "value_json.link", ""},
      {"lane", "sensor", "Lane", "value_json.lane", ""},
      {"queue", "sensor", "Messages waiting", "value_json.outboxJobs", "messages"},
      {"sent", "sensor", "Sent today", "value_json.today.sent | default(0)", "messages"},
      {"temperature", "sensor", "Board temperature",
       "value_json.board.temperatureCelsius | default(none)", "°C"},
  }};
  for (const Part& part : kParts) {
    json::Value& one = out["components"][part.key];
    one["platform"] = part.platform;
    one["name"] = part.name;
    one["unique_id"] = id + "_" + part.key;
    one["value_template"] = std::string("{{ ") + part.path + " }}";
    if (*part.unit != '\0') one["unit_of_measurement"] = part.unit;
  }
  return {settings.discovery_prefix + "/device/" + id + "/config", json::write(out)};
}

}  // namespace posthorn::fleet
