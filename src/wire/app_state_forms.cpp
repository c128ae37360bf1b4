#include "posthorn/wire/app_state.h"
#include "posthorn/wire/fields.h"

/// The protobuf forms of app state. Source: chapter 11 section 3.
namespace posthorn::wire {
namespace {

tl::unexpected<Error> malformed(const char* what) { return fail(Errc::malformed, what); }

/// The one field that a SyncdIndex, SyncdValue, KeyId or SyncdVersion has.
Field only_field(ByteView message) {
  FieldReader fields(message);
  Field found;
  for (Field field; fields.next(field);) {
    if (field.number == 1) found = field;
  }
  return found;
}

FieldWriter wrapped(ByteView bytes) {
  FieldWriter writer;
  writer.bytes(1, bytes);
  return writer;
}

FieldWriter wrapped(std::uint64_t number) {
  FieldWriter writer;
  writer.number(1, number);
  return writer;
}

FieldWriter write_record(const SyncRecord& record) {
  FieldWriter writer;
  writer.message(1, wrapped(record.index_mac));
  writer.message(2, wrapped(record.value_blob));
  writer.message(3, wrapped(record.key_id));
  return writer;
}

Result<SyncRecord> parse_mutation(ByteView bytes) {
  std::uint64_t operation = 0;
  SyncRecord record;
  FieldReader fields(bytes);
  for (Field field; fields.next(field);) {
    if (field.number == 1) operation = field.value;
    if (field.number == 2) {
      TRY(record, parse_sync_record(field.bytes));
    }
  }
  if (!fields.ok()) return malformed("app state: mutation");
  if (operation > 1) return malformed("app state: unknown operation");
  record.operation = static_cast<SyncOperation>(operation);
  return record;
}

}  // namespace

Result<SyncRecord> parse_sync_record(ByteView bytes) {
  SyncRecord record;
  FieldReader fields(bytes);
  for (Field field; fields.next(field);) {
    if (field.number == 1) record.index_mac = only_field(field.bytes).bytes;
    if (field.number == 2) record.value_blob = only_field(field.bytes).bytes;
    if (field.number == 3) record.key_id = only_field(field.bytes).bytes;
  }
  if (!fields.ok()) return malformed("app state: record");
  if (record.index_mac.size() != kSyncMac || record.value_mac().empty() || record.key_id.empty()) {
    return malformed("app state: record without index, value or key");
  }
  return record;
}

Result<ExternalBlob> parse_external_blob(ByteView bytes) {
  ExternalBlob blob;
  FieldReader fields(bytes);
  for (Field field; fields.next(field);) {
    if (field.number == 1) blob.media_key = to_bytes(field.bytes);
    if (field.number == 2) blob.direct_path = to_string(field.bytes);
    if (field.number == 4) blob.size = field.value;
    if (field.number == 5) blob.sha256 = to_bytes(field.bytes);
    if (field.number == 6) blob.enc_sha256 = to_bytes(field.bytes);
  }
  if (!fields.ok() || blob.media_key.size() != 32 || blob.direct_path.empty()) {
    return malformed("app state: reference to a file");
  }
  return blob;
}

Bytes write_external_blob(const ExternalBlob& blob) {
  FieldWriter writer;
  writer.bytes(1, blob.media_key).text(2, blob.direct_path).number(4, blob.size);
  writer.bytes(5, blob.sha256).bytes(6, blob.enc_sha256);
  return writer.take();
}

Result<SyncPatch> parse_sync_patch(ByteView bytes) {
  SyncPatch patch;
  FieldReader fields(bytes);
  for (Field field; fields.next(field);) {
    if (field.number == 1) patch.version = only_field(field.bytes).value;
    if (field.number == 2) {
      TRY(const SyncRecord record, parse_mutation(field.bytes));
      patch.records.push_back(record);
    }
    if (field.number == 3) {
      TRY(patch.external, parse_external_blob(field.bytes));
    }
    if (field.number == 4) patch.snapshot_mac = field.bytes;
    if (field.number == 5) patch.patch_mac = field.bytes;
    if (field.number == 6) patch.key_id = only_field(field.bytes).bytes;
  }
  if (!fields.ok()) return malformed("app state: patch");
  return patch;
}

Result<std::vector<SyncRecord>> parse_sync_mutations(ByteView bytes) {
  std::vector<SyncRecord> records;
  FieldReader fields(bytes);
  for (Field field; fields.next(field);) {
    if (field.number != 1) continue;
    TRY(const SyncRecord record, parse_mutation(field.bytes));
    records.push_back(record);
  }
  if (!fields.ok()) return malformed("app state: mutations");
  return records;
}

Bytes write_sync_patch(const SyncPatch& patch, std::optional<std::uint32_t> device) {
  FieldWriter writer;
  if (patch.version) writer.message(1, wrapped(*patch.version));
  for (const SyncRecord& record : patch.records) {
    FieldWriter mutation;
    mutation.number(1, static_cast<std::uint64_t>(record.operation));
    mutation.message(2, write_record(record));
    writer.message(2, mutation);
  }
  if (patch.external) writer.bytes(3, write_external_blob(*patch.external));
  writer.bytes(4, patch.snapshot_mac).bytes(5, patch.patch_mac);
  writer.message(6, wrapped(patch.key_id));
  if (device) writer.number(8, *device);
  return writer.take();
}

Bytes write_sync_snapshot(std::uint64_t version, const std::vector<SyncRecord>& records,
                          ByteView mac, ByteView key_id) {
  FieldWriter writer;
  writer.message(1, wrapped(version));
  for (const SyncRecord& record : records) writer.message(2, write_record(record));
  writer.bytes(3, mac).message(4, wrapped(key_id));
  return writer.take();
}

}  // namespace posthorn::wire
