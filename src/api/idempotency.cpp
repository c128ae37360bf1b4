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

Idempotency::~Idempotency() {
  *alive_ = false;
  closing_ = true;
  for (Task& waits : seeding_) waits();
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
    if (const auto ran = json::int_at(row, "ran")) entry.made_at = milliseconds(*ran);
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

void Idempotency::seed(Task ready) {
  if (seed_ == Seed::done) return ready();
  seeding_.push_back(std::move(ready));
  if (std::exchange(seed_, Seed::under_way) == Seed::under_way) return;
  for (std::size_t index = 0; index < kBuckets; ++index) {
    for (const Entry& entry : load(index)) ran_before_ = std::max(ran_before_, entry.made_at);
  }
  started_ = scheduler_.now();
  outbox_.jobs(kEverything, [this, alive = alive_](Result<std::vector<JobView>> jobs) {
    if (!*alive) return;
    if (!jobs) log::warn("api", "idempotency keys of jobs not read", {{"error", jobs.error()}});
    for (const JobView& view : jobs ? *jobs : std::vector<JobView>()) {
      const Job& job = view.job;
      if (job.idempotency_key.empty()) continue;
      add({hash_of(job.idempotency_key), job.body_digest, running(), {job.id, job.expires_at}});
    }
    seed_ = Seed::done;
    for (Task& waits : std::exchange(seeding_, {})) waits();
  });
}

void Idempotency::once(const std::string& key, const std::string& digest, Make make,
                       Once<void(Result<Answer>)> done) {
  seed([this, hash = hash_of(key), digest, make = std::move(make),
        done = std::move(done)]() mutable {
    find_or_make(hash, digest, std::move(make), std::move(done));
  });
}

void Idempotency::find_or_make(const std::string& hash, const std::string& digest, Make make,
                               Once<void(Result<Answer>)> done) {
  if (closing_) return done(fail(Errc::cancelled, "shutting down"));
  for (const Entry& entry : bucket_of(hash)) {
    if (entry.hash != hash || !alive(entry)) continue;
    return done(Answer{entry.made.id, !entry.digest.empty() && entry.digest != digest});
  }
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
  save(hash, made->id);
}

void Idempotency::save(const std::string& hash, const std::string& id) {
  json::Value rows(::Json::arrayValue);
  for (const Entry& entry : bucket_of(hash)) {
    rows.append(to_row(entry.hash, entry.digest, entry.made_at, entry.made));
  }
  const auto saved = blobs_.save(blob_name(index_of(hash)), as_bytes(json::write(rows)));
  // The message itself is safe; a key that could not be kept costs at most one repeat.
  if (!saved) {
    log::warn("api", "idempotency key not kept", {{"error", saved.error()}});
    return finish(hash, id);
  }
  blobs_.durable([this, alive = alive_, hash, id](Result<void> done) {
    if (!done) log::warn("api", "idempotency key not kept", {{"error", done.error()}});
    if (*alive) finish(hash, id);
  });
}

void Idempotency::finish(const std::string& hash, const Result<std::string>& id) {
  auto making = under_way_.extract(hash);
  for (auto& done : making.mapped().waiting) {
    done(id ? Result<Answer>(Answer{*id, false}) : tl::unexpected(id.error()));
  }
}

}  // namespace posthorn::api
