#include "support/mem_disk.h"

#include <algorithm>
#include <cstdlib>
#include <random>

namespace posthorn::test {

namespace {

/// Lays a written block over the old content the way `fate` says.
void lay_over(std::span<std::byte> old, ByteView data, MemDisk::Fate fate, std::mt19937_64& noise) {
  using Fate = MemDisk::Fate;
  const auto ragged = [&] { return 1 + noise() % (data.size() - 1); };
  const std::ptrdiff_t cut = static_cast<std::ptrdiff_t>(ragged());
  const std::size_t stripe = data.size() > 512 ? 512 : 64;
  switch (fate) {
    case Fate::lost:
      return;
    case Fate::written:
      std::copy(data.begin(), data.end(), old.begin());
      return;
    case Fate::torn_prefix:
      std::copy(data.begin(), data.begin() + cut, old.begin());
      return;
    case Fate::torn_suffix:
      std::copy(data.begin() + cut, data.end(), old.begin() + cut);
      return;
    case Fate::torn_interleaved:
      for (std::size_t i = 0; i < data.size(); ++i) {
        if (i / stripe % 2 == 0) old[i] = data[i];
      }
      return;
    case Fate::torn_zeros:
    case Fate::torn_ones:
      std::copy(data.begin(), data.end(), old.begin());
      std::fill(old.begin() + cut, old.end(),
                fate == Fate::torn_zeros ? std::byte{0} : std::byte{0xff});
      return;
    case Fate::torn_random:
      for (std::byte& b : old) b = static_cast<std::byte>(noise());
      return;
  }
}

}  // namespace

class MemFile final : public queue::DiskFile {
 public:
  MemFile(MemDisk& disk, std::shared_ptr<MemDisk::Node> node)
      : disk_(disk), node_(std::move(node)) {}

  std::size_t alignment() const override { return disk_.alignment_; }
  std::uint64_t size() const override { return node_->current.size(); }

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) override {
    check_alignment(offset, out);
    TRY(disk_.before(MemDisk::Call::read));
    ++disk_.counters.reads;
    if (disk_.bad_range && disk_.bad_range(offset, out.size())) return fail(Errc::io, "bad sector");
    if (offset + out.size() > node_->current.size()) return fail(Errc::io, "past the end");
    const auto from = node_->current.begin() + static_cast<std::ptrdiff_t>(offset);
    std::copy(from, from + static_cast<std::ptrdiff_t>(out.size()), out.begin());
    return {};
  }

  Result<void> write(std::uint64_t offset, ByteView data) override {
    check_alignment(offset, data);
    if (offset + data.size() > node_->current.size()) return fail(Errc::io, "past the end");
    if (disk_.fault) {
      if (const auto fault = disk_.fault(MemDisk::Call::write)) {
        store(offset,
              data.first(std::min(fault->written_before / disk_.alignment_ * disk_.alignment_,
                                  data.size())));
        return fail(fault->code, "injected");
      }
    }
    store(offset, data);
    return {};
  }

  Result<void> sync() override {
    TRY(disk_.before(MemDisk::Call::sync));
    disk_.boundary();
    ++disk_.counters.syncs;
    std::erase_if(disk_.unsynced_,
                  [&](const MemDisk::BlockWrite& write) { return write.node == node_; });
    return {};
  }

 private:
  /// What O_DIRECT would refuse is a bug of ours, in release builds too.
  void check_alignment(std::uint64_t offset, ByteView memory) const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    if ((offset | memory.size() | address) % disk_.alignment_ != 0) std::abort();
  }
  void store(std::uint64_t offset, ByteView data) {
    ++disk_.counters.writes;
    disk_.counters.bytes_written += data.size();
    for (; !data.empty(); data = data.subspan(disk_.alignment_), offset += disk_.alignment_) {
      disk_.boundary();
      const ByteView block = data.first(disk_.alignment_);
      const auto there =
          std::span(node_->current).subspan(static_cast<std::size_t>(offset), block.size());
      disk_.unsynced_.push_back({node_, offset, to_bytes(block), to_bytes(there)});
      std::copy(block.begin(), block.end(), there.begin());
      if (disk_.count_blocks) ++disk_.writes_by_offset[offset];
    }
  }

  MemDisk& disk_;
  std::shared_ptr<MemDisk::Node> node_;
};

Result<void> MemDisk::before(Call call) {
  if (!fault) return {};
  const auto injected = fault(call);
  if (!injected) return {};
  return fail(injected->code, "injected");
}

Result<std::unique_ptr<queue::DiskFile>> MemDisk::open(const std::string& path) {
  TRY(before(Call::open));
  const auto found = files_.find(path);
  if (found == files_.end()) return fail(Errc::not_found, path);
  return std::make_unique<MemFile>(*this, found->second);
}

Result<std::unique_ptr<queue::DiskFile>> MemDisk::create(const std::string& path,
                                                         std::uint64_t size) {
  TRY(before(Call::create));
  boundary();
  // A cut meets the file while it is still growing, too.
  for (const std::uint64_t now : {std::uint64_t{0}, size / 2, size}) {
    files_[path] = std::make_shared<Node>(Node{Bytes(now)});
    boundary();
  }
  return std::make_unique<MemFile>(*this, files_[path]);
}

Result<void> MemDisk::rename(const std::string& from, const std::string& to) {
  TRY(before(Call::rename));
  boundary();
  const auto found = files_.find(from);
  if (found == files_.end()) return fail(Errc::not_found, from);
  files_[to] = found->second;
  files_.erase(from);
  boundary();
  return {};
}

Result<void> MemDisk::remove(const std::string& path) {
  TRY(before(Call::remove));
  boundary();
  if (files_.erase(path) == 0) return fail(Errc::not_found, path);
  return {};
}

std::unique_ptr<MemDisk> MemDisk::after_cut(const Chooser& fate, std::uint64_t seed) const {
  std::mt19937_64 noise(seed);
  auto copy = std::make_unique<MemDisk>(alignment_);
  std::map<const Node*, std::shared_ptr<Node>> fresh;
  for (const auto& [path, node] : files_) {
    copy->files_[path] = fresh[node.get()] = std::make_shared<Node>(*node);
  }
  const auto place = [&](const BlockWrite& write) -> std::span<std::byte> {
    const auto found = fresh.find(write.node.get());
    if (found == fresh.end()) return {};  // the file is gone
    return std::span(found->second->current)
        .subspan(static_cast<std::size_t>(write.offset), write.data.size());
  };
  for (auto write = unsynced_.rbegin(); write != unsynced_.rend(); ++write) {
    const auto there = place(*write);
    if (!there.empty()) std::copy(write->before.begin(), write->before.end(), there.begin());
  }
  for (std::size_t i = 0; i < unsynced_.size(); ++i) {
    const auto there = place(unsynced_[i]);
    if (!there.empty()) lay_over(there, unsynced_[i].data, fate(i), noise);
  }
  return copy;
}

Bytes* MemDisk::content(const std::string& path) {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second->current;
}

void MemDisk::put(const std::string& path, Bytes content) {
  files_[path] = std::make_shared<Node>(Node{std::move(content)});
}

}  // namespace posthorn::test
