#include "posthorn/cloud/prices.h"

#include <algorithm>

#include "posthorn/base/log.h"
#include "posthorn/base/time.h"

namespace posthorn::cloud {
namespace {

constexpr const char* kBlob = "cloud/prices";
constexpr std::size_t kMonths = 13;
constexpr std::size_t kKinds = 32;  ///< of a month; what Meta makes up beyond is "other"
constexpr std::size_t kCountedPerBucket = 128;

std::string month_of(std::int64_t unix_seconds) {
  return to_iso8601(Wall::from_unix(unix_seconds)).substr(0, 7);
}

std::string category_of(const std::string& kind) { return kind.substr(0, kind.find('/')); }

}  // namespace

Prices::Prices(BlobStore& blobs, const CloudConfig& config)
    : blobs_(blobs), config_(config), counted_(blobs, "cloud/counted", kCountedPerBucket) {
  const auto blob = blobs_.load(kBlob);
  const auto kept =
      blob && *blob ? json::parse(as_text(**blob)) : Result<json::Value>(json::Value());
  if (!kept || !kept->isObject()) return;
  for (const auto& month : kept->getMemberNames()) {
    const json::Value& kinds = (*kept)[month];
    if (!kinds.isObject()) continue;
    for (const auto& kind : kinds.getMemberNames()) {
      if (kind.find('/') == std::string::npos) continue;  // damaged
      const auto count = json::int_of(kinds[kind]).value_or(0);
      months_[month][kind] = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
    }
  }
}

void Prices::add(const std::string& wamid, const json::Value& pricing, std::int64_t unix_seconds) {
  if (!pricing.isObject() || counted_.find(wamid)) return;
  const std::string category = json::string_at(pricing, "category").value_or("other");
  const std::string type = json::string_at(pricing, "type").value_or("regular");
  auto& month = months_[month_of(unix_seconds)];
  std::string kind = category + "/" + type;
  if (!month.contains(kind) && month.size() >= kKinds) kind = "other/regular";
  ++month[kind];
  while (months_.size() > kMonths) months_.erase(months_.begin());
  if (const auto kept = counted_.put(wamid, "1"); !kept) {
    log::warn("cloud", "the price counter is not kept", {{"error", kept.error()}});
  }
  save();
}

void Prices::save() {
  json::Value out(::Json::objectValue);
  for (const auto& [month, kinds] : months_) {
    for (const auto& [kind, count] : kinds) {
      out[month][kind] = static_cast<::Json::UInt64>(count);
    }
  }
  if (const auto kept = blobs_.save(kBlob, as_bytes(json::write(out))); !kept) {
    log::warn("cloud", "the price counter is not kept", {{"error", kept.error()}});
  }
}

std::uint32_t Prices::price_of(const std::string& category) const {
  if (category == "service") return config_.price_service;
  if (category == "utility") return config_.price_utility;
  if (category.starts_with("marketing")) return config_.price_marketing;
  if (category.starts_with("authentication")) return config_.price_authentication;
  return 0;
}

json::Value Prices::month_json(std::int64_t unix_seconds, bool hears) const {
  const std::string name = month_of(unix_seconds);
  json::Value out;
  out["month"] = name;
  out["messages"] = json::Value(::Json::arrayValue);
  out["currency"] = config_.currency;
  out["freeService"] = static_cast<::Json::UInt64>(kFreeService);
  std::uint64_t service = 0;
  std::uint64_t thousandths = 0;
  bool all_priced = true;
  const auto month = months_.find(name);
  static const std::map<std::string, std::uint64_t> kNone;
  for (const auto& [kind, count] : month == months_.end() ? kNone : month->second) {
    const std::string category = category_of(kind);
    const std::string type = kind.substr(category.size() + 1);
    const std::uint64_t price = type.starts_with("free") ? 0 : price_of(category);
    if (category == "service") service += count;
    all_priced = all_priced && (price > 0 || type.starts_with("free"));
    thousandths += price * count;
    json::Value one;
    one["category"] = category;
    one["type"] = type;
    one["count"] = static_cast<::Json::UInt64>(count);
    one["cost"] = static_cast<double>(price * count) / 1000.0;
    out["messages"].append(std::move(one));
  }
  out["service"] = hears ? json::Value(static_cast<::Json::UInt64>(service)) : json::Value();
  const bool summed = hears && all_priced;
  out["cost"] = summed ? json::Value(static_cast<double>(thousandths) / 1000.0) : json::Value();
  return out;
}

}  // namespace posthorn::cloud
