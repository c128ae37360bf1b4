#include "api/idempotency.h"

#include <algorithm>
#include <set>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

constexpr hours kLongestRun{100 * 366 * 24};

/// Keys may be long and may be personal; their hash is neither.
std::string hash_of(const std::string& key) {
  const crypto::Sha256 digest = crypto::sha256(as_bytes(key));
  return hex_encode(ByteView(digest).first(16));
}

std::size_t index_of(const std::string& hash) {
  const auto first = hex_decode(std::string_view(hash).substr(0, 2));
  return first ? std::to_integer<std::size_t>((*first)[0]) % Idempotency::kBuckets : 0;
}

std::string blob_name(std::size_t index) { return "idempotency/" + std::to_string(index); }

void warn_not_kept(const Error& error) {
  log::warn("api", "idempotency key not kept", {{"error", error}});
}

json::Value to_row(const std::string& hash, const std::string& digest, milliseconds made_at,
                   const Idempotency::Made& made) {
  json::Value row;
  row["key"] = hash;
  row["id"] = made.id;
  row["body"] = digest;
  row["ran"] = static_cast<::Json::Int64>(made_at.count());
  row["until"] = static_cast<::Json::Int64>(made.expires_at.since_epoch.count());
  return row;
}

}  // namespace

std::string Idempotency::digest_of(std::string_view scope, const json::Value& body) {
  // jsoncpp writes members in the order of their names.
  return hash_of(std::string(scope) + "\n" + json::write(body));
}

Idempotency::Idempotency(Scheduler& scheduler, BlobStore& blobs, milliseconds life)
    : scheduler_(scheduler), blobs_(blobs), life_(life), started_(scheduler.now()) {
  for (std::size_t index = 0; index < kBuckets; ++index) {
    for (const Entry& entry : load(index)) ran_before_ = std::max(ran_before_, entry.made_at);
  }
}

Idempotency::~Idempotency() {
  *alive_ = false;
  for (auto& [hash, making] : under_way_) {
    for (auto& done : making.waiting) done(fail(Errc::cancelled, "shutting down"));
  }
}

milliseconds Idempotency::running() const { return ran_before_ + (scheduler_.now() - started_); }

Idempotency::Bucket Idempotency::load(std::size_t index) const {
  const auto blob = blobs_.load(blob_name(index));
  if (!blob || !*blob) return {};
  const auto rows = json::parse(as_text(**blob));
  if (!rows || !rows->isArray()) {
    log::warn("api", "damaged idempotency keys dropped", {{"bucket", index}});
    return {};
  }
  Bucket bucket;
  for (const json::Value& row : *rows) {
    const auto hash = json::string_at(row, "key");
    const auto id = json::string_at(row, "id");
    if (!hash || !id) continue;
    Entry entry{*hash, json::string_at(row, "body").value_or(""), running(), {*id, {}}};
    // Without its running time it is from the release before: as if it were made now.
    if (const auto ran = json::int_at(row, "ran")) {
      if (*ran < 0 || *ran > milliseconds(kLongestRun).count()) continue;  // damaged
      entry.made_at = milliseconds(*ran);
    }
    entry.made.expires_at = Wall{milliseconds(json::int_at(row, "until").value_or(0))};
    bucket.push_back(std::move(entry));
  }
  return bucket;
}

Idempotency::Bucket& Idempotency::bucket_of(const std::string& hash) {
  auto& bucket = buckets_[index_of(hash)];
  if (!bucket) bucket = load(index_of(hash));
  return *bucket;
}

void Idempotency::add(Entry entry) {
  Bucket& bucket = bucket_of(entry.hash);
  std::erase_if(bucket, [&](const Entry& e) { return e.hash == entry.hash || !alive(e); });
  if (bucket.size() >= kPerBucket) bucket.erase(bucket.begin());
  bucket.push_back(std::move(entry));
}

const Idempotency::Entry* Idempotency::find(const std::string& hash) {
  const Bucket& bucket = bucket_of(hash);
  const auto found = std::find_if(bucket.begin(), bucket.end(), [&](const Entry& entry) {
    return entry.hash == hash && alive(entry);
  });
  return found == bucket.end() ? nullptr : &*found;
}

void Idempotency::take_up(const EachJob& each) {
  std::set<std::size_t> changed;
  const auto read = each([&](const Job& job) {
    if (job.idempotency_key.empty()) return;
    const std::string hash = hash_of(job.idempotency_key);
    if (find(hash) != nullptr) return;
    add({hash, job.body_digest, running(), {job.id, job.expires_at}});
    changed.insert(index_of(hash));
  });
  if (!read) log::warn("api", "idempotency keys of jobs not read", {{"error", read.error()}});
  if (changed.empty()) return;
  for (const std::size_t index : changed) {
    if (const auto saved = save(index); !saved) warn_not_kept(saved.error());
  }
  blobs_.durable([](Result<void> done) {
    if (!done) warn_not_kept(done.error());
  });
}

std::optional<Idempotency::Answer> Idempotency::known(const std::string& key,
                                                      const std::string& digest) {
  const Entry* entry = find(hash_of(key));
  if (entry == nullptr) return std::nullopt;
  return Answer{entry->made.id, !entry->digest.empty() && entry->digest != digest};
}

void Idempotency::once(const std::string& key, const std::string& digest, Make make,
                       Once<void(Result<Answer>)> done) {
  if (auto answer = known(key, digest)) return done(std::move(*answer));
  const std::string hash = hash_of(key);
  const auto [making, first] = under_way_.try_emplace(hash, UnderWay{digest, {}});
  if (making->second.digest != digest) return done(Answer{"", true});
  making->second.waiting.push_back(std::move(done));
  if (!first) return;
  make([this, alive = alive_, hash](Result<Made> made) {
    if (*alive) on_made(hash, std::move(made));
  });
}

void Idempotency::on_made(const std::string& hash, Result<Made> made) {
  if (!made) return finish(hash, tl::unexpected(made.error()));
  add({hash, under_way_[hash].digest, running(), *made});
  // The message itself is safe; a key that could not be kept costs at most one repeat.
  if (const auto saved = save(index_of(hash)); !saved) {
    warn_not_kept(saved.error());
    return finish(hash, made->id);
  }
  blobs_.durable([this, alive = alive_, hash, id = made->id](Result<void> done) {
    if (!done) warn_not_kept(done.error());
    if (*alive) finish(hash, id);
  });
}

Result<void> Idempotency::save(std::size_t index) {
  json::Value rows(::Json::arrayValue);
  for (const Entry& entry : *buckets_[index]) {
    rows.append(to_row(entry.hash, entry.digest, entry.made_at, entry.made));
  }
  return blobs_.save(blob_name(index), as_bytes(json::write(rows)));
}

void Idempotency::finish(const std::string& hash, const Result<std::string>& id) {
  auto making = under_way_.extract(hash);
  for (auto& done : making.mapped().waiting) {
    done(id ? Result<Answer>(Answer{*id, false}) : tl::unexpected(id.error()));
  }
}

}  // namespace posthorn::api
