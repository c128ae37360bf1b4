#include "queue/end_note.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "queue/aligned_buffer.h"
#include "queue/crc32c.h"

namespace posthorn::queue {

namespace {

constexpr std::size_t kNoteBytes = 4096;
constexpr std::uint64_t kMagic = 0x0a31444e45524850;  // "PHREND1\n" in the file
/// Magic, salt, number, position, then the checksum of these.
constexpr std::size_t kFields = 4;

using Fields = std::array<std::uint64_t, kFields>;

std::optional<EndNote::End> decode(ByteView in) {
  Fields fields;
  std::uint32_t crc = 0;
  std::memcpy(fields.data(), in.data(), sizeof fields);
  std::memcpy(&crc, in.subspan(sizeof fields).data(), sizeof crc);
  if (fields[0] != kMagic || crc != crc32c(0, std::as_bytes(std::span(fields)))) {
    return std::nullopt;
  }
  return EndNote::End{fields[1], fields[2], fields[3]};
}

void encode(const EndNote::End& end, std::span<std::byte> out) {
  const Fields fields{kMagic, end.salt, end.number, end.position};
  const std::uint32_t crc = crc32c(0, std::as_bytes(std::span(fields)));
  std::memcpy(out.data(), fields.data(), sizeof fields);
  std::memcpy(out.subspan(sizeof fields).data(), &crc, sizeof crc);
}

}  // namespace

std::optional<EndNote::End> EndNote::read() {
  auto file = disk_.open(path_);
  if (!file) {
    stands_ = file.error().code != Errc::not_found;
    return std::nullopt;
  }
  AlignedBuffer buffer(kNoteBytes);
  if ((*file)->size() < kNoteBytes) return std::nullopt;  // cut while it was made
  if (!(*file)->read(0, buffer.bytes())) {
    stands_ = true;  // the device may give it another time
    return std::nullopt;
  }
  const auto end = decode(buffer.bytes());
  stands_ = end.has_value();
  return end;
}

Result<void> EndNote::write(const End& end) {
  stands_ = true;
  return fill(&end);
}

Result<void> EndNote::erase() {
  if (!stands_) return {};
  if (auto erased = fill(nullptr); !erased) {
    // Without the file there is no note either.
    if (!disk_.remove(path_)) return erased;
  }
  stands_ = false;
  return {};
}

/// end: null for zeros, which are no note.
Result<void> EndNote::fill(const End* end) {
  auto file = disk_.open(path_);
  if (!file || (*file)->size() < kNoteBytes) {
    if (end == nullptr && !file && file.error().code == Errc::not_found) return {};
    file = disk_.create(path_, kNoteBytes);
  }
  TRY(auto open, std::move(file));
  AlignedBuffer buffer(kNoteBytes);
  if (end != nullptr) encode(*end, buffer.bytes());
  TRY(open->write(0, buffer.bytes()));
  return open->sync();
}

}  // namespace posthorn::queue
