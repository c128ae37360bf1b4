#include "throttle/chats.h"

#include <algorithm>

namespace posthorn::throttle {
namespace {
constexpr std::uint32_t kNone = 0xffffffffU;

/// Adds what is known from before to a record.
void take_in(ChatRecord& record, const Regular& known) {
  const std::uint32_t in = to_stamp(from_day(known.in_day));
  const Tick out = from_day(known.out_day);
  if (in >= record.last_in && record.last_out <= out) record.run = std::max(record.run, known.run);
  record.last_in = std::max(record.last_in, in);
  record.last_out = std::max(record.last_out, out);
  const std::uint32_t joined = to_stamp(from_day(known.joined_day));
  if (record.joined == 0 || (joined != 0 && joined < record.joined)) record.joined = joined;
  if ((known.flags & Regular::wrote) == 0) return;
  const bool listed = (known.flags & Regular::listed) != 0;
  record.set(ChatRecord::listed,
             listed && (!record.is(ChatRecord::has_inbound) || record.is(ChatRecord::listed)));
  record.set(ChatRecord::has_inbound);
}

Regular summary_of(const ChatRecord& record) {
  Regular out;
  out.in_day = to_day(from_stamp(record.last_in));
  out.out_day = to_day(record.last_out);
  out.joined_day = to_day(from_stamp(record.joined));
  out.run = record.run;
  if (record.is(ChatRecord::has_inbound)) out.flags |= Regular::wrote;
  if (record.is(ChatRecord::listed)) out.flags |= Regular::listed;
  return out;
}

}  // namespace

const ChatRecord* Chats::find(const ChatKey& key) const {
  const std::uint32_t slot = index_.find(key);
  return slot == kNone ? nullptr : &at(slot);
}

ChatRecord* Chats::touch(const ChatKey& key, Tick now) {
  std::uint32_t slot = index_.find(key);
  const bool made = slot == kNone;
  if (made) slot = add(key);
  if (slot == kNone) return nullptr;
  ChatRecord& record = at(slot);
  if (const Regular* known = made ? regulars.find(key) : nullptr) take_in(record, *known);
  record.touched = std::max(record.touched, to_stamp(now));
  dirty_[slot / kChatsPerPage] = true;
  return &record;
}

void Chats::erase(const ChatKey& key) {
  const std::uint32_t slot = index_.find(key);
  if (slot == kNone) return;
  set_opted_out(at(slot), false);
  index_.erase(key);
  const auto last = static_cast<std::uint32_t>(size_ - 1);
  if (slot != last) {
    index_.erase(at(last).key);
    at(slot) = at(last);
    index_.insert(slot);
  }
  at(last) = ChatRecord{};
  dirty_[slot / kChatsPerPage] = dirty_[last / kChatsPerPage] = true;
  --size_;
}

void Chats::set_opted_out(ChatRecord& record, bool on) {
  if (record.is(ChatRecord::opted_out) == on) return;
  record.set(ChatRecord::opted_out, on);
  opted_out_ = on ? opted_out_ + 1 : opted_out_ - 1;
}

std::uint32_t Chats::add(const ChatKey& key) {
  std::uint32_t slot = kNone;
  if (size_ < kMaxChats) {
    if (size_ == pages_.size() * kChatsPerPage) {
      pages_.push_back(std::make_unique<Page>());
      dirty_.push_back(false);
    }
    slot = static_cast<std::uint32_t>(size_++);
  } else {
    slot = least_recently_used();
    if (slot == kNone) return kNone;
    const ChatRecord& old = at(slot);
    const Regular rest = summary_of(old);
    if (rest.newest() != 0 || rest.flags != 0) regulars.learn(old.key, rest);
    index_.erase(old.key);
  }
  at(slot) = ChatRecord{};
  at(slot).key = key;
  index_.insert(slot);
  return slot;
}

std::uint32_t Chats::least_recently_used() const {
  std::uint32_t found = kNone;
  std::uint32_t oldest = kNone;
  for (std::size_t slot = 0; slot < size_; ++slot) {
    const ChatRecord& record = at(slot);
    if (record.is(ChatRecord::opted_out) || record.touched >= oldest) continue;
    oldest = record.touched;
    found = static_cast<std::uint32_t>(slot);
  }
  return found;
}

void Chats::learn(const ChatKey& key, const Regular& facts, Tick now) {
  regulars.learn(key, facts);
  if (find(key) == nullptr) return;
  take_in(*touch(key, now), facts);
}

void Chats::load(const ChatRecord& record) {
  if (record.key.kind == ChatKey::Kind::none || size_ >= kMaxChats) return;
  if (index_.find(record.key) != kNone) return;
  const std::uint32_t slot = add(record.key);
  at(slot) = record;
  if (record.is(ChatRecord::opted_out)) ++opted_out_;
}

void Chats::clear() {
  pages_.clear();
  dirty_.clear();
  size_ = 0;
  opted_out_ = 0;
  index_.clear();
  regulars.clear();
}

}  // namespace posthorn::throttle
