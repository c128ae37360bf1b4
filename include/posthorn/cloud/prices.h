#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/config.h"
#include "posthorn/base/json.h"
#include "posthorn/cloud/ledger.h"

namespace posthorn::cloud {

/// What Meta's `pricing` objects say, counted to the message, by month. Nothing is guessed: a
/// message without such an object counts nowhere.
class Prices {
 public:
  static constexpr std::uint64_t kFreeService = 1000;  ///< a number and month, since October 2026

  Prices(BlobStore& blobs, const CloudConfig& config);

  /// One status webhook's object. Of one message only the first counts. at: the status's time.
  void add(const std::string& wamid, const json::Value& pricing, std::int64_t unix_seconds);
  /// The newest month: {"month", "messages": [{"category", "type", "count", "cost"}], "service",
  /// "freeService": 1000, "cost", "currency"}; costs by the prices of the settings, null without.
  /// hears: webhooks come; else nobody knows, and "service" and "cost" are null.
  [[nodiscard]] json::Value month_json(std::int64_t unix_seconds, bool hears) const;

 private:
  void save();
  [[nodiscard]] std::uint32_t price_of(const std::string& category) const;

  BlobStore& blobs_;
  CloudConfig config_;
  Ledger counted_;  ///< by wamid
  /// "2026-11": "utility/regular": count.
  std::map<std::string, std::map<std::string, std::uint64_t>> months_;
};

}  // namespace posthorn::cloud
