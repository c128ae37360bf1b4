#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "posthorn/files/disk.h"

namespace posthorn::files::test {

/// A folder in memory that loses power between any two steps. What was appended and not synced may
/// be lost, torn or read as zeros afterwards; names that were not synced may be as before, as
/// after, or as at any step between, in the order they were changed, as a journaling file system
/// keeps it.
class PowerFolder final : public Disk {
 public:
  Result<std::vector<Entry>> list() override;
  Result<std::unique_ptr<DiskFile>> create(const std::string& name) override;
  Result<std::unique_ptr<DiskFile>> open(const std::string& name) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& name) override;
  Result<void> sync_names() override;
  Result<std::int64_t> modified(const std::string&) override { return 1'790'000'000; }
  Result<std::uint64_t> free_bytes() override { return free; }
  std::string path_of(const std::string& name) const override { return "/power/" + name; }

  /// Called before each step that changes something: every moment at which a cut matters.
  std::function<void()> on_step;
  /// Asked before each append and sync.
  std::function<std::optional<Error>()> fault;
  std::uint64_t free = std::uint64_t{1} << 40;

  /// The folder after a cut now. Repeats for a seed.
  [[nodiscard]] std::unique_ptr<PowerFolder> after_cut(std::uint64_t seed) const;
  [[nodiscard]] const Bytes* content(const std::string& name) const;
  void put(const std::string& name, std::string_view text);

  struct Node {
    Bytes current;
    std::size_t synced = 0;
  };
  void step() {
    if (on_step) on_step();
  }

 private:
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  void changed() { history_.push_back(names_); }

  Names names_;
  std::vector<Names> history_{Names()};  ///< since the last sync, oldest first
};

}  // namespace posthorn::files::test
