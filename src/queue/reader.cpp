#include "queue/reader.h"

#include <algorithm>

namespace posthorn::queue {

namespace {

constexpr std::size_t kPiece = 4096;

}  // namespace

ByteView Reader::view(std::uint64_t offset, std::size_t length) {
  if (offset < start_ || offset + length > start_ + filled_) load(offset, length);
  return ByteView(window_.bytes()).subspan(static_cast<std::size_t>(offset - start_), length);
}

void Reader::load(std::uint64_t offset, std::size_t length) {
  start_ = offset / kPiece * kPiece;
  const std::size_t needed = static_cast<std::size_t>(offset - start_) + length;
  const std::size_t wanted = std::max((needed + kPiece - 1) / kPiece * kPiece, least_window_);
  // A window that one large record made large shrinks again with the next small one.
  if (window_.size() != wanted) window_ = AlignedBuffer(wanted);
  filled_ = wanted;
  const std::uint64_t end = file_.size() / kPiece * kPiece;
  const std::size_t there =
      static_cast<std::size_t>(start_ >= end ? 0 : std::min<std::uint64_t>(end - start_, wanted));
  const auto out = window_.bytes();
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(there), out.end(), std::byte{0});
  if (there == 0 || file_.read(start_, out.first(there))) return;
  for (std::size_t at = 0; at < there; at += kPiece)
    load_piece(start_ + at, out.subspan(at, kPiece));
}

void Reader::load_piece(std::uint64_t offset, std::span<std::byte> out) {
  if (file_.read(offset, out)) return;
  std::fill(out.begin(), out.end(), std::byte{0});
  ++unreadable_;
}

}  // namespace posthorn::queue
