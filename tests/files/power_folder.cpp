#include "power_folder.h"

#include <random>

namespace posthorn::files::test {
namespace {

class PowerFile final : public DiskFile {
 public:
  PowerFile(PowerFolder& folder, std::shared_ptr<PowerFolder::Node> node)
      : folder_(folder), node_(std::move(node)) {}

  Result<void> append(ByteView data) override {
    folder_.step();
    if (auto error = folder_.fault ? folder_.fault() : std::nullopt) return tl::unexpected(*error);
    posthorn::append(node_->current, data);
    return {};
  }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    const std::size_t from = std::min<std::size_t>(offset, node_->current.size());
    const std::size_t size = std::min(out.size(), node_->current.size() - from);
    std::copy_n(node_->current.begin() + static_cast<std::ptrdiff_t>(from), size, out.begin());
    return size;
  }
  Result<void> sync() override {
    folder_.step();
    if (auto error = folder_.fault ? folder_.fault() : std::nullopt) return tl::unexpected(*error);
    node_->synced = node_->current.size();
    return {};
  }

 private:
  PowerFolder& folder_;
  std::shared_ptr<PowerFolder::Node> node_;
};

/// What is left of a file's unsynced end: nothing, a part, zeros, or all of it.
Bytes survivor(const PowerFolder::Node& node, std::mt19937_64& random) {
  Bytes out(node.current.begin(), node.current.begin() + static_cast<std::ptrdiff_t>(node.synced));
  const std::size_t unsynced = node.current.size() - node.synced;
  if (unsynced == 0) return out;
  const std::size_t kept = random() % (unsynced + 1);
  const bool zeros = random() % 3 == 0;
  for (std::size_t i = 0; i < kept; ++i) {
    out.push_back(zeros ? std::byte{0} : node.current[node.synced + i]);
  }
  return out;
}

}  // namespace

Result<std::vector<Disk::Entry>> PowerFolder::list() {
  std::vector<Entry> out;
  for (const auto& [name, node] : names_)
    out.push_back({name, node->current.size(), 1'790'000'000});
  return out;
}

Result<std::unique_ptr<DiskFile>> PowerFolder::create(const std::string& name) {
  step();
  auto node = std::make_shared<Node>();
  names_[name] = node;
  changed();
  return std::unique_ptr<DiskFile>(std::make_unique<PowerFile>(*this, std::move(node)));
}

Result<std::unique_ptr<DiskFile>> PowerFolder::open(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) return fail(Errc::not_found, name);
  return std::unique_ptr<DiskFile>(std::make_unique<PowerFile>(*this, found->second));
}

Result<void> PowerFolder::rename(const std::string& from, const std::string& to) {
  step();
  const auto found = names_.find(from);
  if (found == names_.end()) return fail(Errc::not_found, from);
  names_[to] = found->second;
  names_.erase(from);
  changed();
  return {};
}

Result<void> PowerFolder::remove(const std::string& name) {
  step();
  if (names_.erase(name) == 0) return fail(Errc::not_found, name);
  changed();
  return {};
}

Result<void> PowerFolder::sync_names() {
  step();
  history_ = {names_};
  return {};
}

std::unique_ptr<PowerFolder> PowerFolder::after_cut(std::uint64_t seed) const {
  std::mt19937_64 random(seed);
  auto out = std::make_unique<PowerFolder>();
  const Names& names = history_[random() % history_.size()];
  for (const auto& [name, node] : names) {
    auto copy = std::make_shared<Node>();
    copy->current = survivor(*node, random);
    copy->synced = copy->current.size();
    out->names_[name] = std::move(copy);
  }
  out->history_ = {out->names_};
  return out;
}

const Bytes* PowerFolder::content(const std::string& name) const {
  const auto found = names_.find(name);
  return found != names_.end() ? &found->second->current : nullptr;
}

void PowerFolder::put(const std::string& name, std::string_view text) {
  auto node = std::make_shared<Node>();
  node->current = to_bytes(text);
  node->synced = node->current.size();
  names_[name] = std::move(node);
  history_ = {names_};
}

}  // namespace posthorn::files::test
