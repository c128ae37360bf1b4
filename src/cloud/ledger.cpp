#include "posthorn/cloud/ledger.h"

#include <algorithm>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::cloud {
namespace {

std::size_t bucket_of(std::string_view key) {
  return std::to_integer<std::size_t>(crypto::sha256(as_bytes(key))[0]) % Ledger::kBuckets;
}

auto at_key(std::string_view key) {
  return [key](const Ledger::Fact& fact) { return fact.key == key; };
}

}  // namespace

std::string Ledger::blob_of(std::size_t bucket) const {
  return name_ + "/" + (bucket < 10 ? "0" : "") + std::to_string(bucket);
}

std::vector<Ledger::Fact> Ledger::load(std::size_t bucket) const {
  std::vector<Fact> facts;
  const auto blob = blobs_.load(blob_of(bucket));
  if (!blob) {
    log::warn("cloud", "a ledger cannot be read",
              {{"ledger", blob_of(bucket)}, {"error", blob.error()}});
    return facts;
  }
  if (!*blob) return facts;
  const auto list = json::parse(as_text(**blob));
  if (!list || !list->isArray()) return facts;
  for (const json::Value& one : *list) {
    const auto key = json::string_at(one, "k");
    const auto value = json::string_at(one, "v");
    if (key && value) facts.push_back({*key, *value});
  }
  return facts;
}

Result<void> Ledger::save(std::size_t bucket, const std::vector<Fact>& facts) {
  json::Value list(::Json::arrayValue);
  for (const Fact& fact : facts) {
    json::Value one;
    one["k"] = fact.key;
    one["v"] = fact.value;
    list.append(std::move(one));
  }
  return blobs_.save(blob_of(bucket), as_bytes(json::write(list)));
}

std::optional<std::string> Ledger::find(std::string_view key) const {
  const auto facts = load(bucket_of(key));
  const auto found = std::find_if(facts.begin(), facts.end(), at_key(key));
  return found == facts.end() ? std::nullopt : std::optional(found->value);
}

Result<void> Ledger::put(std::string_view key, std::string_view value) {
  const std::size_t bucket = bucket_of(key);
  auto facts = load(bucket);
  const auto found = std::find_if(facts.begin(), facts.end(), at_key(key));
  if (found != facts.end() && found->value == value) return {};
  std::erase_if(facts, at_key(key));  // a damaged bucket may have it twice
  facts.push_back({std::string(key), std::string(value)});
  if (facts.size() > per_bucket_) facts.erase(facts.begin());
  return save(bucket, facts);
}

Result<void> Ledger::erase(std::string_view key) {
  const std::size_t bucket = bucket_of(key);
  auto facts = load(bucket);
  if (std::erase_if(facts, at_key(key)) == 0) return {};
  return save(bucket, facts);
}

std::vector<Ledger::Fact> Ledger::all() const {
  std::vector<Fact> out;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    for (Fact& fact : load(bucket)) out.push_back(std::move(fact));
  }
  return out;
}

}  // namespace posthorn::cloud
