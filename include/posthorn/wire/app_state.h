#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/result.h"

/// The sealed form of a person's chat settings and contacts, which her devices share through the
/// server ("app state"): entries, patches, snapshots and the MACs that hold them together. Only
/// formats and arithmetic; who keeps what is chat's. Source: chapter 11 sections 2 - 6.
namespace posthorn::wire {

constexpr std::size_t kSyncMac = 32;
using SyncMac = std::array<std::byte, kSyncMac>;

/// What one sync key is expanded to. Section 2.2.
struct SyncKeys {
  crypto::Key32 index{}, value{}, value_mac{}, snapshot_mac{}, patch_mac{};
};
[[nodiscard]] SyncKeys expand_sync_key(ByteView key_data);

/// Sum over the value MACs of all live entries, whatever their order. Section 5.
class LtHash {
 public:
  static constexpr std::size_t kSize = 128;

  LtHash() = default;
  /// As it was kept; anything but 128 bytes is an empty sum.
  explicit LtHash(ByteView kept);
  void add(ByteView value_mac);
  void subtract(ByteView value_mac);
  [[nodiscard]] ByteView bytes() const { return sum_; }
  bool operator==(const LtHash&) const = default;

 private:
  void combine(ByteView value_mac, bool subtract);
  std::array<std::byte, kSize> sum_{};
};

enum class SyncOperation : std::uint8_t { set = 0, remove = 1 };

/// One entry as it travels. Views live as long as what they were parsed from.
struct SyncRecord {
  SyncOperation operation = SyncOperation::set;
  ByteView index_mac;
  ByteView value_blob;
  ByteView key_id;

  /// The last 32 bytes of the blob; empty when it is too short to be one.
  [[nodiscard]] ByteView value_mac() const;
};

/// One entry opened: what it names, and a SyncActionValue.
struct SyncEntry {
  std::string index;  ///< JSON array of texts
  Bytes value;
  std::int64_t version = 0;
};

/// Errors: crypto (a MAC is wrong), malformed.
[[nodiscard]] Result<SyncEntry> open_sync_record(const SyncKeys& keys, const SyncRecord& record);

/// An entry sealed for a patch.
struct SealedRecord {
  SyncOperation operation = SyncOperation::set;
  Bytes index_mac, value_blob, key_id;
  [[nodiscard]] SyncRecord view() const { return {operation, index_mac, value_blob, key_id}; }
};
[[nodiscard]] SealedRecord seal_sync_record(const SyncKeys& keys, ByteView key_id,
                                            SyncOperation operation, const SyncEntry& entry,
                                            ByteView iv16);
[[nodiscard]] crypto::Sha256 sync_index_mac(const SyncKeys& keys, std::string_view index);

/// version: of the collection after the patch.
[[nodiscard]] crypto::Sha256 sync_snapshot_mac(const SyncKeys& keys, const LtHash& hash,
                                               std::uint64_t version, std::string_view collection);
[[nodiscard]] crypto::Sha256 sync_patch_mac(const SyncKeys& keys, ByteView snapshot_mac,
                                            const std::vector<SyncRecord>& records,
                                            std::uint64_t version, std::string_view collection);

/// A file on WhatsApp's media hosts that holds a snapshot, or the entries of a large patch.
struct ExternalBlob {
  Bytes media_key;
  std::string direct_path;
  std::uint64_t size = 0;
  Bytes sha256, enc_sha256;
};
[[nodiscard]] Result<ExternalBlob> parse_external_blob(ByteView bytes);
[[nodiscard]] Bytes write_external_blob(const ExternalBlob& blob);

/// A step of a collection from one version to the next. Views into what it was parsed from.
struct SyncPatch {
  std::optional<std::uint64_t>
      version;  ///< the one it leads to; patches on their way out have none
  std::vector<SyncRecord> records;
  std::optional<ExternalBlob> external;  ///< the records are there instead
  ByteView snapshot_mac, patch_mac, key_id;
};
/// Errors: malformed, also for an operation that is neither set nor remove.
[[nodiscard]] Result<SyncPatch> parse_sync_patch(ByteView bytes);
/// The records of an external blob (SyncdMutations).
[[nodiscard]] Result<std::vector<SyncRecord>> parse_sync_mutations(ByteView bytes);
[[nodiscard]] Bytes write_sync_patch(const SyncPatch& patch, std::optional<std::uint32_t> device);

/// One record of a SyncdSnapshot; it counts as set. Errors: malformed.
[[nodiscard]] Result<SyncRecord> parse_sync_record(ByteView bytes);
/// The snapshot as a whole, for whoever makes one.
[[nodiscard]] Bytes write_sync_snapshot(std::uint64_t version,
                                        const std::vector<SyncRecord>& records, ByteView mac,
                                        ByteView key_id);

}  // namespace posthorn::wire
