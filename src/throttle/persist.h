#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "posthorn/base/blob_store.h"
#include "throttle/engine.h"
#include "throttle/policy_clock.h"

namespace posthorn::throttle {

/// What happened since the last checkpoint, small enough to be written before every send: charges
/// and inbound messages. Replayed on top of the checkpoint at start.
struct JournalEvent {
  /// Stored: do not renumber.
  enum class Kind : std::uint8_t { charge = 1, inbound = 2, final = 3, taken_back = 4 };
  std::uint64_t number = 0;
  Kind kind = Kind::charge;
  Tick at = 0;
  Charge charge;        ///< charge: all of it; inbound: chat; final: sequence; taken_back: both
  Tick written = 0;     ///< inbound
  std::string request;  ///< inbound: the text when it was a stop or start word
};

/// Pages and checkpoint in the BlobStore. src/throttle/STATE.md says what is where and why.
class Persist {
 public:
  explicit Persist(BlobStore& blobs) : blobs_(blobs) {}

  /// Loads checkpoint and pages, replays the journal. False: there was nothing. Damaged blobs are
  /// logged and cost what they held. Errors: io.
  Result<bool> load(Engine& engine, PolicyClock::Saved& clock);
  /// One event more, visible to durable() after this.
  Result<void> record(JournalEvent event);
  /// One event more, in the journal with the next record() or save_journal(): a burst of messages
  /// shares one write.
  void note(JournalEvent event);
  Result<void> save_journal();
  /// Saves everything that changed; the journal starts anew once durable() has run.
  Result<void> checkpoint(Engine& engine, const PolicyClock::Saved& clock);
  /// True when the journal is long enough for a checkpoint; not again while one is on its way.
  [[nodiscard]] bool wants_checkpoint() const {
    return events_.size() >= kMaxEvents && number_ - checkpointed_ >= kMaxEvents;
  }
  [[nodiscard]] std::uint64_t last_checkpoint() const { return checkpointed_; }
  /// The checkpoint with this number has reached the disk.
  void on_durable(std::uint64_t checkpoint);
  /// ChatIds on the opt-out list that records know by a hash only. A damaged blob is logged and
  /// costs the names, not the opt-outs. Errors: io.
  [[nodiscard]] Result<std::set<std::string>> load_opted_out_ids();
  Result<void> save_opted_out_ids(const std::set<std::string>& chats);

 private:
  /// The whole journal is written for each message and the checkpoint (7 KB, up to 110 with many
  /// live texts) once for so many: 32 is near the least for both together.
  static constexpr std::size_t kMaxEvents = 32;
  void load_pages(Engine& engine, std::uint32_t pages);
  void load_regulars(Engine& engine);
  void replay(Engine& engine, const JournalEvent& event);

  BlobStore& blobs_;
  std::vector<JournalEvent> events_;
  std::uint64_t number_ = 0;        ///< of the newest event
  std::uint64_t checkpointed_ = 0;  ///< events up to here are in the newest checkpoint
};

}  // namespace posthorn::throttle
