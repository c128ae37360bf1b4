#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "throttle/chat_key.h"
#include "throttle/flat_index.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

/// What is known of one chat from before: days of policy time, 0: never.
struct Regular {
  enum Flag : std::uint8_t {
    wrote = 1,   ///< the person has written to us, or somebody who may say so says that they have
    listed = 2,  ///< we have that from a list only: nobody has seen a message of theirs
  };
  std::uint64_t id = 0;  ///< id_of(); 0: free
  std::uint16_t in_day = 0;
  std::uint16_t out_day = 0;
  std::uint16_t joined_day = 0;  ///< groups: since when we are in them
  std::uint8_t run = 0;          ///< messages of ours since the last of theirs, saturating
  std::uint8_t flags = 0;

  /// The newest day on which anything was.
  [[nodiscard]] std::uint16_t newest() const;
};
static_assert(sizeof(Regular) == 16);

inline constexpr std::size_t kMaxRegulars = 100'000;

/// The shop's regulars and everybody else whom the phone's history, a list or an earlier year
/// knows: 16 bytes and 10 of index each, all of them in less than 4 MB. Chats that move have a
/// ChatRecord (chats.h), which is made from here and comes back here when it is pushed out.
class Regulars {
 public:
  static constexpr std::size_t kPerPage = 256;  ///< one page is one blob of 4 KB
  using Page = std::array<Regular, kPerPage>;

  Regulars() : index_(IdOf{this}) {}
  Regulars(const Regulars&) = delete;
  Regulars& operator=(const Regulars&) = delete;

  /// The key in 61 bits and its kind; by hash where a key is larger.
  [[nodiscard]] static std::uint64_t id_of(const ChatKey& key);
  /// nullptr: never heard of it.
  [[nodiscard]] const Regular* find(const ChatKey& key) const;
  /// Adds what is new in `facts` (whose id is set here) to what is known: the later day counts, the
  /// earlier for joining. When all places are taken, somebody older goes; somebody older than all
  /// that were looked at is not taken: false. Costs the same however many there are.
  bool learn(const ChatKey& key, Regular facts);
  void forget(const ChatKey& key);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t memory_bytes() const;
  void clear();

  // Pages, for saving and loading ---------------------------------------------------------------
  [[nodiscard]] std::size_t pages() const { return pages_.size(); }
  [[nodiscard]] bool dirty(std::size_t page) const { return dirty_[page]; }
  void mark_clean(std::size_t page) { dirty_[page] = false; }
  [[nodiscard]] const Page& page(std::size_t page) const { return *pages_[page]; }
  /// One loaded entry; what is double or empty is dropped. Its page is dirty.
  void load(const Regular& regular);

 private:
  struct IdOf {
    const Regulars* regulars;
    std::uint64_t operator()(std::uint32_t slot) const { return regulars->at(slot).id; }
  };
  [[nodiscard]] const Regular& at(std::size_t slot) const {
    return (*pages_[slot / kPerPage])[slot % kPerPage];
  }
  [[nodiscard]] Regular& at(std::size_t slot) {
    return (*pages_[slot / kPerPage])[slot % kPerPage];
  }
  /// A place for somebody of that day; kNone: there is none.
  [[nodiscard]] std::uint32_t place_for(std::uint16_t newest);

  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<bool> dirty_;
  std::size_t size_ = 0;
  std::uint32_t hand_ = 0;  ///< where the search for somebody older goes on
  FlatIndex<IdOf> index_;
};

/// Days of policy time as Regular counts them.
[[nodiscard]] std::uint16_t to_day(Tick at);
[[nodiscard]] Tick from_day(std::uint16_t day);

}  // namespace posthorn::throttle
