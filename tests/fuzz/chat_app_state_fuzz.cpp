// App state as it comes from WhatsApp's server or out of a file: what is read can be written and
// read again, and an entry that carries the right MACs opens to what was sealed.
//
// Input: patches, snapshots, records and references, whichever it is.

#include "chat/state/collection.h"
#include "fuzz/fuzz_support.h"

using namespace posthorn;

namespace {

bool same(const wire::SyncRecord& a, const wire::SyncRecord& b) {
  return a.operation == b.operation && std::ranges::equal(a.index_mac, b.index_mac) &&
         std::ranges::equal(a.value_blob, b.value_blob) && std::ranges::equal(a.key_id, b.key_id);
}

void check_records(const std::vector<wire::SyncRecord>& records, const wire::SyncKeys& keys) {
  wire::LtHash hash;
  for (const auto& record : records) {
    (void)wire::open_sync_record(keys, record);
    hash.add(record.value_mac());
  }
  for (const auto& record : records) hash.subtract(record.value_mac());
  fuzz::require(hash == wire::LtHash(), "what was added can be taken away");
}

void check_patch(ByteView bytes, const wire::SyncKeys& keys) {
  const auto patch = wire::parse_sync_patch(bytes);
  if (!patch) return;
  check_records(patch->records, keys);
  // What lacks a part is read, and written by nobody.
  const auto whole = [](const wire::SyncRecord& one) {
    return !one.index_mac.empty() && !one.value_blob.empty() && !one.key_id.empty();
  };
  if (!std::ranges::all_of(patch->records, whole)) return;
  const Bytes written = wire::write_sync_patch(*patch, std::nullopt);
  const auto again = wire::parse_sync_patch(written);
  fuzz::require(again && again->version == patch->version, "a patch reads back the same");
  fuzz::require(std::ranges::equal(again->records, patch->records, same), "and its records");
}

void check_snapshot(ByteView bytes, const wire::SyncKeys& keys) {
  const auto snapshot = chat::parse_sync_snapshot(bytes);
  if (!snapshot) return;
  check_records(snapshot->records, keys);
  const Bytes written = wire::write_sync_snapshot(snapshot->version, snapshot->records,
                                                  snapshot->mac, snapshot->key_id);
  const auto again = chat::parse_sync_snapshot(written);
  fuzz::require(again && again->version == snapshot->version &&
                    std::ranges::equal(again->records, snapshot->records, same),
                "a snapshot reads back the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const wire::SyncKeys kKeys = wire::expand_sync_key(Bytes(32));
  const ByteView bytes = fuzz::Input(data, size).rest();
  check_patch(bytes, kKeys);
  check_snapshot(bytes, kKeys);
  if (const auto records = wire::parse_sync_mutations(bytes)) check_records(*records, kKeys);
  if (const auto blob = wire::parse_external_blob(bytes)) {
    const auto again = wire::parse_external_blob(wire::write_external_blob(*blob));
    fuzz::require(again && again->direct_path == blob->direct_path && again->size == blob->size,
                  "a reference reads back the same");
  }
  const wire::SyncEntry entry{to_string(bytes), to_bytes(bytes), 3};
  const auto sealed =
      wire::seal_sync_record(kKeys, as_bytes("key"), wire::SyncOperation::set, entry, Bytes(16));
  const auto opened = wire::open_sync_record(kKeys, sealed.view());
  fuzz::require(opened && opened->index == entry.index && opened->value == entry.value,
                "what is sealed opens");
  const auto index = chat::parse_sync_index(as_text(bytes));
  fuzz::require(chat::parse_sync_index(chat::write_sync_index(index)) == index, "so does an index");
  return 0;
}
