#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "throttle/chat_key.h"
#include "throttle/regulars.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

/// What we know of one chat. 64 bytes, at most kMaxChats of them.
struct ChatRecord {
  enum Flag : std::uint8_t {
    has_inbound = 1,
    opted_out = 2,
    by_operator = 4,  ///< opted_out was entered by a person
    checked_yes = 8,  ///< is on WhatsApp, as of `checked`
    checked_no = 16,
    confirm_due = 32,       ///< one confirmation of the opt-out may still go
    reachout_refused = 64,  ///< a 463: nothing to this chat before the resume
    listed = 128            ///< has_inbound is a list's word: the number is checked once
  };
  ChatKey key;
  std::uint8_t flags = 0;
  std::uint8_t run = 0;  ///< messages of ours since the last inbound one, saturating
  std::array<std::uint8_t, 2> before{};  ///< seconds from the two sends before last_out to it
  std::uint32_t touched = 0;             ///< for least recently used
  Tick last_out = 0;                     ///< 0: never
  std::uint32_t last_in = 0;             ///< stamps; 0: never
  std::uint32_t checked = 0;
  std::uint32_t opted = 0;
  std::uint32_t joined = 0;  ///< groups: since when we are in it, as far as we know
  std::uint32_t text = 0;    ///< first 32 bits of the hash of the last text, known and first lane
  std::uint32_t text_at = 0;

  [[nodiscard]] bool is(Flag flag) const { return (flags & flag) != 0; }
  void set(Flag flag, bool on = true) {
    flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag);
  }
};
static_assert(sizeof(ChatRecord) <= 64);

inline constexpr std::size_t kMaxChats = 20'000;
inline constexpr std::size_t kChatsPerPage = 60;  ///< one page is one blob of about 4 KB
inline constexpr std::size_t kMaxPages = (kMaxChats + kChatsPerPage - 1) / kChatsPerPage;

/// The chats, in pages that grow on demand and are saved one by one.
class Chats {
 public:
  using Page = std::array<ChatRecord, kChatsPerPage>;

  Chats() : index_(KeyOf{this}) {}
  Chats(const Chats&) = delete;
  Chats& operator=(const Chats&) = delete;

  /// nullptr: never heard of it.
  [[nodiscard]] const ChatRecord* find(const ChatKey& key) const;
  /// The record for changing it; its page is then dirty. Makes one of what `regulars` knows, at the
  /// price of the least recently used one, which goes there, when all are taken. nullptr: all are
  /// taken by opted-out chats.
  [[nodiscard]] ChatRecord* touch(const ChatKey& key, Tick now);

  /// Makes the record of somebody whom so far only `regulars` knows.
  void recall(const ChatKey& key, Tick now) {
    if (find(key) == nullptr && regulars.find(key) != nullptr) (void)touch(key, now);
  }
  /// What the phone's history or a list says of a chat.
  void learn(const ChatKey& key, const Regular& facts, Tick now);

  Regulars regulars;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t opted_out() const { return opted_out_; }
  /// Forgets one; nothing when there is none.
  void erase(const ChatKey& key);
  /// Keeps the count; use instead of ChatRecord::set for this flag.
  void set_opted_out(ChatRecord& record, bool on);

  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t slot = 0; slot < size_; ++slot) visit(at(slot));
  }
  /// For rare sweeps that change records; marks pages where visit() returns true.
  template <class Visit>
  void change_each(Visit visit) {
    for (std::size_t slot = 0; slot < size_; ++slot) {
      if (visit(at(slot))) dirty_[slot / kChatsPerPage] = true;
    }
  }

  // Pages, for saving and loading -------------------------------------------------------------
  [[nodiscard]] std::size_t pages() const { return pages_.size(); }
  [[nodiscard]] bool dirty(std::size_t page) const { return dirty_[page]; }
  void mark_clean(std::size_t page) { dirty_[page] = false; }
  [[nodiscard]] const Page& page(std::size_t page) const { return *pages_[page]; }
  /// Adds one loaded record; duplicates and empty ones are dropped.
  void load(const ChatRecord& record);
  void mark_all_dirty() { dirty_.assign(dirty_.size(), true); }
  void clear();

 private:
  struct KeyOf {
    const Chats* chats;
    const ChatKey& operator()(std::uint32_t slot) const { return chats->at(slot).key; }
  };
  [[nodiscard]] const ChatRecord& at(std::size_t slot) const {
    return (*pages_[slot / kChatsPerPage])[slot % kChatsPerPage];
  }
  [[nodiscard]] ChatRecord& at(std::size_t slot) {
    return (*pages_[slot / kChatsPerPage])[slot % kChatsPerPage];
  }
  std::uint32_t add(const ChatKey& key);
  [[nodiscard]] std::uint32_t least_recently_used() const;

  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<bool> dirty_;
  std::size_t size_ = 0;
  std::size_t opted_out_ = 0;
  FlatIndex<KeyOf> index_;
};

}  // namespace posthorn::throttle
