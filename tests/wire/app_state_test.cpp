#include "posthorn/wire/app_state.h"

#include <gtest/gtest.h>

#include <map>

#include "posthorn/wire/fields.h"
#include "support/vectors.h"

namespace posthorn::wire {
namespace {

Bytes hex_at(const json::Value& object, const char* key) {
  const auto bytes = hex_decode(json::string_at(object, key).value_or("?"));
  EXPECT_TRUE(bytes) << key;
  return bytes.value_or(Bytes());
}

std::string text_at(const json::Value& object, const char* key) {
  return json::string_at(object, key).value_or("");
}

SyncKeys keys_of(const json::Value& key) { return expand_sync_key(hex_at(key, "keyData")); }

/// The live entries of a collection, as a device keeps them.
using Entries = std::map<std::string, std::string>;

/// Section 5, step by step.
void apply(const SyncRecord& record, Entries& entries, LtHash& hash) {
  const std::string index = hex_encode(record.index_mac);
  const auto known = entries.find(index);
  if (known != entries.end()) {
    hash.subtract(*hex_decode(known->second));
    entries.erase(known);
  }
  if (record.operation == SyncOperation::remove) return;
  hash.add(record.value_mac());
  entries[index] = hex_encode(record.value_mac());
}

void expect_state(const json::Value& expected, const LtHash& hash, const Entries& entries) {
  EXPECT_EQ(hex_encode(hash.bytes()), text_at(expected, "ltHash"));
  Entries wanted;
  for (const auto& index : expected["indexValueMap"].getMemberNames()) {
    wanted[index] = expected["indexValueMap"][index].asString();
  }
  EXPECT_EQ(entries, wanted);
}

TEST(AppState, KeysExpandAsInTheVectors) {
  const auto vectors = test::load_vectors("appstate-keys.json");
  for (const auto& one : vectors["cases"]) {
    const SyncKeys keys = keys_of(one);
    EXPECT_EQ(hex_encode(keys.index), text_at(one, "indexKey"));
    EXPECT_EQ(hex_encode(keys.value), text_at(one, "valueEncryptionKey"));
    EXPECT_EQ(hex_encode(keys.value_mac), text_at(one, "valueMacKey"));
    EXPECT_EQ(hex_encode(keys.snapshot_mac), text_at(one, "snapshotMacKey"));
    EXPECT_EQ(hex_encode(keys.patch_mac), text_at(one, "patchMacKey"));
  }
}

TEST(AppState, TheSumCarriesAndBorrowsInEachWordAlone) {
  const auto vectors = test::load_vectors("appstate-lthash.json");
  LtHash one;
  one.add(hex_at(vectors["expansion"], "valueMac"));
  EXPECT_EQ(hex_encode(one.bytes()), text_at(vectors["expansion"], "expanded"));
  const auto& carry = vectors["carry"];
  LtHash up(hex_at(carry, "base"));
  up.add(hex_at(carry, "valueMac"));
  EXPECT_EQ(hex_encode(up.bytes()), text_at(carry, "afterAdd"));
  LtHash down(hex_at(carry, "base"));
  down.subtract(hex_at(carry, "valueMac"));
  EXPECT_EQ(hex_encode(down.bytes()), text_at(carry, "afterSubtract"));
  LtHash hash;
  for (const auto& step : vectors["steps"]) {
    for (const auto& mac : step["subtracted"]) hash.subtract(*hex_decode(mac.asString()));
    for (const auto& mac : step["added"]) hash.add(*hex_decode(mac.asString()));
    EXPECT_EQ(hex_encode(hash.bytes()), text_at(step, "hashAfter"));
  }
  EXPECT_EQ(hash, LtHash());
}

TEST(AppState, EveryKindOfEntrySealsAndOpensToTheSameBytes) {
  const auto vectors = test::load_vectors("appstate-mutations.json");
  const SyncKeys keys = keys_of(vectors["key"]);
  ASSERT_EQ(vectors["mutations"].size(), 21U);
  for (const auto& one : vectors["mutations"]) {
    SCOPED_TRACE(text_at(one, "name"));
    SyncRecord record;
    record.operation = static_cast<SyncOperation>(one["operationCode"].asInt());
    const Bytes mac = hex_at(one, "indexMac");
    const Bytes blob = hex_at(one, "valueBlob");
    const Bytes key_id = hex_at(one, "recordKeyId");
    record.index_mac = mac;
    record.value_blob = blob;
    record.key_id = key_id;
    const auto entry = open_sync_record(keys, record);
    ASSERT_TRUE(entry) << entry.error().detail;
    EXPECT_EQ(entry->index, text_at(one, "indexJson"));
    EXPECT_EQ(entry->version, one["actionVersion"].asInt());
    const auto sealed = seal_sync_record(keys, key_id, record.operation, *entry, hex_at(one, "iv"));
    EXPECT_EQ(hex_encode(sealed.index_mac), text_at(one, "indexMac"));
    EXPECT_EQ(hex_encode(sealed.value_blob), text_at(one, "valueBlob"));

    Bytes wrong = blob;
    wrong[20] ^= std::byte{1};
    record.value_blob = wrong;
    EXPECT_EQ(open_sync_record(keys, record).error().code, Errc::crypto);
    record.value_blob = blob;
    record.operation =
        record.operation == SyncOperation::set ? SyncOperation::remove : SyncOperation::set;
    EXPECT_EQ(open_sync_record(keys, record).error().code, Errc::crypto) << "the operation counts";
  }
}

TEST(AppState, PatchesLeadFromStateToStateUnderTheirMacs) {
  const auto vectors = test::load_vectors("appstate-patch.json");
  std::map<std::string, SyncKeys> keys;
  for (const auto& key : vectors["keys"]) keys[text_at(key, "keyId")] = keys_of(key);
  const std::string collection = text_at(vectors, "collection");
  LtHash hash;
  Entries entries;
  for (const auto& one : vectors["patches"]) {
    SCOPED_TRACE(text_at(one, "note"));
    const Bytes received = hex_at(one, "patchAsReceived");
    auto patch = parse_sync_patch(received);
    ASSERT_TRUE(patch);
    const auto& state = one["stateAfter"];
    ASSERT_EQ(patch->version, state["version"].asUInt64());
    const SyncKeys& key = keys.at(hex_encode(patch->key_id));
    for (const SyncRecord& record : patch->records) {
      EXPECT_TRUE(open_sync_record(keys.at(hex_encode(record.key_id)), record));
      apply(record, entries, hash);
    }
    expect_state(state, hash, entries);
    EXPECT_EQ(hex_encode(sync_snapshot_mac(key, hash, *patch->version, collection)),
              text_at(one, "snapshotMac"));
    EXPECT_EQ(hex_encode(sync_patch_mac(key, patch->snapshot_mac, patch->records, *patch->version,
                                        collection)),
              text_at(one, "patchMac"));
    patch->version.reset();
    EXPECT_EQ(hex_encode(write_sync_patch(*patch, 12)), text_at(one, "patchAsSent"));
  }
}

TEST(AppState, ASnapshotIsWhatItsMacSays) {
  const auto vectors = test::load_vectors("appstate-snapshot.json");
  const SyncKeys keys = keys_of(vectors["key"]);
  const Bytes snapshot = hex_at(vectors, "snapshot");
  LtHash hash;
  Entries entries;
  std::vector<SyncRecord> records;
  FieldReader fields(snapshot);
  for (Field field; fields.next(field);) {
    if (field.number != 2) continue;
    const auto record = parse_sync_record(field.bytes);
    ASSERT_TRUE(record);
    records.push_back(*record);
    apply(*record, entries, hash);
  }
  EXPECT_TRUE(fields.ok());
  expect_state(vectors["stateAfter"], hash, entries);
  const auto mac =
      sync_snapshot_mac(keys, hash, vectors["version"].asUInt64(), text_at(vectors, "collection"));
  EXPECT_EQ(hex_encode(mac), text_at(vectors, "snapshotMac"));
  EXPECT_EQ(hex_encode(write_sync_snapshot(42, records, mac, hex_at(vectors["key"], "keyId"))),
            text_at(vectors, "snapshot"));

  const auto& external = vectors["external"];
  const auto blob = parse_external_blob(hex_at(external, "externalBlobReference"));
  ASSERT_TRUE(blob);
  EXPECT_EQ(blob->direct_path, text_at(external, "directPath"));
  EXPECT_EQ(hex_encode(blob->media_key), text_at(external, "mediaKey"));
  EXPECT_EQ(hex_encode(blob->enc_sha256), text_at(external, "fileEncSha256"));

  const auto& patch = vectors["externalPatch"];
  const Bytes mutations = hex_at(patch, "syncdMutations");
  const auto list = parse_sync_mutations(mutations);
  ASSERT_TRUE(list);
  for (const SyncRecord& record : *list) apply(record, entries, hash);
  expect_state(patch["stateAfter"], hash, entries);
}

TEST(AppState, BrokenFormsAreErrors) {
  const auto vectors = test::load_vectors("appstate-patch.json");
  const Bytes whole = hex_at(vectors["patches"][0], "patchAsReceived");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    (void)parse_sync_patch(ByteView(whole).first(size));  // sanitizers look on
  }
  FieldWriter record, mutation, patch;
  mutation.number(1, 2);
  patch.message(2, mutation);
  EXPECT_FALSE(parse_sync_patch(patch.out())) << "an operation that nobody knows";
}

}  // namespace
}  // namespace posthorn::wire
