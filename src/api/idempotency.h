#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/api/ports.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/json.h"
#include "posthorn/base/once.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::api {

/// Remembers which message each Idempotency-Key made, also across restarts: a POST that the till
/// repeats gives the same idMessage and queues nothing, and a key that comes again with another
/// body is told so instead of being swallowed.
///
/// A key lives for `life` of the time that the box is running: a clock that is set must neither
/// forget a key while the till still repeats it nor keep it for ever.
///
/// Kept as 64 small blobs "idempotency/NN", chosen by the key's hash, so that one send rewrites a
/// sixty-fourth of them. The job itself carries key and digest too: take_up() closes the gap
/// between the moment the job is on disk and the moment the key is.
class Idempotency {
 public:
  static constexpr std::size_t kBuckets = 64;
  static constexpr std::size_t kPerBucket = 512;  ///< the oldest go first

  /// What was posted under a key: the same body gives the same digest, whatever its white space
  /// and the order of its members. `scope` is the method.
  [[nodiscard]] static std::string digest_of(std::string_view scope, const json::Value& body);

  struct Made {
    std::string id;
    Wall expires_at;  ///< of the job; for the release before, whose keys ended with it
  };
  using Make = Function<void(Once<void(Result<Made>)> done)>;

  struct Answer {
    std::string id;
    bool other_body = false;  ///< the key was used for something else, which is `id`
  };

  Idempotency(Scheduler& scheduler, BlobStore& blobs, milliseconds life);
  Idempotency(const Idempotency&) = delete;
  Idempotency& operator=(const Idempotency&) = delete;
  ~Idempotency();

  /// The keys of the jobs that wait, where power went before the key was on disk. Once after the
  /// start, before any of the jobs can leave: a job that has left tells its key no more.
  void take_up(const EachJob& each);

  /// What an earlier call made under `key`; nullopt: nothing yet.
  [[nodiscard]] std::optional<Answer> known(const std::string& key, const std::string& digest);

  /// done gets the id of the message that `key` made: by an earlier call, by one that is under way,
  /// or by `make`, which is called only then. Errors: make's.
  void once(const std::string& key, const std::string& digest, Make make,
            Once<void(Result<Answer>)> done);

 private:
  struct Entry {
    std::string hash;
    std::string digest;       ///< empty: kept by a release that did not know it, fits every body
    milliseconds made_at{0};  ///< running time of the box, see running()
    Made made;
  };
  using Bucket = std::vector<Entry>;
  struct UnderWay {
    std::string digest;
    std::vector<Once<void(Result<Answer>)>> waiting;
  };

  /// How long the box has been running since keys were first kept, as far as that was written down:
  /// what happened after the newest key does not count, so keys rather live longer.
  [[nodiscard]] milliseconds running() const;
  [[nodiscard]] bool alive(const Entry& entry) const { return running() - entry.made_at < life_; }
  [[nodiscard]] Bucket& bucket_of(const std::string& hash);
  [[nodiscard]] Bucket load(std::size_t index) const;
  void add(Entry entry);
  /// nullptr: not there, or no longer alive. Until the bucket changes.
  [[nodiscard]] const Entry* find(const std::string& hash);
  /// Of a bucket that is loaded.
  [[nodiscard]] Result<void> save(std::size_t index);
  void on_made(const std::string& hash, Result<Made> made);
  void finish(const std::string& hash, const Result<std::string>& id);

  Scheduler& scheduler_;
  BlobStore& blobs_;
  milliseconds life_;
  Mono started_;
  milliseconds ran_before_{0};  ///< as of the newest key of earlier starts
  std::array<std::optional<Bucket>, kBuckets> buckets_;
  std::map<std::string, UnderWay> under_way_;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  ///< shared with answers on their way
};

}  // namespace posthorn::api
