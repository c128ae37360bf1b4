#include "daemon/throttle_api.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <set>
#include <utility>

#include "daemon/route.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/api/job_life.h"
#include "posthorn/api/send_fields.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kAuditDefault = 100;

::Json::Int64 seconds_of(Wall wall) { return static_cast<::Json::Int64>(wall.unix_seconds()); }

json::Value optional_seconds(const std::optional<Wall>& wall) {
  return wall ? json::Value(seconds_of(*wall)) : json::Value();
}

std::string text(const api::Call& call, const char* key) {
  return json::string_at(call.body, key).value_or("");
}

/// 200 {"result": true}, or 400 with the throttle's own words.
void finish(api::Call& call, const Result<void>& result) {
  if (!result) {
    call.refuse(400, result.error().detail);
    return;
  }
  json::Value out;
  out["result"] = true;
  call.send(std::move(out));
}

void show_audit(const throttle::Valve& valve, api::Call call) {
  std::size_t count = kAuditDefault;
  const std::string_view asked = call.request.query_value("count");
  std::from_chars(asked.data(), asked.data() + asked.size(), count);
  const auto records = throttle_audit_json(valve, std::clamp<std::size_t>(count, 1, kAuditMost));
  if (!records) {
    call.refuse(500, records.error().detail);
    return;
  }
  call.send(*records);
}

void add_override(throttle::Valve& valve, api::Call call) {
  throttle::Override wanted;
  wanted.limit = text(call, "limit");
  wanted.campaign_text = text(call, "campaignText");
  wanted.who = text(call, "who");
  wanted.reason = text(call, "reason");
  // Whatever is out of range is refused; 64 bits of hours do not fit into those of milliseconds.
  wanted.lasts =
      hours(std::clamp<std::int64_t>(json::int_at(call.body, "hours").value_or(24), 0, 25));
  finish(call, valve.add_override(wanted));
}

/// The named settings of the body; null takes a change back.
Result<SettingChanges::Changes> parse_changes(const json::Value& body) {
  SettingChanges::Changes changes;
  for (const std::string& name : body.getMemberNames()) {
    if (name == "who") continue;
    const auto value = json::int_at(body, name.c_str());
    const bool back = json::at(body, name.c_str()).isNull();
    if (!value && !back) return fail(Errc::malformed, name + ": must be a whole number or null");
    changes[name] = value;
  }
  return changes;
}

void set_settings(throttle::Valve& valve, SettingChanges& changes, api::Call call) {
  const auto wanted = parse_changes(call.body);
  if (!wanted) return call.refuse(400, wanted.error().detail);
  const auto settings = changes.preview(*wanted, valve.settings());
  if (!settings) return call.refuse(400, settings.error().detail);
  if (auto set = valve.set_settings(*settings, text(call, "who")); !set) {
    return call.refuse(400, set.error().detail);
  }
  // Answered when it is on disk, so that a restart finds what the operator was told.
  changes.keep(*wanted, [call = std::move(call)](Result<void> kept) mutable {
    if (!kept) return call.refuse(500, kept.error().detail);
    finish(call, {});
  });
}

void show_settings(const throttle::Valve& valve, api::Call call) {
  json::Value out(::Json::objectValue);
  for (const throttle::SettingInfo& info : throttle::setting_table()) {
    json::Value one;
    one["value"] = static_cast<::Json::Int64>(valve.settings().*info.member);
    one["lowest"] = static_cast<::Json::Int64>(info.low);
    one["highest"] = static_cast<::Json::Int64>(info.high);
    out[std::string(info.name)] = std::move(one);
  }
  call.send(out);
}

/// "… until 2026-03-02T09:15:04Z."
std::string until(std::string words, const std::optional<Wall>& at) {
  return words + (at ? " until " + to_iso8601(*at) + "." : ".");
}

const char* who_words(const std::string& chat, const throttle::Outlook& outlook) {
  using throttle::Lane;
  if (api::is_group_chat(chat)) {
    return outlook.asked_first
               ? "Whether the account is in this group the box asks WhatsApp with the first message"
               : "This is a group";
  }
  if (outlook.lane == Lane::reply) return "This person has written within a day";
  if (outlook.lane == Lane::known) return "This person has written to this number before";
  return outlook.new_customer ? "This person has never written to this number: a new customer"
                              : "This person has been written to and never answered";
}

/// What canSend says of one chat, in words.
std::string outlook_sentence(const std::string& chat, const throttle::Outlook& outlook) {
  std::string words = std::string(who_words(chat, outlook)) + ". ";
  if (outlook.refusal) {
    words +=
        "A message would not be taken (" + std::string(throttle::to_string(*outlook.refusal)) + ")";
    return words + (outlook.earliest ? "; earliest " + to_iso8601(*outlook.earliest) + "." : ".");
  }
  if (outlook.why == throttle::Hold::none) return words + "A message would go at once.";
  words += "A message would wait (" + std::string(throttle::to_string(outlook.why)) + ")";
  return until(std::move(words), outlook.earliest);
}

json::Value show_official(const OfficialOutlook& outlook) {
  json::Value out;
  const bool can = !outlook.opted_out && outlook.refusal.empty();
  out["canSend"] = can;
  out["lane"] = "official";
  out["newCustomer"] = false;
  out["earliest"] = can && !outlook.stopped ? optional_seconds(outlook.earliest) : json::Value();
  const char* reason = outlook.opted_out          ? "opted_out"
                       : !outlook.refusal.empty() ? "official"
                       : outlook.stopped          ? "official"
                       : outlook.earliest         ? "quiet_hours"
                                                  : "";
  out["reason"] = reason;
  std::string words = "The official number would send it. ";
  if (outlook.opted_out) {
    words += "A message would not be sent: this person has opted out.";
  } else if (!outlook.refusal.empty()) {
    words += "A message would fail: " + outlook.refusal + ".";
  } else if (outlook.stopped) {
    words += "A message would wait: that number is stopped; getOfficialStatus says why.";
  } else if (outlook.earliest) {
    words = until(words + "A message would wait for the morning", outlook.earliest);
  } else {
    words += "A message would go at once.";
  }
  out["sentence"] = words;
  return out;
}

json::Value show_outlook(const std::string& chat, const throttle::Outlook& outlook) {
  json::Value out;
  out["canSend"] = !outlook.refusal;
  out["lane"] = std::string(throttle::to_string(outlook.lane));
  out["newCustomer"] = outlook.new_customer;
  out["reason"] = std::string(outlook.refusal ? throttle::to_string(*outlook.refusal)
                                              : throttle::to_string(outlook.why));
  out["earliest"] = optional_seconds(outlook.earliest);
  out["sentence"] = outlook_sentence(chat, outlook);
  return out;
}

/// The body as a send would read it, as a job with a plain text.
Result<Job> parse_question(const api::Call& call, Wall now, hours job_life) {
  TRY(api::SendFields fields, api::parse_send_fields(call.body));
  TRY(const auto life, api::parse_job_life(call.body));
  Job job;
  job.chat = std::move(fields.chat);
  job.consent = std::move(fields.consent);
  job.transport = std::move(fields.transport);
  job.urgent = fields.urgent;
  job.content.what = content::Text{"text", true, std::nullopt};
  job.accepted_at = now;
  job.expires_at = now + life.value_or(job_life);
  return job;
}

void can_send(throttle::Valve& valve, hours job_life, const AskOfficial& ask, api::Call call) {
  const auto job = parse_question(call, call.now, job_life);
  if (!job) return call.refuse(job.error());
  const OfficialOutlook official = ask ? ask(*job) : OfficialOutlook{};
  const auto way = api::check_way(job->chat, job->transport,
                                  official.set_up ? api::Official::set_up : api::Official::absent);
  if (!way) return call.refuse(way.error());
  if (official.takes_it) return call.send(show_official(official));
  call.send(show_outlook(job->chat, valve.can_send(job->chat, !job->consent.empty(), job->urgent,
                                                   job->expires_at - job->accepted_at)));
}

void declare_in_use(throttle::Valve& valve, api::Call call) {
  const auto months = json::int_at(call.body, "months");
  if (!months || *months < 1 || *months > 600)
    return call.refuse(400, "months: must be a whole number from 1 to 600");
  const std::string who = text(call, "who");
  if (who.empty()) return call.refuse(400, "who: needed, for the audit log");
  finish(call, valve.declare_in_use(static_cast<std::uint32_t>(*months), who));
}

void import_regulars(throttle::Valve& valve, api::Call call) {
  const auto report = valve.import_regulars(text(call, "csv"), text(call, "who"));
  if (!report) return call.refuse(400, report.error().detail);
  json::Value out;
  out["added"] = report->added;
  out["known"] = report->known;
  out["refused"] = report->refused;
  out["examples"] = json::Value(::Json::arrayValue);
  for (const throttle::ImportReport::Refused& refused : report->examples) {
    json::Value one;
    one["line"] = static_cast<::Json::UInt64>(refused.line);
    one["why"] = refused.why;
    out["examples"].append(std::move(one));
  }
  call.send(std::move(out));
}

/// Until resumeSending, the end of its minutes or a restart of the daemon: whoever needs it longer
/// says it again.
void pause_sending(throttle::Valve& valve, TimedPause& pause, bool paused, api::Call call) {
  const std::string who = text(call, "who");
  if (who.empty() || who.size() > 200) return call.refuse(400, "who: needed, for the log");
  const json::Value& lasts = json::at(call.body, "minutes");
  const auto count = json::int_of(lasts);
  const bool good =
      lasts.isNull() || (count && *count >= 1 && *count <= TimedPause::kAtMost.count());
  if (paused && !good) {
    return call.refuse(400, "minutes: must be a whole number from 1 to 10080");
  }
  pause.forget();
  paused ? valve.pause() : valve.resume();
  if (paused && count) {
    pause.end_after(minutes(*count), [&valve] {
      valve.resume();
      log::warn("throttle", "sending goes on", {{"who", "the pause's end"}});
    });
  }
  log::warn("throttle", paused ? "sending is paused" : "sending goes on", {{"who", who}});
  finish(call, {});
}

void list_opt_outs(const throttle::Valve& valve, api::Call call) {
  json::Value out(::Json::arrayValue);
  for (const throttle::OptOut& entry : valve.opt_outs()) {
    json::Value one;
    one["chatId"] = entry.chat;
    one["since"] = seconds_of(entry.since);
    one["byOperator"] = entry.by_operator;
    out.append(std::move(one));
  }
  call.send(std::move(out));
}

}  // namespace

Result<json::Value> throttle_audit_json(const throttle::Valve& valve, std::size_t count) {
  TRY(const auto records, valve.audit(count));
  json::Value out(::Json::arrayValue);
  for (const throttle::AuditRecord& record : records) {
    json::Value one;
    one["number"] = static_cast<::Json::UInt64>(record.number);
    one["time"] = seconds_of(record.time);
    one["who"] = record.who;
    one["what"] = record.what;
    one["before"] = record.before;
    one["after"] = record.after;
    one["reason"] = record.reason;
    one["previousHash"] = record.previous_hash;
    one["hash"] = record.hash;
    out.append(std::move(one));
  }
  return out;
}

json::Value throttle_status_json(const throttle::Valve& valve) {
  const throttle::ThrottleStatus status = valve.status();
  json::Value out;
  out["sentence"] = valve.sentence();
  out["now"] = seconds_of(status.now);
  out["level"] = std::string(throttle::to_string(status.level));
  out["since"] = seconds_of(status.since);
  out["until"] = optional_seconds(status.until);
  out["signal"] = status.signal;
  out["needsAcknowledgement"] = status.needs_acknowledgement;
  out["connected"] = status.connected;
  out["paused"] = status.paused;
  out["paceFactor"] = status.pace_factor;
  out["stage"] = status.stage;
  out["trustDays"] = status.trust_days;
  out["windows"] = json::Value(::Json::objectValue);
  for (const throttle::WindowUse& window : status.windows) {
    json::Value one;
    one["used"] = window.used;
    one["allowed"] = window.allowed;
    out["windows"][std::string(window.name)] = std::move(one);
  }
  out["replyShare"] = status.reply_share ? json::Value(*status.reply_share) : json::Value();
  out["welcomeShare"] = status.welcome_share ? json::Value(*status.welcome_share) : json::Value();
  out["badNumbers"] = status.bad_numbers ? json::Value(*status.bad_numbers) : json::Value();
  out["nextOpening"] = optional_seconds(status.next_opening);
  out["openingsClosedUntil"] = optional_seconds(status.openings_closed_until);
  out["waiting"] = status.waiting;
  out["waitingOpenings"] = status.waiting_openings;
  out["waitingForMorning"] = status.waiting_for_morning;
  out["chats"] = status.chats;
  out["regulars"] = status.regulars;
  out["optedOut"] = status.opted_out;
  out["overrides"] = json::Value(::Json::arrayValue);
  for (const throttle::ActiveOverride& active : status.overrides) {
    json::Value one;
    one["limit"] = active.limit;
    one["until"] = seconds_of(active.until);
    one["reason"] = active.reason;
    one["who"] = active.who;
    out["overrides"].append(std::move(one));
  }
  return out;
}

std::vector<api::Route> throttle_routes(throttle::Valve& valve, SettingChanges& changes,
                                        TimedPause& pause, hours job_life, AskOfficial official) {
  return {
      get("getThrottleStatus",
          [&valve, &pause](api::Call call) {
            json::Value status = throttle_status_json(valve);
            status["pausedUntil"] = optional_seconds(pause.until());
            call.send(status);
          }),
      get("getThrottleAudit", [&valve](api::Call call) { show_audit(valve, std::move(call)); }),
      care(post("acknowledgeThrottle",
                [&valve](api::Call call) {
                  finish(call, valve.acknowledge(text(call, "who"), text(call, "reason")));
                })),
      care(post("addThrottleOverride",
                [&valve](api::Call call) { add_override(valve, std::move(call)); })),
      care(post("endThrottleOverride",
                [&valve](api::Call call) {
                  finish(call, valve.end_override(text(call, "limit"), text(call, "who")));
                })),
      post(
          "pauseSending",
          [&valve, &pause](api::Call call) { pause_sending(valve, pause, true, std::move(call)); }),
      post("resumeSending",
           [&valve, &pause](api::Call call) {
             pause_sending(valve, pause, false, std::move(call));
           }),
      get("getThrottleSettings",
          [&valve](api::Call call) { show_settings(valve, std::move(call)); }),
      care(post(
          "setThrottleSettings",
          [&valve, &changes](api::Call call) { set_settings(valve, changes, std::move(call)); })),
      post("canSend",
           [&valve, job_life, official = std::move(official)](api::Call call) {
             can_send(valve, job_life, official, std::move(call));
           }),
      care(post("declareNumberInUse",
                [&valve](api::Call call) { declare_in_use(valve, std::move(call)); })),
      care(post("importRegulars",
                [&valve](api::Call call) { import_regulars(valve, std::move(call)); })),
      get("getOptOuts", [&valve](api::Call call) { list_opt_outs(valve, std::move(call)); }),
      post("addOptOut",
           [&valve](api::Call call) {
             const auto chat = api::parse_chat_field(call.body);
             if (!chat) return call.refuse(chat.error());
             finish(call, valve.add_opt_out(*chat, text(call, "who"), text(call, "reason")));
           }),
      care(post("removeOptOut",
                [&valve](api::Call call) {
                  const auto chat = api::parse_chat_field(call.body);
                  if (!chat) return call.refuse(chat.error());
                  finish(call,
                         valve.remove_opt_out(*chat, text(call, "who"), text(call, "reason")));
                })),
  };
}

std::string metrics_text(const std::vector<throttle::Metric>& metrics) {
  std::string out;
  std::set<std::string> named;
  for (const throttle::Metric& metric : metrics) {
    const std::string name = "posthorn_" + metric.name;
    if (named.insert(name).second) {
      out += "# TYPE " + name + (metric.counter ? " counter\n" : " gauge\n");
    }
    char value[40];
    std::snprintf(value, sizeof value, "%.15g", metric.value);
    out += name + (metric.labels.empty() ? "" : "{" + metric.labels + "}") + " " + value + "\n";
  }
  return out;
}

}  // namespace posthorn::daemon
