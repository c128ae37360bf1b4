#include "simulator/journal.h"

#include <utility>

namespace posthorn::simulator {

namespace {
constexpr std::size_t kMaxViolations = 1000;
}

void Journal::add(JournalEntry entry) {
  entry.sequence = next_++;
  if (limit_ == 0) return;
  if (entries_.size() == limit_) entries_.pop_front();
  entries_.push_back(std::move(entry));
  if (watcher_) watcher_();
}

void Journal::add_violation(Violation violation) {
  if (violations_.size() < kMaxViolations) violations_.push_back(std::move(violation));
}

void Journal::add_remark(Violation remark) {
  if (remarks_.size() < kMaxViolations) remarks_.push_back(std::move(remark));
}

std::vector<JournalEntry> Journal::after(std::uint64_t sequence) const {
  std::vector<JournalEntry> out;
  for (const auto& entry : entries_) {
    if (entry.sequence > sequence) out.push_back(entry);
  }
  return out;
}

void Journal::clear() {
  entries_.clear();
  violations_.clear();
  remarks_.clear();
}

}  // namespace posthorn::simulator
