#include "fleet/command_journal.h"

#include <algorithm>

#include "posthorn/base/crypto.h"
#include "posthorn/base/log.h"

namespace posthorn::fleet {

namespace {

std::string name_of(std::size_t bucket) { return "commands/" + std::to_string(bucket); }

json::Value to_json(const CommandJournal::Entry& entry) {
  json::Value out(::Json::objectValue);
  out["key"] = entry.key;
  out["what"] = entry.what;
  if (!entry.command.empty()) out["command"] = entry.command;
  out["replyTo"] = entry.reply_to;
  if (!entry.correlation.empty()) out["correlation"] = entry.correlation;
  if (!entry.reply.empty()) out["reply"] = entry.reply;
  out["replied"] = entry.replied;
  out["at"] = static_cast<::Json::Int64>(entry.at);
  return out;
}

CommandJournal::Entry from_json(const json::Value& value) {
  const auto text = [&](const char* key) { return json::string_at(value, key).value_or(""); };
  CommandJournal::Entry out;
  out.key = text("key");
  out.what = text("what");
  out.command = text("command");
  out.reply_to = text("replyTo");
  out.correlation = text("correlation");
  out.reply = text("reply");
  out.replied = json::bool_at(value, "replied").value_or(false);
  out.at = json::int_at(value, "at").value_or(0);
  return out;
}

}  // namespace

std::size_t CommandJournal::bucket_of(const std::string& key) {
  return static_cast<std::size_t>(crypto::sha256(as_bytes(key))[0]) % kBuckets;
}

Result<void> CommandJournal::load() {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    TRY(const auto saved, blobs_.load(name_of(bucket)));
    buckets_[bucket].clear();
    if (!saved) continue;
    const auto list = json::parse(as_text(*saved));
    if (!list || !list->isArray()) {
      log::error("fleet", "a part of the journal of commands cannot be read",
                 {{"part", static_cast<std::uint64_t>(bucket)}});
      continue;
    }
    for (const json::Value& one : *list) buckets_[bucket].push_back(from_json(one));
  }
  return {};
}

const CommandJournal::Entry* CommandJournal::find(const std::string& key) const {
  const auto& bucket = buckets_[bucket_of(key)];
  const auto at = std::find_if(bucket.begin(), bucket.end(),
                               [&](const Entry& entry) { return entry.key == key; });
  return at == bucket.end() ? nullptr : &*at;
}

Result<void> CommandJournal::put(Entry entry, std::optional<Wall> now) {
  const std::size_t number = bucket_of(entry.key);
  auto& bucket = buckets_[number];
  const auto same = std::find_if(bucket.begin(), bucket.end(),
                                 [&](const Entry& one) { return one.key == entry.key; });
  if (same != bucket.end()) {
    *same = std::move(entry);
    return save(number);
  }
  if (now) {
    const std::int64_t limit = now->unix_seconds() - std::chrono::seconds(kKept).count();
    for (Entry& one : bucket) {
      if (one.at == 0) one.at = now->unix_seconds();
    }
    std::erase_if(bucket, [&](const Entry& one) { return one.at < limit && one.replied; });
  }
  if (bucket.size() >= kPerBucket) {
    return fail(Errc::full,
                "too many commands within a week: " + std::to_string(kPerBucket) +
                    " of this kind of key are remembered, and none is forgotten earlier");
  }
  bucket.push_back(std::move(entry));
  const auto saved = save(number);
  if (!saved) bucket.pop_back();
  return saved;
}

Result<void> CommandJournal::remove(const std::string& key) {
  const std::size_t number = bucket_of(key);
  std::erase_if(buckets_[number], [&](const Entry& entry) { return entry.key == key; });
  return save(number);
}

std::vector<CommandJournal::Entry> CommandJournal::open() const {
  std::vector<Entry> out;
  for (const auto& bucket : buckets_) {
    for (const Entry& entry : bucket) {
      if (entry.reply.empty() || !entry.replied) out.push_back(entry);
    }
  }
  return out;
}

Result<void> CommandJournal::save(std::size_t bucket) {
  json::Value list(::Json::arrayValue);
  for (const Entry& entry : buckets_[bucket]) list.append(to_json(entry));
  return blobs_.save(name_of(bucket), as_bytes(json::write(list)));
}

}  // namespace posthorn::fleet
