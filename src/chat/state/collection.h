#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/state/effects.h"
#include "chat/state/keyring.h"
#include "posthorn/base/result.h"
#include "posthorn/store/sync_store.h"
#include "posthorn/wire/app_state.h"

namespace posthorn::chat {

/// One thing that is to be changed in a collection.
struct StateChange {
  wire::SyncOperation operation = wire::SyncOperation::set;
  std::vector<std::string> index;
  std::uint32_t field = 0;  ///< of SyncActionValue; 0: the value is its time alone
  Bytes action;
  std::int64_t version = 0;  ///< of the action, section 10
};

/// The stored collections, and how patches and snapshots lead from one version to the next. Knows
/// no wire and no waiting: each call runs inside the lane's transaction. Source: chapter 11
/// sections 4 - 6, 9.1.
class Collections {
 public:
  /// All outlive this.
  Collections(const MessageContext& context, store::SyncStore& store, Keyring& keys,
              Effects& effects)
      : context_(context), store_(store), keys_(keys), effects_(effects) {}

  /// What came of a patch or a snapshot.
  struct Outcome {
    enum class End : std::uint8_t {
      applied,
      old,          ///< we were there already
      gap,          ///< there are patches in between
      missing_key,  ///< `key` is not here
      broken,       ///< not by a device of ours, or not to be kept: `why`
    };
    End end = End::applied;
    Bytes key;
    std::string why;
  };
  /// external: its entries when they came in a file.
  Result<Outcome> apply_patch(const std::string& name, const wire::SyncPatch& patch,
                              const std::vector<wire::SyncRecord>* external);

  /// A snapshot replaces what there is. begin() says whether all keys are here and empties the
  /// collection, add() takes some records, finish() compares the sum. A program that ends in
  /// between finds version 0 and asks anew.
  struct Snapshot {
    std::uint64_t version = 0;
    std::vector<wire::SyncRecord> records;
    ByteView mac, key_id;
    std::size_t next = 0;  ///< record to be added
    wire::LtHash hash;
    bool drifted = false;
  };
  Result<Outcome> begin(const std::string& name, Snapshot& snapshot);
  Result<void> add(const std::string& name, Snapshot& snapshot, std::size_t count);
  Result<void> finish(const std::string& name, Snapshot& snapshot);

  /// Forgets the collection's content, so that it is asked for as a whole. Once a day; false: that
  /// was done already.
  Result<bool> discard(const std::string& name);

  /// A patch that makes these changes to the present version, and the same as it will come back.
  struct Built {
    Bytes to_send;
    Bytes as_received;
  };
  /// nullopt: there is no key yet.
  Result<std::optional<Built>> build(const std::string& name,
                                     const std::vector<StateChange>& changes);

 private:
  struct Step {
    wire::LtHash hash;
    bool twice = false;  ///< one entry is set or removed twice, which no device does
  };
  Result<Step> sum(const std::string& name, const wire::LtHash& before,
                   const std::vector<wire::SyncRecord>& records);
  Result<std::optional<Bytes>> missing_key(const std::vector<wire::SyncRecord>& records,
                                           ByteView key_id);
  Result<bool> keep(const std::string& name, const wire::SyncRecord& record);
  Result<std::vector<wire::SealedRecord>> seal(const std::string& name, const StateChange& change,
                                               const Keyring::Active& key);

  const MessageContext& context_;
  store::SyncStore& store_;
  Keyring& keys_;
  Effects& effects_;
};

/// Of the whole file. Views into it. Errors: malformed.
[[nodiscard]] Result<Collections::Snapshot> parse_sync_snapshot(ByteView bytes);

}  // namespace posthorn::chat
