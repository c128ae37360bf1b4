// A backup that somebody uploads: it opens to what was sealed, or not at all, and nothing that was
// changed opens.
//
// Input: a byte (0: the rest is the file; else the rest is sealed, changed at that place, and
// opened), then the bytes.

#include <sys/mman.h>
#include <unistd.h>

#include "daemon/backup_file.h"
#include "fuzz/fuzz_support.h"

using namespace posthorn;

namespace {

const std::string kPassphrase = "correct horse";

/// A file in memory that has a path.
class MemoryFile {
 public:
  explicit MemoryFile(ByteView content) : fd_(memfd_create("backup", MFD_CLOEXEC)) {
    const auto size = static_cast<ssize_t>(content.size());
    fuzz::require(pwrite(fd_, content.data(), content.size(), 0) == size, "it is written");
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  [[nodiscard]] Bytes content() const {
    Bytes out(static_cast<std::size_t>(lseek(fd_, 0, SEEK_END)));
    (void)!pread(fd_, out.data(), out.size(), 0);
    return out;
  }

 private:
  int fd_;
};

/// Few rounds of the key's making in what strangers say, so that inputs are quick.
void limit_rounds(Bytes& file) {
  for (std::size_t at = 17; at < 20 && at < file.size(); ++at) file[at] = std::byte{0};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t changed = input.byte();
  const MemoryFile opened({});
  if (changed == 0) {
    Bytes file = to_bytes(input.rest());
    limit_rounds(file);
    (void)daemon::open_sealed_file(MemoryFile(file).path(), opened.path(), kPassphrase);
    fuzz::require(opened.content().size() <= file.size(), "no more comes out than went in");
    return 0;
  }
  const MemoryFile plain(input.rest()), sealed({});
  const Bytes salt(daemon::kBackupSalt);
  fuzz::require(daemon::seal_file(plain.path(), sealed.path(), kPassphrase, salt, 1).has_value(),
                "anything is sealed");
  fuzz::require(daemon::open_sealed_file(sealed.path(), opened.path(), kPassphrase).has_value() &&
                    opened.content() == plain.content(),
                "what is sealed opens");
  Bytes file = sealed.content();
  file[changed % file.size()] ^= std::byte{0x80};
  limit_rounds(file);
  if (file == sealed.content()) return 0;
  fuzz::require(!daemon::open_sealed_file(MemoryFile(file).path(), opened.path(), kPassphrase),
                "what was changed does not");
  return 0;
}
