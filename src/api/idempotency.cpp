#include "api/idempotency.h"

#include <algorithm>
#include <limits>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

/// Keys may be long and may be personal; their hash is neither.
std::string hash_of(const std::string& key) {
  const crypto::Sha256 digest = crypto::sha256(as_bytes(key));
  return hex_encode(ByteView(digest).first(16));
}

std::size_t index_of(const std::string& hash) {
  const auto first = hex_decode(std::string_view(hash).substr(0, 2));
  return first ? std::to_integer<std::size_t>((*first)[0]) % Idempotency::kBuckets : 0;
}

constexpr std::size_t kEverything = std::numeric_limits<std::size_t>::max();

std::string blob_name(std::size_t index) { return "idempotency/" + std::to_string(index); }

}  // namespace

Idempotency::~Idempotency() {
  *alive_ = false;
  closing_ = true;
  for (Task& waits : seeding_) waits();
  for (auto& [hash, waiting] : under_way_) {
    for (auto& done : waiting) done(fail(Errc::cancelled, "shutting down"));
  }
}

Idempotency::Bucket Idempotency::load(std::size_t index) {
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
    const auto until = json::int_at(row, "until");
    if (hash && id && until) bucket.push_back({*hash, {*id, Wall{milliseconds(*until)}}});
  }
  return bucket;
}

Idempotency::Bucket& Idempotency::bucket_of(const std::string& hash) {
  auto& bucket = buckets_[index_of(hash)];
  if (!bucket) bucket = load(index_of(hash));
  return *bucket;
}

void Idempotency::add(const std::string& hash, const Made& made, Wall now) {
  Bucket& bucket = bucket_of(hash);
  std::erase_if(bucket, [&](const Entry& e) { return e.hash == hash || e.made.expires_at <= now; });
  if (bucket.size() >= kPerBucket) bucket.erase(bucket.begin());
  bucket.push_back({hash, made});
}

void Idempotency::seed(Wall now, Task ready) {
  if (seed_ == Seed::done) return ready();
  seeding_.push_back(std::move(ready));
  if (std::exchange(seed_, Seed::under_way) == Seed::under_way) return;
  outbox_.jobs(kEverything, [this, alive = alive_, now](Result<std::vector<JobView>> jobs) {
    if (!*alive) return;
    if (!jobs) log::warn("api", "idempotency keys of jobs not read", {{"error", jobs.error()}});
    for (const JobView& view : jobs ? *jobs : std::vector<JobView>()) {
      const Job& job = view.job;
      if (job.idempotency_key.empty()) continue;
      add(hash_of(job.idempotency_key), {job.id, job.expires_at}, now);
    }
    seed_ = Seed::done;
    for (Task& waits : std::exchange(seeding_, {})) waits();
  });
}

void Idempotency::once(const std::string& key, Wall now, Make make,
                       Once<void(Result<std::string>)> done) {
  seed(now,
       [this, hash = hash_of(key), now, make = std::move(make), done = std::move(done)]() mutable {
         find_or_make(hash, now, std::move(make), std::move(done));
       });
}

void Idempotency::find_or_make(const std::string& hash, Wall now, Make make,
                               Once<void(Result<std::string>)> done) {
  if (closing_) return done(fail(Errc::cancelled, "shutting down"));
  for (const Entry& entry : bucket_of(hash)) {
    if (entry.hash == hash && entry.made.expires_at > now) return done(entry.made.id);
  }
  Waiting& waiting = under_way_[hash];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) return;
  make([this, alive = alive_, hash, now](Result<Made> made) {
    if (*alive) on_made(hash, now, std::move(made));
  });
}

void Idempotency::on_made(const std::string& hash, Wall now, Result<Made> made) {
  if (!made) return finish(hash, tl::unexpected(made.error()));
  add(hash, *made, now);
  json::Value rows(::Json::arrayValue);
  for (const Entry& entry : bucket_of(hash)) {
    json::Value row;
    row["key"] = entry.hash;
    row["id"] = entry.made.id;
    row["until"] = static_cast<::Json::Int64>(entry.made.expires_at.since_epoch.count());
    rows.append(row);
  }
  const auto saved = blobs_.save(blob_name(index_of(hash)), as_bytes(json::write(rows)));
  // The message itself is safe; a key that could not be kept costs at most one repeat.
  if (!saved) {
    log::warn("api", "idempotency key not kept", {{"error", saved.error()}});
    return finish(hash, made->id);
  }
  blobs_.durable([this, alive = alive_, hash, id = made->id](Result<void> done) {
    if (!done) log::warn("api", "idempotency key not kept", {{"error", done.error()}});
    if (*alive) finish(hash, id);
  });
}

void Idempotency::finish(const std::string& hash, const Result<std::string>& id) {
  auto waiting = under_way_.extract(hash);
  for (auto& done : waiting.mapped()) done(id);
}

}  // namespace posthorn::api
