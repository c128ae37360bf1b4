#include "oracle.h"

#include <algorithm>
#include <set>

namespace posthorn::powercut {

namespace {

std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t load(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return value;
}

std::string name(std::uint64_t id) { return "message " + std::to_string(id); }

}  // namespace

Bytes Sent::payload() const {
  Bytes out(length);
  for (std::size_t at = 0; at < length; at += 8) {
    const std::uint64_t word = at == 0 ? id : mix(id + at);
    for (std::size_t i = 0; i < 8 && at + i < length; ++i) {
      out[at + i] = static_cast<std::byte>(word >> (8 * i));
    }
  }
  return out;
}

void Oracle::on_offered(const Sent& sent) { offered_.emplace(sent.id, sent); }

void Oracle::on_confirmed(std::uint64_t id, Sequence sequence) {
  const auto taken = offered_.extract(id);
  pending_.emplace(sequence, taken.mapped());
  failed_.clear();  // whatever was written in their place is on the medium
}

void Oracle::on_failed(std::uint64_t id, Errc code) {
  const auto taken = offered_.extract(id);
  // A refusal never reached the disk.
  if (code == Errc::io || code == Errc::cancelled) failed_.emplace(id, taken.mapped());
}

void Oracle::on_acked(Sequence sequence) {
  const auto taken = pending_.extract(sequence);
  if (!taken) return;
  acked_[sequence] = {taken.mapped(), ++acks_issued_};
}

void Oracle::on_acks_durable(std::uint64_t acks_issued) {
  std::erase_if(acked_, [&](const auto& one) { return one.second.order <= acks_issued; });
}

std::string Oracle::check_one(const Entry& entry, ByteView payload, Sent& found) const {
  if (payload.size() < 8) return "a payload that was never sent";
  const std::uint64_t id = load(payload);
  const auto pending = pending_.find(entry.sequence);
  const auto acked = acked_.find(entry.sequence);
  if (pending != pending_.end()) {
    found = pending->second;
  } else if (acked != acked_.end()) {
    found = acked->second.sent;
  } else if (const auto offered = offered_.find(id); offered != offered_.end()) {
    found = offered->second;
  } else if (const auto failed = failed_.find(id); failed != failed_.end()) {
    found = failed->second;
  } else {
    return name(id) + " came back from the dead, or was never sent";
  }
  const Bytes expected = found.payload();
  if (!std::equal(payload.begin(), payload.end(), expected.begin(), expected.end())) {
    return name(found.id) + " has another's payload, or a damaged one";
  }
  if (entry.label != Label(found.worth()) || entry.accepted_at != found.accepted_at() ||
      entry.accepted_at.trusted != found.accepted_at().trusted) {
    return name(found.id) + " has wrong attributes";
  }
  return {};
}

std::string Oracle::check(RingFile& ring) const {
  Oracle copy = *this;
  return copy.adopt(ring);
}

std::string Oracle::adopt(RingFile& ring) {
  std::map<Sequence, Sent> now;
  std::set<std::uint64_t> ids;
  std::string wrong;
  const auto seen = ring.for_each_pending([&](const Entry& entry, ByteView payload) {
    if (!wrong.empty()) return;
    Sent found;
    wrong = check_one(entry, payload, found);
    if (!wrong.empty()) return;
    if (!ids.insert(found.id).second) wrong = name(found.id) + " is there twice";
    if (!now.empty() && now.rbegin()->first >= entry.sequence) wrong = "out of order";
    now.emplace(entry.sequence, found);
  });
  if (!wrong.empty()) return wrong;
  if (!seen) return to_string(seen.error());
  for (const auto& [sequence, sent] : pending_) {
    if (!now.contains(sequence)) return name(sent.id) + " was confirmed and is gone";
  }
  if (now.size() != ring.status().pending) return "an entry could not be read";
  pending_ = std::move(now);
  offered_.clear();
  failed_.clear();
  acked_.clear();
  return {};
}

std::string Oracle::compare_live(const RingFile& ring) const {
  auto entry = ring.first();
  for (const auto& [sequence, sent] : pending_) {
    if (!entry || entry->sequence != sequence || entry->length != sent.length) {
      return "the ring and the model differ at sequence " + std::to_string(sequence);
    }
    entry = ring.next(entry->sequence);
  }
  return entry ? "the ring has more than the model" : "";
}

}  // namespace posthorn::powercut
