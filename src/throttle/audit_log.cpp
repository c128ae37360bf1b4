#include "throttle/audit_log.h"

#include <algorithm>

#include "posthorn/base/crypto.h"
#include "posthorn/base/log.h"
#include "throttle/codec.h"

namespace posthorn::throttle {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kHead = "throttle/audit/head";

template <class A>
void fields_of(AuditRecord& r, std::int64_t& time_ms, A& a) {
  a(r.number);
  a(time_ms);
  a(r.who);
  a(r.what);
  a(r.before);
  a(r.after);
  a(r.reason);
  a(r.previous_hash);
  a(r.hash);
}

void encode_record(const AuditRecord& record, Encoder& out) {
  AuditRecord copy = record;
  std::int64_t time_ms = record.time.since_epoch.count();
  fields_of(copy, time_ms, out);
}

AuditRecord decode_record(Decoder& in) {
  AuditRecord record;
  std::int64_t time_ms = 0;
  fields_of(record, time_ms, in);
  record.time = {milliseconds(time_ms), true};
  return record;
}

}  // namespace

std::string audit_hash(const AuditRecord& record) {
  Encoder out;
  AuditRecord unsigned_record = record;
  unsigned_record.hash.clear();
  encode_record(unsigned_record, out);
  return hex_encode(crypto::sha256(out.take()));
}

std::string AuditLog::name_of(std::uint64_t segment) {
  return "throttle/audit/" + std::to_string(segment % kSegments);
}

Result<std::vector<AuditRecord>> AuditLog::load_segment(std::uint64_t segment) const {
  TRY(const auto blob, blobs_.load(name_of(segment)));
  std::vector<AuditRecord> records;
  if (!blob || blob->empty() || blob->front() != std::byte{kVersion}) return records;
  Decoder in(ByteView(*blob).subspan(1));
  while (in.ok() && !in.done()) {
    AuditRecord record = decode_record(in);
    if (in.ok() && record.number / kPerSegment == segment) records.push_back(std::move(record));
  }
  return records;
}

Result<void> AuditLog::load() {
  TRY(const auto head, blobs_.load(kHead));
  if (!head) return {};
  Decoder in(*head);
  std::uint8_t version = 0;
  in(version);
  in(next_);
  in(last_hash_);
  if (!in.ok() || version != kVersion) {
    log::error("throttle", "the head of the audit log is damaged; a new chain starts");
    next_ = 0;
    last_hash_ = std::string(64, '0');
    return {};
  }
  TRY(segment_, load_segment(next_ / kPerSegment));
  return {};
}

Result<void> AuditLog::append(AuditRecord record) {
  record.number = next_;
  record.previous_hash = last_hash_;
  record.hash = audit_hash(record);
  if (next_ % kPerSegment == 0) segment_.clear();
  last_hash_ = record.hash;
  segment_.push_back(std::move(record));
  ++next_;
  Encoder out;
  out(kVersion);
  for (const AuditRecord& each : segment_) encode_record(each, out);
  TRY(blobs_.save(name_of((next_ - 1) / kPerSegment), out.take()));
  Encoder head;
  head(kVersion);
  head(next_);
  head(last_hash_);
  return blobs_.save(kHead, head.take());
}

Result<std::vector<AuditRecord>> AuditLog::newest(std::size_t limit) const {
  std::vector<AuditRecord> out;
  const std::uint64_t first = next_ > limit ? next_ - limit : 0;
  const std::uint64_t last_segment = next_ == 0 ? 0 : (next_ - 1) / kPerSegment;
  const std::uint64_t oldest_kept = last_segment >= kSegments ? last_segment - kSegments + 1 : 0;
  for (std::uint64_t s = std::max(first / kPerSegment, oldest_kept); s <= last_segment; ++s) {
    TRY(std::vector<AuditRecord> records, load_segment(s));
    for (AuditRecord& record : records) {
      if (record.number >= first) out.push_back(std::move(record));
    }
  }
  return out;
}

}  // namespace posthorn::throttle
