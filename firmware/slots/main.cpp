// posthorn-slots: RAUC's boot loader back end (system.conf: bootloader-custom-backend), and the way
// for people and scripts to look at the slots.
//   get-primary | set-primary A | get-state A | set-state A good|bad | left A | show
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "slots/slot_files.h"

namespace posthorn::slots {
namespace {

constexpr unsigned long kMountFlags = MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC;

/// The boot partition, writable while this lives. It is read-only otherwise, because a FAT that is
/// not being written survives every power cut. POSTHORN_BOOT names a plain folder instead, for
/// tests.
class BootPartition {
 public:
  explicit BootPartition(std::string folder, bool is_mount)
      : folder_(std::move(folder)), is_mount_(is_mount) {}
  ~BootPartition() {
    if (writable_) remount(MS_RDONLY);
  }
  BootPartition(const BootPartition&) = delete;
  BootPartition& operator=(const BootPartition&) = delete;

  Result<void> make_writable() {
    if (!is_mount_) return {};
    if (!remount(0)) return fail(Errc::io, folder_ + ": " + std::strerror(errno));
    writable_ = true;
    return {};
  }

 private:
  bool remount(unsigned long flags) const {
    return mount(nullptr, folder_.c_str(), nullptr, MS_REMOUNT | kMountFlags | flags, nullptr) == 0;
  }

  std::string folder_;
  bool is_mount_;
  bool writable_ = false;
};

Result<void> save(const SlotFiles& files, BootPartition& partition, const SlotState& state) {
  const auto before = files.read();
  if (before && *before == state) return {};
  TRY(partition.make_writable());
  return files.write(state);
}

/// What is written when both copies are lost: as the boot script does.
SlotState read_or_default(const SlotFiles& files) {
  return files.read().value_or(SlotState{"AB", kFresh, kFresh});
}

Result<void> run(const std::vector<std::string>& words, const SlotFiles& files,
                 BootPartition& partition) {
  const SlotState state = read_or_default(files);
  const std::string& verb = words[0];
  if (verb == "show" && words.size() == 1) {
    std::printf("order %s, left A=%u B=%u\n", state.order.c_str(), state.left_a, state.left_b);
    return {};
  }
  if (verb == "get-primary" && words.size() == 1) {
    TRY(const char slot, primary(state));
    std::printf("%c\n", slot);
    return {};
  }
  if (words.size() < 2) return fail(Errc::malformed, "which slot? (A or B)");
  TRY(const char slot, parse_slot(words[1]));
  if (verb == "set-primary") return save(files, partition, with_primary(state, slot));
  if (verb == "left") {
    std::printf("%u\n", slot == 'A' ? state.left_a : state.left_b);
    return {};
  }
  if (verb == "get-state") {
    std::puts(is_good(state, slot) ? "good" : "bad");
    return {};
  }
  if (verb == "set-state" && words.size() == 3 && (words[2] == "good" || words[2] == "bad")) {
    return save(files, partition, with_state(state, slot, words[2] == "good"));
  }
  return fail(
      Errc::malformed,
      "get-primary, set-primary SLOT, get-state SLOT, set-state SLOT good|bad, left SLOT, show");
}

}  // namespace
}  // namespace posthorn::slots

int main(int argc, char** argv) {
  using namespace posthorn::slots;
  const char* folder = std::getenv("POSTHORN_BOOT");
  BootPartition partition(folder ? folder : "/boot/firmware", folder == nullptr);
  const SlotFiles files(folder ? folder : "/boot/firmware");
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) words.emplace_back("show");
  if (const auto done = run(words, files, partition); !done) {
    std::fprintf(stderr, "posthorn-slots: %s\n", done.error().detail.c_str());
    return 1;
  }
  return 0;
}
