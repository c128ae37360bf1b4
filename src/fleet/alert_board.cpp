#include "fleet/alert_board.h"

#include <algorithm>

#include "posthorn/base/log.h"

namespace posthorn::fleet {

namespace {
constexpr const char* kBlob = "alerts";
}

void AlertBoard::load() {
  // A word for each, so that what the broker still has from an earlier life of ours goes.
  for (const char* name : kAlertNames) words_.keep(topics_.at(std::string("alert/") + name), "");
  const auto saved = blobs_.load(kBlob);
  const auto list = saved && *saved ? json::parse(as_text(**saved)) : json::parse("[]");
  if (!list || !list->isArray()) return;
  for (const json::Value& one : *list) {
    Shown shown;
    shown.alert.name = json::string_at(one, "name").value_or("");
    shown.alert.text = json::string_at(one, "text").value_or("");
    shown.alert.what_to_do = json::string_at(one, "whatToDo").value_or("");
    shown.since = json::int_at(one, "since").value_or(0);
    shown.stays = true;
    if (shown.alert.name.empty()) continue;
    const std::string name = shown.alert.name;
    shown_[name] = std::move(shown);
    show(name);
  }
}

void AlertBoard::show(const std::string& name) {
  const auto at = shown_.find(name);
  const std::string topic = topics_.at("alert/" + name);
  if (at == shown_.end()) return words_.say(topic, "");
  json::Value out(::Json::objectValue);
  out["name"] = name;
  out["since"] = static_cast<::Json::Int64>(at->second.since);
  out["text"] = at->second.alert.text;
  out["whatToDo"] = at->second.alert.what_to_do;
  words_.say(topic, json::write(out));
}

void AlertBoard::set_standing(const std::vector<Alert>& alerts, std::optional<Wall> now) {
  std::vector<std::string> gone;
  bool raised_ended = false;
  for (auto& entry : shown_) {
    const std::string& name = entry.first;
    auto& shown = entry.second;
    if (shown.stays) {
      if (now && shown.since == 0) shown.since = now->unix_seconds();
      if (now && shown.told == 0 && words_.heard()) shown.told = now->unix_seconds();
      const bool over =
          now && shown.told != 0 && now->unix_seconds() - shown.told > seconds(kStays).count();
      if (over) gone.push_back(name);
      raised_ended = raised_ended || over;
      continue;
    }
    const bool still = std::any_of(alerts.begin(), alerts.end(),
                                   [&](const Alert& one) { return one.name == name; });
    if (!still) gone.push_back(name);
  }
  for (const std::string& name : gone) {
    shown_.erase(name);
    show(name);
  }
  if (raised_ended) save();
  for (const Alert& alert : alerts) {
    const auto at = shown_.find(alert.name);
    const std::int64_t since = at != shown_.end() && at->second.since != 0
                                   ? at->second.since
                                   : (now ? now->unix_seconds() : 0);
    shown_[alert.name] = {alert, since, false, 0};
    show(alert.name);
  }
}

void AlertBoard::raise(const Alert& alert, std::optional<Wall> now) {
  log::warn("fleet", "an alert", {{"name", alert.name}, {"text", alert.text}});
  shown_[alert.name] = {alert, now ? now->unix_seconds() : 0, true, 0};
  save();
  show(alert.name);
}

void AlertBoard::clear_raised() {
  for (const std::string& name : names()) {
    if (!shown_[name].stays) continue;
    shown_.erase(name);
    show(name);
  }
  save();
}

std::vector<std::string> AlertBoard::names() const {
  std::vector<std::string> out;
  for (const auto& [name, shown] : shown_) out.push_back(name);
  return out;
}

void AlertBoard::save() {
  json::Value list(::Json::arrayValue);
  for (const auto& [name, shown] : shown_) {
    if (!shown.stays) continue;
    json::Value one(::Json::objectValue);
    one["name"] = name;
    one["text"] = shown.alert.text;
    one["whatToDo"] = shown.alert.what_to_do;
    one["since"] = static_cast<::Json::Int64>(shown.since);
    list.append(std::move(one));
  }
  if (auto saved = blobs_.save(kBlob, as_bytes(json::write(list))); !saved) {
    log::error("fleet", "alerts cannot be kept", {{"error", saved.error()}});
  }
}

}  // namespace posthorn::fleet
