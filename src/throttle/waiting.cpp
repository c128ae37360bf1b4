#include "throttle/waiting.h"

#include <algorithm>
#include <utility>

namespace posthorn::throttle {
namespace {
constexpr std::uint64_t kNotUrgent = 1ULL << 63;

/// Grows by a quarter instead of doubling: on a small board the unused half would be memory lost.
template <class T>
void make_room(std::vector<T>& items) {
  if (items.size() == items.capacity()) items.reserve(items.size() + items.size() / 4 + 64);
}
}  // namespace

// A binary heap whose members know their place, so that any of them can leave.

template <class SetPlace>
void Waiting::push(Heap& heap, Entry entry, SetPlace set_place) {
  std::size_t at = heap.size();
  make_room(heap);
  heap.push_back(entry);
  while (at > 0 && entry.key < heap[(at - 1) / 2].key) {
    heap[at] = heap[(at - 1) / 2];
    set_place(heap[at].slot, static_cast<std::uint32_t>(at));
    at = (at - 1) / 2;
  }
  heap[at] = entry;
  set_place(entry.slot, static_cast<std::uint32_t>(at));
}

template <class SetPlace>
void Waiting::erase(Heap& heap, std::uint32_t place, SetPlace set_place) {
  set_place(heap[place].slot, kNone);
  const Entry moved = heap.back();
  heap.pop_back();
  if (place == heap.size()) return;
  std::size_t at = place;
  while (at > 0 && moved.key < heap[(at - 1) / 2].key) {
    heap[at] = heap[(at - 1) / 2];
    set_place(heap[at].slot, static_cast<std::uint32_t>(at));
    at = (at - 1) / 2;
  }
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= heap.size()) break;
    if (child + 1 < heap.size() && heap[child + 1].key < heap[child].key) ++child;
    if (moved.key <= heap[child].key) break;
    heap[at] = heap[child];
    set_place(heap[at].slot, static_cast<std::uint32_t>(at));
    at = child;
  }
  heap[at] = moved;
  set_place(moved.slot, static_cast<std::uint32_t>(at));
}

auto Waiting::chat_place() {
  return [this](std::uint32_t slot, std::uint32_t place) { chats_[slot].place = place; };
}
auto Waiting::job_place() {
  return [this](std::uint32_t slot, std::uint32_t place) { jobs_[slot].expiry_at = place; };
}

Waiting::Waiting() : job_index_(JobKeyOf{this}), chat_index_(ChatKeyOf{this}) {}

Waiting::Heap& Waiting::heap_of(Line line) { return heaps_[static_cast<std::size_t>(line)]; }

std::uint64_t Waiting::order_of(std::uint32_t chat) const {
  const WaitingJob& head = jobs_[chats_[chat].head];
  return head.sequence | (head.urgent ? 0 : kNotUrgent);
}

void Waiting::leave_line(std::uint32_t slot) {
  WaitingChat& chat = chats_[slot];
  if (chat.line == Line::held) --held_[static_cast<std::size_t>(chat.why)];
  if (chat.line != Line::busy) erase(heap_of(chat.line), chat.place, chat_place());
  chat.line = Line::busy;
  chat.why = Hold::none;
}

void Waiting::move(std::uint32_t slot, Line line) {
  leave_line(slot);
  chats_[slot].line = line;
  set_home(slot, line);
  push(heap_of(line), {order_of(slot), slot}, chat_place());
}

void Waiting::set_busy(std::uint32_t slot, Hold why) {
  leave_line(slot);
  chats_[slot].why = why;
}

void Waiting::set_home(std::uint32_t slot, Line line) {
  Line& home = chats_[slot].home;
  if (home != Line::busy) --home_[static_cast<std::size_t>(home)];
  home = line;
  if (home != Line::busy) ++home_[static_cast<std::size_t>(home)];
}

void Waiting::hold(std::uint32_t slot, Tick until, Hold why) {
  leave_line(slot);
  WaitingChat& chat = chats_[slot];
  chat.line = Line::held;
  chat.until = until;
  chat.why = why;
  ++held_[static_cast<std::size_t>(why)];
  push(heap_of(Line::held), {static_cast<std::uint64_t>(until), slot}, chat_place());
}

void Waiting::set_expiry(std::uint32_t slot, Tick expires) {
  erase(expiry_, jobs_[slot].expiry_at, job_place());
  jobs_[slot].expires = expires;
  push(expiry_, {static_cast<std::uint64_t>(std::max<Tick>(0, expires)), slot}, job_place());
}

std::uint32_t Waiting::add(const ChatKey& key, const WaitingJob& job, Line line) {
  std::uint32_t slot = static_cast<std::uint32_t>(jobs_.size());
  if (free_jobs_.empty()) {
    make_room(jobs_);
    jobs_.push_back(job);
  } else {
    slot = free_jobs_.back();
    free_jobs_.pop_back();
    jobs_[slot] = job;
  }
  jobs_[slot].next = kNone;
  job_index_.insert(slot);
  push(expiry_, {static_cast<std::uint64_t>(std::max<Tick>(0, job.expires)), slot}, job_place());
  ++count_;

  std::uint32_t chat = chat_index_.find(key);
  if (chat != kNone) {
    jobs_[slot].chat = chat;
    jobs_[chats_[chat].tail].next = slot;
    chats_[chat].tail = slot;
    return slot;
  }
  chat = static_cast<std::uint32_t>(chats_.size());
  if (free_chats_.empty()) {
    make_room(chats_);
    chats_.emplace_back();
  } else {
    chat = free_chats_.back();
    free_chats_.pop_back();
    chats_[chat] = WaitingChat{};
  }
  chats_[chat].key = key;
  chats_[chat].head = slot;
  chats_[chat].tail = slot;
  jobs_[slot].chat = chat;
  chat_index_.insert(chat);
  move(chat, line);
  return slot;
}

void Waiting::unlink(std::uint32_t slot) {
  WaitingChat& chat = chats_[jobs_[slot].chat];
  if (chat.head == slot) {
    chat.head = jobs_[slot].next;
    if (chat.tail == slot) chat.tail = kNone;
    return;
  }
  std::uint32_t before = chat.head;
  while (jobs_[before].next != slot) before = jobs_[before].next;
  jobs_[before].next = jobs_[slot].next;
  if (chat.tail == slot) chat.tail = before;
}

void Waiting::remove(std::uint32_t slot, Line line) {
  const std::uint32_t chat = jobs_[slot].chat;
  const bool was_head = chats_[chat].head == slot;
  erase(expiry_, jobs_[slot].expiry_at, job_place());
  job_index_.erase(jobs_[slot].sequence);
  if (was_head) leave_line(chat);
  unlink(slot);
  jobs_[slot] = WaitingJob{};
  free_jobs_.push_back(slot);
  --count_;
  if (chats_[chat].head == kNone) {
    chat_index_.erase(chats_[chat].key);
    set_home(chat, Line::busy);
    chats_[chat] = WaitingChat{};
    free_chats_.push_back(chat);
  } else if (was_head) {
    move(chat, line);
  }
}

void Waiting::rename(std::uint32_t chat, const ChatKey& key) {
  chat_index_.erase(chats_[chat].key);
  chats_[chat].key = key;
  chat_index_.insert(chat);
}

/// Merges two lists that are in order; behind_head: the first of `into` stays in front.
void Waiting::take_jobs(std::uint32_t from, std::uint32_t into, bool behind_head) {
  WaitingChat& chat = chats_[into];
  std::uint32_t* link = behind_head ? &jobs_[chat.head].next : &chat.head;
  std::uint32_t own = *link;
  std::uint32_t other = std::exchange(chats_[from].head, kNone);
  while (own != kNone || other != kNone) {
    const bool take_own =
        other == kNone || (own != kNone && jobs_[own].sequence < jobs_[other].sequence);
    std::uint32_t& next = take_own ? own : other;
    *link = chat.tail = next;
    jobs_[next].chat = into;
    link = &jobs_[next].next;
    next = *link;
  }
}

Waiting::Joined Waiting::join(const ChatKey& from_key, const ChatKey& into_key) {
  std::uint32_t from = chat_index_.find(from_key);
  std::uint32_t into = chat_index_.find(into_key);
  const auto busy = [this](std::uint32_t chat) { return chats_[chat].line == Line::busy; };
  if (from == kNone || from_key == into_key) return {into, into != kNone && !busy(into)};
  if (into != kNone) {
    // The busy one stays in front; of two the one in flight, since the other's number is only being
    // checked, and that answer finds the chat by its name.
    const auto in_flight = [&](std::uint32_t chat) {
      return busy(chat) && chats_[chat].why == Hold::none;
    };
    if (in_flight(from) || (busy(from) && !busy(into))) std::swap(from, into);
    const bool behind_head = busy(into);
    leave_line(from);
    if (!behind_head) leave_line(into);
    take_jobs(from, into, behind_head);
    chat_index_.erase(chats_[from].key);
    set_home(from, Line::busy);
    chats_[from] = WaitingChat{};
    free_chats_.push_back(from);
    rename(into, into_key);
    return {into, !behind_head};
  }
  rename(from, into_key);
  return {from, !busy(from)};
}

std::uint32_t Waiting::top(Line line) const {
  const Heap& heap = heaps_[static_cast<std::size_t>(line)];
  return heap.empty() ? kNone : heap.front().slot;
}

std::uint32_t Waiting::next_held() const { return top(Line::held); }

std::uint32_t Waiting::next_to_expire() const {
  return expiry_.empty() ? kNone : expiry_.front().slot;
}

std::uint32_t Waiting::find_job(std::uint64_t sequence) const { return job_index_.find(sequence); }
std::uint32_t Waiting::find_chat(const ChatKey& key) const { return chat_index_.find(key); }

std::size_t Waiting::in_line(Line line) const {
  return line == Line::busy ? 0 : heaps_[static_cast<std::size_t>(line)].size();
}

std::size_t Waiting::held_for(Hold why) const { return held_[static_cast<std::size_t>(why)]; }

std::size_t Waiting::memory_bytes() const {
  std::size_t bytes =
      jobs_.capacity() * sizeof(WaitingJob) + chats_.capacity() * sizeof(WaitingChat) +
      (free_jobs_.capacity() + free_chats_.capacity()) * sizeof(std::uint32_t) +
      expiry_.capacity() * sizeof(Entry) + 2 * count_ * sizeof(std::uint32_t) * 4 / 3;
  for (const Heap& heap : heaps_) bytes += heap.capacity() * sizeof(Entry);
  return bytes;
}

}  // namespace posthorn::throttle
