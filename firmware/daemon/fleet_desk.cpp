#include "daemon/fleet_desk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/route.h"
#include "posthorn/base/log.h"
#include "posthorn/base/utf8.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kTextAtMost = 300;
constexpr std::size_t kUrlAtMost = 500;
constexpr std::size_t kCodeAtMost = 200;
constexpr std::array<const char*, 6> kTexts{"org", "host", "box", "broker", "detail", "message"};
constexpr std::array<const char*, 2> kTimes{"since", "certificateUntil"};

std::string text_at(const json::Value& value, const char* key) {
  return cut_utf8(json::string_at(value, key).value_or(""), kTextAtMost);
}

json::Value time_at(const json::Value& value, const char* key) {
  const auto time = json::int_at(value, key);
  return time ? json::Value(static_cast<::Json::Int64>(*time)) : json::Value();
}

/// Without spaces, quotes and what ends a line.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7F && c != '"'; });
}

void accept(api::Call& call) {
  json::Value out(::Json::objectValue);
  out["accepted"] = true;
  call.send(out);
}

}  // namespace

std::vector<api::Route> FleetDesk::routes() {
  return {
      post("reportFleet", [this](api::Call call) { report(std::move(call)); }),
      care(get("getFleet", [this](api::Call call) { show(std::move(call)); })),
      care(post("enrolFleet", [this](api::Call call) { enrol(std::move(call)); })),
      care(post("leaveFleet", [this](api::Call call) { leave(std::move(call)); })),
  };
}

bool FleetDesk::enrolled() const { return json::bool_at(last_, "enrolled").value_or(false); }

std::string FleetDesk::sentence() const {
  if (!heard_) return "posthorn-fleet is not installed or does not run here.";
  if (!running()) return "posthorn-fleet has said nothing for a while; is it running?";
  if (wish_) return "posthorn-fleet is about to be told.";
  const std::string message = text_at(last_, "message");
  if (!enrolled()) {
    return message.empty() ? "This box belongs to no fleet yet."
                           : "Enrolling did not work: " + message;
  }
  const std::string broker = text_at(last_, "broker");
  if (broker == "connected") return "Connected to the broker " + text_at(last_, "host") + ".";
  const std::string detail = text_at(last_, "detail");
  return "No connection to the broker " + text_at(last_, "host") +
         (detail.empty() ? "." : ": " + detail + ".");
}

void FleetDesk::report(api::Call call) {
  json::Value taken(::Json::objectValue);
  taken["enrolled"] = json::bool_at(call.body, "enrolled").value_or(false);
  for (const char* key : kTexts) taken[key] = text_at(call.body, key);
  for (const char* key : kTimes) taken[key] = time_at(call.body, key);
  taken["lastCommand"] = json::Value();
  if (const json::Value& command = json::at(call.body, "lastCommand"); command.isObject()) {
    taken["lastCommand"]["do"] = text_at(command, "do");
    taken["lastCommand"]["status"] = text_at(command, "status");
    taken["lastCommand"]["time"] = time_at(command, "time");
  }
  const bool was_running = running();
  last_ = std::move(taken);
  heard_ = scheduler_.now();
  heard_at_ = call.now;
  json::Value out(::Json::objectValue);
  out["do"] = "none";
  if (const auto wish = std::exchange(wish_, std::nullopt)) {
    // One that was meant for the other state is none any more, nor is one of long ago.
    if (was_running && (wish->what == "enrol") != enrolled()) {
      out["do"] = wish->what;
      if (wish->what == "enrol") {
        out["url"] = wish->url;
        out["code"] = wish->code;
        out["pin"] = wish->pin;
      }
    }
  }
  call.send(out);
}

void FleetDesk::show(api::Call call) const {
  json::Value out = last_;
  if (!heard_) {
    out["enrolled"] = false;
    for (const char* key : kTexts) out[key] = "";
    for (const char* key : kTimes) out[key] = json::Value();
    out["lastCommand"] = json::Value();
  }
  out["running"] = running();
  out["reportedAt"] =
      heard_ ? json::Value(static_cast<::Json::Int64>(heard_at_.unix_seconds())) : json::Value();
  out["wish"] = wish_ && running() ? wish_->what : "none";
  out["sentence"] = sentence();
  call.send(out);
}

void FleetDesk::enrol(api::Call call) {
  Wish wish{"enrol", json::string_at(call.body, "url").value_or(""),
            json::string_at(call.body, "code").value_or(""),
            json::string_at(call.body, "pin").value_or("")};
  const bool local = wish.url.starts_with("http://127.0.0.1:");
  if ((!wish.url.starts_with("https://") && !local) || wish.url.size() > kUrlAtMost ||
      !is_plain(wish.url)) {
    return call.refuse(400, "url: must be the head office's address, beginning with https://");
  }
  if (wish.code.empty() || wish.code.size() > kCodeAtMost || !is_plain(wish.code)) {
    return call.refuse(400, "code: must be what the head office gave for this box");
  }
  if (!wish.pin.empty() && (!wish.pin.starts_with("sha256//") || wish.pin.size() > 100)) {
    return call.refuse(400, "pin: must be like sha256//…=");
  }
  if (!running()) return call.refuse(409, "posthorn-fleet is not installed or does not run");
  if (enrolled()) return call.refuse(409, "the box is enrolled already; leave that fleet first");
  log::warn("fleet", "enrolling was asked for", {{"from", call.request.peer}});
  wish_ = std::move(wish);
  accept(call);
}

void FleetDesk::leave(api::Call call) {
  if (json::string_at(call.body, "confirm") != "leave") {
    return call.refuse(400, "to make sure: \"confirm\" must be \"leave\"");
  }
  if (!running()) return call.refuse(409, "posthorn-fleet is not installed or does not run");
  if (!enrolled()) return call.refuse(409, "the box belongs to no fleet");
  log::warn("fleet", "leaving the fleet was asked for", {{"from", call.request.peer}});
  wish_ = Wish{"leave"};
  accept(call);
}

}  // namespace posthorn::daemon
