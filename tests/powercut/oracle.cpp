#include "oracle.h"

#include <algorithm>
#include <set>

namespace posthorn::powercut {

namespace {

/// More than a small ring holds: what is copied with each moment that is looked at.
constexpr std::size_t kConfirmedKept = 500;

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
  confirmed_.emplace(sequence, taken.mapped());
  if (confirmed_.size() > kConfirmedKept) confirmed_.erase(confirmed_.begin());
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
  for (const auto& [order, position] : advances_) {
    if (order > acks_issued) continue;
    reader_durable_ = true;
    reader_position_ = std::max(reader_position_, position);
  }
  std::erase_if(advances_, [&](const auto& one) { return one.first <= acks_issued; });
}

std::string Oracle::check_reading(Sequence since, const RingFile::Reading& reading) const {
  Sequence last = since;
  for (const auto& [entry, payload] : reading.entries) {
    if (entry.sequence <= last) return "the reader got them out of order";
    last = entry.sequence;
    const auto sent = confirmed_.find(entry.sequence);
    // Of a write that a cut hit some may be there that nobody was told of.
    if (sent != confirmed_.end() && sent->second.payload() != payload) {
      return name(sent->second.id) + " reached the reader as another";
    }
  }
  std::uint64_t owed = 0;
  for (auto at = confirmed_.upper_bound(since);
       at != confirmed_.end() && at->first <= reading.position; ++at) {
    ++owed;
  }
  if (reading.entries.size() + reading.lost < owed) return "the reader was not told of a loss";
  return {};
}

/// A position is where it was brought to disk last, or further on the way to where it was asked to.
std::string Oracle::adopt_reader(const RingFile& ring) {
  const auto readers = ring.readers();
  if (readers.empty() && !reader_durable_) {
    advances_.clear();
    return {};
  }
  if (readers.size() != 1) return "the named reader is gone, or there is another";
  Sequence furthest = reader_position_;
  for (const auto& [order, position] : advances_) furthest = std::max(furthest, position);
  if (readers[0].position < reader_position_) return "the named reader's position went back";
  if (reader_durable_ && readers[0].position > furthest) return "the named reader skipped";
  reader_durable_ = true;
  reader_position_ = readers[0].position;
  advances_.clear();
  return {};
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
  if (entry.label != queue::Label(found.worth()) || entry.accepted_at != found.accepted_at() ||
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
  if (std::string reader = adopt_reader(ring); !reader.empty()) return reader;
  for (const auto& [sequence, sent] : now) confirmed_.emplace(sequence, sent);
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
