#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "posthorn/base/job.h"
#include "posthorn/throttle/status.h"
#include "throttle/chat_key.h"
#include "throttle/flat_index.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

inline constexpr std::uint32_t kNone = 0xffffffffU;

/// What decide() needs of one waiting job; its text stays on disk.
struct WaitingJob {
  std::uint64_t sequence = 0;
  std::uint64_t text = 0;  ///< text_hash()
  Tick expires = 0;
  std::uint32_t chat = kNone;  ///< slot of its WaitingChat
  std::uint32_t next = kNone;  ///< the next job of the same chat
  std::uint32_t expiry_at = kNone;
  bool urgent = false;
  bool consent = false;
  bool confirmation = false;  ///< the one answer to an opt-out
  bool told_held = false;     ///< its "yellowCard" status was sent
  bool undated = false;  ///< accepted while nobody knew the time: its life is counted from then
};

/// Where a chat with waiting jobs stands, by its oldest job.
enum class Line : std::uint8_t {
  refused,  ///< opted out, or no such number
  retry,    ///< charged before: handed over again with the same id
  reply,
  known,
  follow_up,  ///< first lane, but we have written before
  opening_consent,
  opening_plain,
  unchecked_known,  ///< of a list: nobody knows yet whether the number exists
  unchecked_consent,
  unchecked_plain,
  held,  ///< not before `until`, for `why`
  busy,  ///< in flight, or its number is being checked
};
inline constexpr std::size_t kReadyLines = 10;

struct WaitingChat {
  ChatKey key;
  std::uint32_t head = kNone;
  std::uint32_t tail = kNone;
  std::uint32_t place = kNone;  ///< in its line's heap
  Line line = Line::busy;
  Line home = Line::busy;  ///< the ready line it was in last
  Hold why = Hold::none;
  Tick until = 0;
};

/// The view of the outbox: which jobs wait, by chat and by line. Every operation is O(log n);
/// nothing allocates once the largest number of jobs has been seen.
class Waiting {
 public:
  Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  /// Appends a job to its chat. line: where the chat belongs if it was empty so far.
  std::uint32_t add(const ChatKey& chat, const WaitingJob& job, Line line);
  /// Takes a job out; its chat, if jobs remain, is put into `line`.
  void remove(std::uint32_t job, Line line);
  /// Puts a chat into a ready line.
  void move(std::uint32_t chat, Line line);
  /// Its oldest job is in flight, or its number is being checked.
  void set_busy(std::uint32_t chat, Hold why);
  void hold(std::uint32_t chat, Tick until, Hold why);
  /// Both chats are one person's: their jobs become one chat named `into`, in the order in which
  /// they were accepted, behind one that is in flight or being checked.
  struct Joined {
    std::uint32_t chat = kNone;  ///< the one that is left; kNone: neither has jobs
    bool to_move = false;        ///< into a line, by the caller; false: it is busy
  };
  Joined join(const ChatKey& from, const ChatKey& into);
  /// The clock was put right: the job expires at another time than was thought.
  void set_expiry(std::uint32_t job, Tick expires);

  /// First chat of a ready line: urgent before others, then the oldest job; kNone: empty.
  [[nodiscard]] std::uint32_t top(Line line) const;
  /// The chat whose hold ends first, kNone: none is held.
  [[nodiscard]] std::uint32_t next_held() const;
  /// The job that expires first, kNone: none. Busy ones included.
  [[nodiscard]] std::uint32_t next_to_expire() const;

  [[nodiscard]] const WaitingJob& job(std::uint32_t slot) const { return jobs_[slot]; }
  [[nodiscard]] WaitingJob& job(std::uint32_t slot) { return jobs_[slot]; }
  [[nodiscard]] const WaitingChat& chat(std::uint32_t slot) const { return chats_[slot]; }
  [[nodiscard]] std::uint32_t find_job(std::uint64_t sequence) const;
  [[nodiscard]] std::uint32_t find_chat(const ChatKey& key) const;

  [[nodiscard]] std::size_t size() const { return count_; }
  /// Chats in a ready line.
  [[nodiscard]] std::size_t in_line(Line line) const;
  /// Chats that were last in this ready line, held and busy ones included.
  [[nodiscard]] std::size_t at_home(Line line) const {
    return home_[static_cast<std::size_t>(line)];
  }
  /// The order inside a line: urgent first, then the oldest.
  [[nodiscard]] std::uint64_t order_of(std::uint32_t chat) const;
  /// Chats held for a reason.
  [[nodiscard]] std::size_t held_for(Hold why) const;
  [[nodiscard]] std::size_t memory_bytes() const;

  template <class Visit>
  void for_each_chat(Visit visit) const {
    for (std::uint32_t slot = 0; slot < chats_.size(); ++slot) {
      if (chats_[slot].head != kNone) visit(slot);
    }
  }
  template <class Visit>
  void for_each_job(Visit visit) {
    for (std::uint32_t slot = 0; slot < jobs_.size(); ++slot) {
      if (jobs_[slot].sequence != 0) visit(slot);
    }
  }

 private:
  struct Entry {
    std::uint64_t key = 0;  ///< smallest first
    std::uint32_t slot = kNone;
  };
  using Heap = std::vector<Entry>;

  struct JobKeyOf {
    const Waiting* waiting;
    std::uint64_t operator()(std::uint32_t slot) const { return waiting->jobs_[slot].sequence; }
  };
  struct ChatKeyOf {
    const Waiting* waiting;
    const ChatKey& operator()(std::uint32_t slot) const { return waiting->chats_[slot].key; }
  };

  template <class SetPlace>
  static void push(Heap& heap, Entry entry, SetPlace set_place);
  template <class SetPlace>
  static void erase(Heap& heap, std::uint32_t place, SetPlace set_place);
  [[nodiscard]] auto chat_place();
  [[nodiscard]] auto job_place();

  [[nodiscard]] Heap& heap_of(Line line);
  void set_home(std::uint32_t chat, Line line);
  void leave_line(std::uint32_t chat);
  void unlink(std::uint32_t job);
  void rename(std::uint32_t chat, const ChatKey& key);
  void take_jobs(std::uint32_t from, std::uint32_t into, bool behind_head);

  std::vector<WaitingJob> jobs_;
  std::vector<std::uint32_t> free_jobs_;
  std::vector<WaitingChat> chats_;
  std::vector<std::uint32_t> free_chats_;
  std::array<Heap, kReadyLines + 1> heaps_;  ///< ready lines, then held
  Heap expiry_;
  std::array<std::uint32_t, 32> held_{};  ///< chats per Hold
  std::array<std::uint32_t, kReadyLines + 2> home_{};
  std::size_t count_ = 0;
  FlatIndex<JobKeyOf> job_index_;
  FlatIndex<ChatKeyOf> chat_index_;
};

}  // namespace posthorn::throttle
