#pragma once

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "posthorn/simulator/simulator.h"

namespace posthorn::simulator {

/// All stanzas in and out, the newest `limit` of them, and what was wrong with some.
class Journal {
 public:
  explicit Journal(std::size_t limit) : limit_(limit) {}

  void add(JournalEntry entry);
  void add_violation(Violation violation);
  /// Odd, though the real server takes it.
  void add_remark(Violation remark);

  [[nodiscard]] std::vector<JournalEntry> after(std::uint64_t sequence) const;
  [[nodiscard]] const std::deque<JournalEntry>& entries() const { return entries_; }
  [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }
  [[nodiscard]] const std::vector<Violation>& remarks() const { return remarks_; }
  [[nodiscard]] std::uint64_t last() const { return next_ - 1; }
  /// Runs after every entry, for long polls; one at a time.
  void on_entry(std::function<void()> watcher) { watcher_ = std::move(watcher); }
  void clear();

 private:
  std::size_t limit_;
  std::uint64_t next_ = 1;
  std::deque<JournalEntry> entries_;
  std::vector<Violation> violations_;
  std::vector<Violation> remarks_;
  std::function<void()> watcher_;
};

}  // namespace posthorn::simulator
