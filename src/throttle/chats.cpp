#include "throttle/chats.h"

#include <algorithm>

namespace posthorn::throttle {
namespace {
constexpr std::uint32_t kNone = 0xffffffffU;
}

const ChatRecord* Chats::find(const ChatKey& key) const {
  const std::uint32_t slot = index_.find(key);
  return slot == kNone ? nullptr : &at(slot);
}

ChatRecord* Chats::touch(const ChatKey& key, Tick now) {
  std::uint32_t slot = index_.find(key);
  if (slot == kNone) slot = add(key);
  if (slot == kNone) return nullptr;
  ChatRecord& record = at(slot);
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
    index_.erase(at(slot).key);
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
}

}  // namespace posthorn::throttle
