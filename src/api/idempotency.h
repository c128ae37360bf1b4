#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/api/ports.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/once.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::api {

/// Remembers which message each Idempotency-Key made, for as long as the job lives, also across
/// restarts: a POST that the till repeats gives the same idMessage and queues nothing.
///
/// Kept as 64 small blobs "idempotency/NN", chosen by the key's hash, so that one send rewrites a
/// sixty-fourth of them. The job itself carries its key too: that closes the gap between the moment
/// the job is on disk and the moment the key is.
class Idempotency {
 public:
  static constexpr std::size_t kBuckets = 64;
  static constexpr std::size_t kPerBucket = 512;  ///< the oldest go first

  struct Made {
    std::string id;
    Wall expires_at;
  };
  using Make = Function<void(Once<void(Result<Made>)> done)>;

  Idempotency(BlobStore& blobs, OutboxPort& outbox) : blobs_(blobs), outbox_(outbox) {}
  Idempotency(const Idempotency&) = delete;
  Idempotency& operator=(const Idempotency&) = delete;
  ~Idempotency();

  /// done gets the id of the message that `key` made: by an earlier call, by one that is under way,
  /// or by `make`, which is called only then.
  void once(const std::string& key, Wall now, Make make, Once<void(Result<std::string>)> done);

 private:
  struct Entry {
    std::string hash;
    Made made;
  };
  using Bucket = std::vector<Entry>;
  using Waiting = std::vector<Once<void(Result<std::string>)>>;

  [[nodiscard]] Bucket& bucket_of(const std::string& hash);
  [[nodiscard]] Bucket load(std::size_t index);
  void add(const std::string& hash, const Made& made, Wall now);
  /// Takes the keys of the jobs that wait, once after each start; then runs `ready`.
  void seed(Wall now, Task ready);
  void find_or_make(const std::string& hash, Wall now, Make make,
                    Once<void(Result<std::string>)> done);
  void on_made(const std::string& hash, Wall now, Result<Made> made);
  void finish(const std::string& hash, const Result<std::string>& id);

  BlobStore& blobs_;
  OutboxPort& outbox_;
  std::array<std::optional<Bucket>, kBuckets> buckets_;
  std::map<std::string, Waiting> under_way_;
  enum class Seed : std::uint8_t { none, under_way, done } seed_ = Seed::none;
  std::vector<Task> seeding_;  ///< what waits for it
  bool closing_ = false;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  ///< shared with answers on their way
};

}  // namespace posthorn::api
