#include "posthorn/cloud/standing.h"

#include <algorithm>

#include "cloud/fields.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::cloud {
namespace {

constexpr const char* kBlob = "cloud/standing";
constexpr std::size_t kHeldPerBucket = 32;

std::int64_t number_of(const std::string& text) {
  return whole_number(json::Value(text)).value_or(0);
}

}  // namespace

Standing::Standing(BlobStore& blobs, const Clock& clock)
    : blobs_(blobs), clock_(clock), held_(blobs, "cloud/held", kHeldPerBucket) {
  const auto blob = blobs_.load(kBlob);
  const auto kept =
      blob && *blob ? json::parse(as_text(**blob)) : Result<json::Value>(json::Value());
  if (!kept) return;
  paused_until_ = json::int_at(*kept, "pausedUntil").value_or(0);
  no_direct_send_until_ = json::int_at(*kept, "noDirectSendUntil").value_or(0);
}

bool Standing::later(std::int64_t unix_seconds) const {
  return unix_seconds > clock_.now().unix_seconds();
}

std::int64_t Standing::in(hours time) const { return (clock_.now() + time).unix_seconds(); }

void Standing::pause(hours time) {
  paused_until_ = in(time);
  save();
}

void Standing::forgo_direct_send(hours time) {
  no_direct_send_until_ = in(time);
  save();
}

void Standing::hold(const std::string& chat, hours time) { hold_until(chat, in(time)); }

void Standing::hold_until(const std::string& chat, std::int64_t unix_seconds) {
  if (const auto kept = held_.put(chat, std::to_string(unix_seconds)); !kept) {
    log::warn("cloud", "who is held back is not kept", {{"error", kept.error()}});
  }
}

void Standing::on_joined(const std::string& from, const std::string& into) {
  const auto until = held_until(from);
  if (!until) return;
  hold_until(into, std::max(*until, held_until(into).value_or(*until)).unix_seconds());
  (void)held_.erase(from);
}

void Standing::resume() {
  stopped_.clear();
  paused_until_ = 0;
  save();
}

void Standing::save() {
  json::Value out;
  out["pausedUntil"] = static_cast<::Json::Int64>(paused_until_);
  out["noDirectSendUntil"] = static_cast<::Json::Int64>(no_direct_send_until_);
  if (const auto kept = blobs_.save(kBlob, as_bytes(json::write(out))); !kept) {
    log::warn("cloud", "the official number's pause is not kept", {{"error", kept.error()}});
  }
}

std::optional<Wall> Standing::paused_until() const {
  return later(paused_until_) ? std::optional(Wall::from_unix(paused_until_)) : std::nullopt;
}

std::optional<Wall> Standing::held_until(const std::string& chat) const {
  const auto fact = held_.find(chat);
  const std::int64_t until = fact ? number_of(*fact) : 0;
  return later(until) ? std::optional(Wall::from_unix(until)) : std::nullopt;
}

std::size_t Standing::held_people() const {
  const auto facts = held_.all();
  return static_cast<std::size_t>(std::count_if(
      facts.begin(), facts.end(), [this](const auto& one) { return later(number_of(one.value)); }));
}

}  // namespace posthorn::cloud
