#include "posthorn/api/state_history.h"

#include <algorithm>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

constexpr const char* kBlob = "state-history";

json::Value to_row(const StateHistory::Change& change) {
  json::Value row(::Json::objectValue);
  row["state"] = change.state;
  row["at"] = static_cast<::Json::Int64>(change.at.unix_seconds());
  row["phone"] = change.phone;
  return row;
}

}  // namespace

StateHistory::StateHistory(BlobStore& blobs) : blobs_(blobs) {
  const auto blob = blobs_.load(kBlob);
  if (!blob || !*blob) return;
  const auto rows = json::parse(as_text(**blob), 8 * kMost);
  if (!rows || !rows->isArray()) {
    log::warn("api", "the history of states is damaged and begins anew");
    return;
  }
  for (const json::Value& row : *rows) {
    const auto state = json::string_at(row, "state");
    const auto at = json::int_at(row, "at");
    if (!state || !at || changes_.size() >= kMost) continue;
    changes_.push_back({*state, Wall::from_unix(*at), json::string_at(row, "phone").value_or("")});
  }
}

void StateHistory::add(Change change) {
  if (!changes_.empty() && changes_.back().state == change.state &&
      changes_.back().phone == change.phone) {
    return;
  }
  changes_.push_back(std::move(change));
  if (changes_.size() > kMost) changes_.erase(changes_.begin());
  json::Value rows(::Json::arrayValue);
  for (const Change& each : changes_) rows.append(to_row(each));
  if (const auto saved = blobs_.save(kBlob, as_bytes(json::write(rows))); !saved) {
    log::warn("api", "the history of states is not kept", {{"error", saved.error()}});
  }
}

std::vector<StateHistory::Change> StateHistory::newest(std::size_t count) const {
  std::vector<Change> out(
      changes_.rbegin(),
      changes_.rbegin() + static_cast<std::ptrdiff_t>(std::min(count, changes_.size())));
  return out;
}

}  // namespace posthorn::api
