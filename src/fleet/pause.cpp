#include "fleet/pause.h"

#include <algorithm>

#include "posthorn/base/log.h"
#include "posthorn/base/utf8.h"

namespace posthorn::fleet {

namespace {
constexpr const char* kBlob = "pause";
}

void Pause::load() {
  const auto saved = blobs_.load(kBlob);
  if (!saved || !*saved) return;
  const auto value = json::parse(as_text(**saved));
  if (!value) return;
  all_ = json::bool_at(*value, "all").value_or(false);
  own_ = json::bool_at(*value, "own").value_or(false);
  made_ = json::bool_at(*value, "made").value_or(false);
  by_ = json::string_at(*value, "by").value_or("");
  all_at_ = json::int_at(*value, "at").value_or(0);
}

void Pause::save() {
  json::Value out(::Json::objectValue);
  out["all"] = all_;
  out["own"] = own_;
  out["made"] = made_;
  out["by"] = by_;
  out["at"] = static_cast<::Json::Int64>(all_at_);
  if (const auto saved = blobs_.save(kBlob, as_bytes(json::write(out))); !saved) {
    log::error("fleet", "the fleet's pause cannot be kept", {{"error", saved.error()}});
  }
}

bool Pause::on_all(const Incoming& message) {
  bool wanted = false;
  if (!message.payload.empty()) {
    const auto value = json::parse(message.payload, 50);
    const auto said = value ? json::bool_at(*value, "pause") : std::nullopt;
    if (!said) return false;
    // A client that connects again may repeat an older word after a newer one.
    const std::int64_t at = json::int_at(*value, "at").value_or(0);
    if (at != 0 && at < all_at_) return true;
    all_at_ = std::max(all_at_, at);
    wanted = *said;
    by_ = cut_utf8(json::string_at(*value, "by").value_or(""), 100);
  }
  if (wanted != all_) log::warn("fleet", wanted ? "the fleet is paused" : "the fleet goes on");
  const bool changed = wanted != all_;
  all_ = wanted;
  if (changed) save();
  return true;
}

void Pause::set_own(bool paused, const std::string& by) {
  own_ = paused;
  by_ = by;
  save();
}

void Pause::forget() {
  all_ = own_ = false;
  save();
  if (made_ && !asking_) ask(false);  // the answer to a question before looks what is wanted now
}

void Pause::keep(const BoxState& box) {
  if (!box.reachable || asking_) return;
  // What was seen may be older than what we said: a resume is said whenever a pause was ours.
  if (wanted() ? !box.paused : made_) ask(wanted());
}

/// One call at a time, so that the daemon hears them in the order in which they were meant.
void Pause::ask(bool paused) {
  asking_ = true;
  if (paused && !made_) {
    made_ = true;
    save();
  }
  json::Value body(::Json::objectValue);
  body["who"] = by_.empty() ? "fleet" : "fleet: " + by_;
  BoxRequest request{.verb = "POST", .name = paused ? "pauseSending" : "resumeSending"};
  request.body = json::write(body);
  box_.call(std::move(request), [self = alive_.weak(), paused](Result<BoxAnswer> answer) {
    auto* me = self.get();
    if (me == nullptr) return;
    me->asking_ = false;
    if (!answer || answer->status != 200) return;  // the next look tries again
    if (paused != me->wanted()) return me->ask(me->wanted());
    if (paused || !me->made_) return;
    me->made_ = false;
    me->save();
  });
}

}  // namespace posthorn::fleet
