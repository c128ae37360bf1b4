#include "cloud/multipart_source.h"

#include <algorithm>

namespace posthorn::cloud {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;

std::string field(const char* name, const std::string& value) {
  return std::string("--") + MultipartSource::kBoundary +
         "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

/// A name for a header.
std::string plain(const std::string& name) {
  std::string out = name;
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7E || c == '"' || c == '\\'; },
      '_');
  return out;
}

}  // namespace

MultipartSource::MultipartSource(std::unique_ptr<files::Reader> reader, const std::string& mime,
                                 const std::string& name)
    : reader_(std::move(reader)) {
  const std::string type = plain(mime);
  head_ = field("messaging_product", "whatsapp") + field("type", type) + "--" + kBoundary +
          "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + plain(name) +
          "\"\r\nContent-Type: " + type + "\r\n\r\n";
  tail_ = std::string("\r\n--") + kBoundary + "--\r\n";
  piece_ = to_bytes(head_);
}

std::uint64_t MultipartSource::size() const {
  return head_.size() + reader_->about().size + tail_.size();
}

Result<std::size_t> MultipartSource::read(std::span<std::byte> out) {
  if (fault_) return tl::unexpected(*fault_);
  if (taken_ == piece_.size()) {
    if (!asking_) ask();
    return std::size_t{0};
  }
  const std::size_t size = std::min(out.size(), piece_.size() - taken_);
  std::copy_n(piece_.begin() + static_cast<std::ptrdiff_t>(taken_), size, out.begin());
  taken_ += size;
  return size;
}

void MultipartSource::ask() {
  asking_ = true;
  const std::uint64_t left = reader_->about().size - offset_;
  reader_->read(offset_, static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece)),
                alive_.bind([this, left](Result<Bytes> piece) {
                  asking_ = false;
                  if (!piece) {
                    fault_ = piece.error();
                  } else if (left > 0 && piece->empty()) {
                    fault_ = Error{Errc::io, "the file on the box is damaged"};
                  } else {
                    offset_ += piece->size();
                    piece_ = std::move(*piece);
                    taken_ = 0;
                    const bool last = offset_ == reader_->about().size;
                    if (last && !std::exchange(tail_given_, true)) append(piece_, as_bytes(tail_));
                  }
                  if (wake_) wake_();
                }));
}

}  // namespace posthorn::cloud
