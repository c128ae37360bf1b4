#include "chat/state/collection.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/wire/fields.h"

namespace posthorn::chat {
namespace {

using End = Collections::Outcome::End;
using wire::Field;
using wire::FieldReader;
using wire::FieldWriter;
using wire::LtHash;
using wire::SyncOperation;
using wire::SyncRecord;

constexpr std::size_t kIvBytes = 16;
/// How many records or versions may pass before the entries are counted.
constexpr std::size_t kCountAfter = 64;

Collections::Outcome broken(std::string why) { return {End::broken, {}, std::move(why)}; }

Field last_field(ByteView message, std::uint32_t number) {
  FieldReader fields(message);
  Field found;
  for (Field field; fields.next(field);) {
    if (field.number == number) found = field;
  }
  return found;
}

}  // namespace

Result<Collections::Snapshot> parse_sync_snapshot(ByteView bytes) {
  Collections::Snapshot snapshot;
  FieldReader fields(bytes);
  for (Field field; fields.next(field);) {
    if (field.number == 1) snapshot.version = last_field(field.bytes, 1).value;
    if (field.number == 2) {
      TRY(const SyncRecord record, wire::parse_sync_record(field.bytes));
      snapshot.records.push_back(record);
    }
    if (field.number == 3) snapshot.mac = field.bytes;
    if (field.number == 4) snapshot.key_id = last_field(field.bytes, 1).bytes;
  }
  if (!fields.ok()) return fail(Errc::malformed, "app state: snapshot");
  return snapshot;
}

Result<std::optional<Bytes>> Collections::missing_key(const std::vector<SyncRecord>& records,
                                                      ByteView key_id) {
  std::set<Bytes> ids{to_bytes(key_id)};
  for (const SyncRecord& record : records) ids.insert(to_bytes(record.key_id));
  for (const Bytes& id : ids) {
    TRY(const auto key, keys_.find(id));
    if (!key) return std::optional(id);
  }
  return std::optional<Bytes>();
}

/// Section 5: a set sees an earlier one of the same patch, a remove only what was there before it.
Result<Collections::Step> Collections::sum(const std::string& name, const LtHash& before,
                                           const std::vector<SyncRecord>& records) {
  Step step{before, false};
  std::map<Bytes, Bytes> set_here;
  std::set<std::pair<Bytes, SyncOperation>> seen;
  for (const SyncRecord& record : records) {
    const Bytes index = to_bytes(record.index_mac);
    step.twice = !seen.emplace(index, record.operation).second || step.twice;
    TRY(const auto stored, store_.entry(name, index));
    const auto earlier = set_here.find(index);
    const bool set = record.operation == SyncOperation::set;
    if (set && earlier != set_here.end()) {
      step.hash.subtract(earlier->second);
    } else if (stored) {
      step.hash.subtract(stored->value_mac);
    }
    if (!set) continue;
    step.hash.add(record.value_mac());
    set_here[index] = to_bytes(record.value_mac());
  }
  return step;
}

/// Stores what is kept of an entry and lets it have its effect. false: it cannot be opened.
Result<bool> Collections::keep(const std::string& name, const SyncRecord& record) {
  if (record.operation == SyncOperation::set) {
    TRY(store_.save_entry(name, record.index_mac,
                          {to_bytes(record.value_mac()), to_bytes(record.key_id)}));
  } else {
    TRY(store_.drop_entry(name, record.index_mac));
  }
  TRY(const auto key, keys_.find(record.key_id));
  if (!key) return false;
  const auto entry = wire::open_sync_record(*key, record);
  if (!entry) return false;
  TRY(effects_.apply(record.operation, *entry));
  return true;
}

Result<Collections::Outcome> Collections::apply_patch(const std::string& name,
                                                      const wire::SyncPatch& patch,
                                                      const std::vector<SyncRecord>* external) {
  TRY(auto state, store_.collection(name));
  const std::uint64_t version = patch.version.value_or(state.version + 1);
  if (version <= state.version) return Outcome{End::old, {}, {}};
  if (version != state.version + 1) return Outcome{End::gap, {}, {}};
  const auto& records = external != nullptr ? *external : patch.records;
  TRY(auto missing, missing_key(records, patch.key_id));
  if (missing) return Outcome{End::missing_key, std::move(*missing), {}};
  TRY(const auto keys, keys_.find(patch.key_id));
  const auto expected = wire::sync_patch_mac(*keys, patch.snapshot_mac, records, version, name);
  // The only proof of who wrote it: the server has no key.
  if (!equal_constant_time(expected, patch.patch_mac)) return broken("patch MAC");
  TRY(const Step step, sum(name, LtHash(state.hash), records));
  if (step.twice) return broken("one entry twice in a patch");
  const auto sum_mac = wire::sync_snapshot_mac(*keys, step.hash, version, name);
  if (!state.drifted && !equal_constant_time(sum_mac, patch.snapshot_mac)) {
    log::warn("state", "a collection does not agree with the phone's", {{"collection", name}});
    state.drifted = true;
  }
  for (const SyncRecord& record : records) {
    TRY(const bool opened, keep(name, record));
    state.drifted = state.drifted || !opened;
  }
  if (records.size() > kCountAfter || version % kCountAfter == 0) {
    TRY(const std::int64_t entries, store_.count_entries(name));
    if (entries > store::SyncStore::kMostEntries) return broken("too many entries");
  }
  state.version = version;
  state.hash = to_bytes(step.hash.bytes());
  TRY(store_.save_collection(name, state));
  return Outcome{};
}

Result<Collections::Outcome> Collections::begin(const std::string& name, Snapshot& snapshot) {
  if (snapshot.records.size() > static_cast<std::size_t>(store::SyncStore::kMostEntries)) {
    return broken("too many entries");
  }
  TRY(auto missing, missing_key(snapshot.records, snapshot.key_id));
  if (missing) return Outcome{End::missing_key, std::move(*missing), {}};
  TRY(auto state, store_.collection(name));
  state.version = 0;
  state.hash.clear();
  TRY(store_.drop_entries(name));
  TRY(store_.save_collection(name, state));
  return Outcome{};
}

Result<void> Collections::add(const std::string& name, Snapshot& snapshot, std::size_t count) {
  const std::size_t end = std::min(snapshot.next + count, snapshot.records.size());
  for (; snapshot.next < end; ++snapshot.next) {
    const SyncRecord& record = snapshot.records[snapshot.next];
    snapshot.hash.add(record.value_mac());
    TRY(const bool opened, keep(name, record));
    snapshot.drifted = snapshot.drifted || !opened;
  }
  return {};
}

Result<void> Collections::finish(const std::string& name, Snapshot& snapshot) {
  TRY(const auto keys, keys_.find(snapshot.key_id));
  TRY(auto state, store_.collection(name));
  const bool right = keys && equal_constant_time(wire::sync_snapshot_mac(*keys, snapshot.hash,
                                                                         snapshot.version, name),
                                                 snapshot.mac);
  if (!right) log::warn("state", "a snapshot's MAC is wrong", {{"collection", name}});
  state.version = snapshot.version;
  state.hash = to_bytes(snapshot.hash.bytes());
  state.drifted = snapshot.drifted || !right;
  return store_.save_collection(name, state);
}

Result<bool> Collections::discard(const std::string& name) {
  constexpr std::int64_t kDay = 86'400;
  TRY(auto state, store_.collection(name));
  const std::int64_t now = context_.clock.now().unix_seconds();
  const bool again = state.failed_at != 0 && now - state.failed_at < kDay;
  state.version = 0;
  state.hash.clear();
  state.drifted = false;
  if (!again) state.failed_at = now;
  TRY(store_.drop_entries(name));
  TRY(store_.save_collection(name, state));
  return !again;
}

/// The records that make one change: what was written under an older key stands under another
/// index MAC, so it is removed under that key.
Result<std::vector<wire::SealedRecord>> Collections::seal(const std::string& name,
                                                          const StateChange& change,
                                                          const Keyring::Active& key) {
  FieldWriter value;
  value.number(1, static_cast<std::uint64_t>(context_.clock.now().since_epoch.count()));
  const Bytes time_only = value.out();
  if (change.field != 0) value.bytes(change.field, change.action);
  wire::SyncEntry entry{write_sync_index(change.index), value.take(), change.version};
  std::vector<wire::SealedRecord> records;
  const wire::SyncEntry removed{entry.index, time_only, change.version};
  TRY(const auto all, keys_.all());
  for (const auto& old : all) {
    if (old.id == key.id) continue;
    TRY(const auto expanded, keys_.find(old.id));
    if (!expanded) continue;
    TRY(const auto stored, store_.entry(name, wire::sync_index_mac(*expanded, entry.index)));
    if (!stored) continue;
    records.push_back(wire::seal_sync_record(*expanded, old.id, SyncOperation::remove, removed,
                                             context_.random.bytes(kIvBytes)));
  }
  if (change.operation == SyncOperation::set || records.empty()) {
    records.push_back(wire::seal_sync_record(key.keys, key.id, change.operation, entry,
                                             context_.random.bytes(kIvBytes)));
  }
  return records;
}

Result<std::optional<Collections::Built>> Collections::build(
    const std::string& name, const std::vector<StateChange>& changes) {
  TRY(const auto key, keys_.active());
  if (!key) return std::optional<Built>();
  std::vector<wire::SealedRecord> sealed;
  for (const StateChange& change : changes) {
    TRY(auto records, seal(name, change, *key));
    std::move(records.begin(), records.end(), std::back_inserter(sealed));
  }
  wire::SyncPatch patch;
  for (const auto& record : sealed) patch.records.push_back(record.view());
  TRY(const auto state, store_.collection(name));
  const std::uint64_t version = state.version + 1;
  TRY(const Step step, sum(name, LtHash(state.hash), patch.records));
  const auto sum_mac = wire::sync_snapshot_mac(key->keys, step.hash, version, name);
  const auto patch_mac = wire::sync_patch_mac(key->keys, sum_mac, patch.records, version, name);
  patch.snapshot_mac = sum_mac;
  patch.patch_mac = patch_mac;
  patch.key_id = key->id;
  Built built;
  built.to_send = wire::write_sync_patch(patch, context_.line.identity().pn.device);
  patch.version = version;
  built.as_received = wire::write_sync_patch(patch, std::nullopt);
  return std::optional(std::move(built));
}

}  // namespace posthorn::chat
