#include "posthorn/wire/app_state.h"

#include <mbedtls/md.h>

#include <algorithm>

#include "posthorn/wire/fields.h"

namespace posthorn::wire {
namespace {

constexpr std::size_t kIv = 16;

Bytes big_endian64(std::uint64_t value) {
  Bytes out(8);
  for (std::size_t i = 8; i-- > 0; value >>= 8) out[i] = static_cast<std::byte>(value & 0xFF);
  return out;
}

/// Section 4, steps 4 and 5: the only MAC of SHA-512 here, and cut to half.
SyncMac value_mac_of(const SyncKeys& keys, SyncOperation operation, ByteView key_id,
                     ByteView iv_and_cipher) {
  Bytes input{static_cast<std::byte>(static_cast<unsigned>(operation) + 1)};
  append(input, key_id);
  const std::size_t associated = input.size();
  append(input, iv_and_cipher);
  append(input, big_endian64(associated));
  std::array<unsigned char, 64> full{};
  mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA512),
                  reinterpret_cast<const unsigned char*>(keys.value_mac.data()),
                  keys.value_mac.size(), reinterpret_cast<const unsigned char*>(input.data()),
                  input.size(), full.data());
  SyncMac mac;
  std::transform(full.begin(), full.begin() + kSyncMac, mac.begin(),
                 [](unsigned char byte) { return static_cast<std::byte>(byte); });
  return mac;
}

}  // namespace

SyncKeys expand_sync_key(ByteView key_data) {
  const Bytes all = crypto::hkdf_sha256(key_data, {}, as_bytes("WhatsApp Mutation Keys"), 160);
  SyncKeys keys;
  std::size_t at = 0;
  for (auto* key :
       {&keys.index, &keys.value, &keys.value_mac, &keys.snapshot_mac, &keys.patch_mac}) {
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at), key->size(), key->begin());
    at += key->size();
  }
  return keys;
}

LtHash::LtHash(ByteView kept) {
  if (kept.size() == kSize) std::copy(kept.begin(), kept.end(), sum_.begin());
}

void LtHash::add(ByteView value_mac) { combine(value_mac, false); }

void LtHash::subtract(ByteView value_mac) { combine(value_mac, true); }

void LtHash::combine(ByteView value_mac, bool subtract) {
  const Bytes term =
      crypto::hkdf_sha256(value_mac, {}, as_bytes("WhatsApp Patch Integrity"), kSize);
  for (std::size_t i = 0; i < kSize; i += 2) {
    const auto word = [i](const auto& bytes) {
      return std::to_integer<unsigned>(bytes[i]) | std::to_integer<unsigned>(bytes[i + 1]) << 8;
    };
    const unsigned sum = subtract ? word(sum_) - word(term) : word(sum_) + word(term);
    sum_[i] = static_cast<std::byte>(sum & 0xFF);
    sum_[i + 1] = static_cast<std::byte>(sum >> 8 & 0xFF);
  }
}

ByteView SyncRecord::value_mac() const {
  return value_blob.size() < kIv + kSyncMac ? ByteView() : value_blob.last(kSyncMac);
}

crypto::Sha256 sync_index_mac(const SyncKeys& keys, std::string_view index) {
  return crypto::hmac_sha256(keys.index, as_bytes(index));
}

Result<SyncEntry> open_sync_record(const SyncKeys& keys, const SyncRecord& record) {
  const ByteView mac = record.value_mac();
  if (mac.empty()) return fail(Errc::malformed, "app state: value too short");
  const ByteView sealed = record.value_blob.first(record.value_blob.size() - kSyncMac);
  if (!equal_constant_time(value_mac_of(keys, record.operation, record.key_id, sealed), mac)) {
    return fail(Errc::crypto, "app state: value MAC");
  }
  TRY(const Bytes plain,
      crypto::aes_cbc_decrypt(keys.value, sealed.first(kIv), sealed.subspan(kIv)));
  SyncEntry entry;
  FieldReader fields(plain);
  for (Field field; fields.next(field);) {
    if (field.number == 1) entry.index = to_string(field.bytes);
    if (field.number == 2) entry.value = to_bytes(field.bytes);
    if (field.number == 4) entry.version = field.integer();
  }
  if (!fields.ok()) return fail(Errc::malformed, "app state: entry");
  if (!equal_constant_time(sync_index_mac(keys, entry.index), record.index_mac)) {
    return fail(Errc::crypto, "app state: index MAC");
  }
  return entry;
}

SealedRecord seal_sync_record(const SyncKeys& keys, ByteView key_id, SyncOperation operation,
                              const SyncEntry& entry, ByteView iv16) {
  FieldWriter data;
  data.text(1, entry.index).bytes(2, entry.value).bytes(3, {});
  data.number(4, static_cast<std::uint64_t>(entry.version));
  SealedRecord record;
  record.operation = operation;
  record.key_id = to_bytes(key_id);
  record.index_mac = to_bytes(ByteView(sync_index_mac(keys, entry.index)));
  record.value_blob = to_bytes(iv16);
  append(record.value_blob, crypto::aes_cbc_encrypt(keys.value, iv16, data.out()));
  append(record.value_blob, value_mac_of(keys, operation, key_id, record.value_blob));
  return record;
}

crypto::Sha256 sync_snapshot_mac(const SyncKeys& keys, const LtHash& hash, std::uint64_t version,
                                 std::string_view collection) {
  return crypto::hmac_sha256(keys.snapshot_mac,
                             concat({hash.bytes(), big_endian64(version), as_bytes(collection)}));
}

crypto::Sha256 sync_patch_mac(const SyncKeys& keys, ByteView snapshot_mac,
                              const std::vector<SyncRecord>& records, std::uint64_t version,
                              std::string_view collection) {
  Bytes input = to_bytes(snapshot_mac);
  for (const SyncRecord& record : records) append(input, record.value_mac());
  append(input, big_endian64(version));
  append(input, as_bytes(collection));
  return crypto::hmac_sha256(keys.patch_mac, input);
}

}  // namespace posthorn::wire
