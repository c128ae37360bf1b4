#include "daemon/hour_counts.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kValuesAtMost = 400;

std::uint32_t count_at(const json::Value& value, const char* key) {
  const std::int64_t count = json::int_at(value, key).value_or(0);
  return count < 0 || count > UINT32_MAX ? 0 : static_cast<std::uint32_t>(count);
}

}  // namespace

void HourCounts::load() {
  const auto saved = blobs_.load(kBlob);
  if (!saved || !*saved) return;
  const auto value = json::parse(as_text(**saved), kValuesAtMost);
  if (!value) return;
  for (const json::Value& one : json::at(*value, "hours")) {
    const std::int64_t number = json::int_at(one, "from").value_or(0) / 3600;
    if (number <= 0) continue;
    hours_[place_of(number)] = {number, count_at(one, "sent"), count_at(one, "delivered"),
                                count_at(one, "failed")};
  }
}

void HourCounts::on_status(api::MessageStatus status) {
  const std::int64_t number = present();
  if (number < 0) return;
  Hour& hour = hours_[place_of(number)];
  if (hour.number != number) hour = {number};
  switch (status) {
    case api::MessageStatus::sent:
      ++hour.sent;
      break;
    case api::MessageStatus::delivered:
      ++hour.delivered;
      break;
    case api::MessageStatus::read:
      return;
    case api::MessageStatus::failed:
    case api::MessageStatus::no_account:
    case api::MessageStatus::not_in_group:
    case api::MessageStatus::yellow_card:
      ++hour.failed;
      break;
  }
  changed_ = true;
  if (!timer_.active()) timer_.start(kSaveEvery, [this] { save(); });
}

void HourCounts::save() {
  timer_.stop();
  if (!std::exchange(changed_, false)) return;
  if (const auto saved = blobs_.save(kBlob, as_bytes(json::write(to_json()))); !saved) {
    log::warn("posthornd", "the counts of the hours are not kept", {{"error", saved.error()}});
  }
}

json::Value HourCounts::to_json() const {
  const std::int64_t last = present();
  json::Value out(::Json::objectValue);
  out["now"] = static_cast<::Json::Int64>(clock_.now().unix_seconds());
  out["hours"] = json::Value(::Json::arrayValue);
  for (std::int64_t number = last - static_cast<std::int64_t>(kHours) + 1; number <= last;
       ++number) {
    const Hour& kept = hours_[place_of(std::max<std::int64_t>(number, 0))];
    const Hour hour = kept.number == number ? kept : Hour{number};
    json::Value one(::Json::objectValue);
    one["from"] = static_cast<::Json::Int64>(number * 3600);
    one["sent"] = hour.sent;
    one["delivered"] = hour.delivered;
    one["failed"] = hour.failed;
    out["hours"].append(std::move(one));
  }
  return out;
}

}  // namespace posthorn::daemon
