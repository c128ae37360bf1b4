#include "daemon/throttle_config.h"

#include <utility>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

using Kept = std::map<std::string, std::int64_t>;

constexpr std::string_view kDelay = "delay_ms";
constexpr std::string_view kDelayHint =
    "delay_ms is Green-API's delaySendMessagesMilliseconds: change it with setSettings";

Result<throttle::Settings> with_changes(throttle::Settings settings, const Kept& changes) {
  for (const auto& [name, value] : changes) {
    TRY(throttle::change_setting(settings, name, value));
  }
  TRY(throttle::check_settings(settings));
  return settings;
}

}  // namespace

Result<throttle::Settings> throttle_settings(const ThrottleConfig& config) {
  TRY(throttle::Settings settings, throttle::settings_from(config));
  for (const ThrottleConfig::Setting& setting : config.settings) {
    if (auto changed = throttle::change_setting(settings, setting.name, setting.value); !changed) {
      return fail(Errc::malformed, setting.where + ": " + changed.error().detail);
    }
  }
  settings.unpaced_for_benchmarks = config.unpaced_for_benchmarks;
  TRY(throttle::check_settings(settings));
  return settings;
}

Result<throttle::Settings> SettingChanges::load(const throttle::Settings& configured) {
  configured_ = configured;
  kept_.clear();
  TRY(const auto blob, blobs_.load(kBlobName));
  if (!blob) return configured_;
  const auto saved = json::parse(as_text(*blob));
  if (!saved || !saved->isObject()) {
    log::error("throttle", "the kept settings are damaged; posthorn.toml counts");
    return configured_;
  }
  for (const std::string& name : saved->getMemberNames()) {
    const auto value = json::int_at(*saved, name.c_str());
    throttle::Settings trial = configured_;
    const auto taken =
        value ? throttle::change_setting(trial, name, *value) : fail(Errc::malformed, "no number");
    if (!taken) {
      log::error("throttle", "a kept setting is left out",
                 {{"name", name}, {"error", taken.error()}});
      continue;
    }
    kept_[name] = *value;
  }
  auto settings = with_changes(configured_, kept_);
  if (settings) return settings;
  log::error("throttle", "the kept settings do not fit posthorn.toml, which counts",
             {{"error", settings.error()}});
  kept_.clear();
  return configured_;
}

Result<throttle::Settings> SettingChanges::preview(const Changes& changes,
                                                   const throttle::Settings& now) const {
  Kept kept = kept_;
  for (const auto& [name, value] : changes) {
    if (name == kDelay) return fail(Errc::refused, std::string(kDelayHint));
    if (value) {
      kept[name] = *value;
    } else {
      kept.erase(name);
    }
  }
  TRY(throttle::Settings settings, with_changes(configured_, kept));
  settings.delay_ms = now.delay_ms;
  return settings;
}

void SettingChanges::keep(const Changes& changes, Once<void(Result<void>)> done) {
  for (const auto& [name, value] : changes) {
    if (value) {
      kept_[name] = *value;
    } else {
      kept_.erase(name);
    }
  }
  json::Value out(::Json::objectValue);
  for (const auto& [name, value] : kept_) out[name] = static_cast<::Json::Int64>(value);
  if (auto saved = blobs_.save(kBlobName, as_bytes(json::write(out))); !saved) {
    done(tl::unexpected(saved.error()));
    return;
  }
  blobs_.durable(std::move(done));
}

}  // namespace posthorn::daemon
