#include "posthorn/wire/field_stream.h"

#include <algorithm>

namespace posthorn::wire {
namespace {

constexpr std::size_t kMaxVarint = 10;

tl::unexpected<Error> malformed() { return fail(Errc::malformed, "protobuf stream"); }

}  // namespace

void FieldStream::take(std::size_t count) {
  at_ += count;
  position_ += count;
}

Result<void> FieldStream::add(ByteView piece) {
  append(buffer_, piece);
  while (true) {
    TRY(const Step step, next());
    if (step == Step::needs_more) break;
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  return {};
}

Result<void> FieldStream::finish() {
  if (!rest().empty() || skip_ > 0 || whole_ != 0 || !ends_.empty()) return malformed();
  return {};
}

Result<void> FieldStream::close_ended() {
  while (!ends_.empty() && position_ >= ends_.back()) {
    if (position_ > ends_.back()) return malformed();
    TRY(reader_.closed(path_));
    path_.pop_back();
    ends_.pop_back();
  }
  return {};
}

Result<FieldStream::Step> FieldStream::next() {
  if (skip_ > 0) {
    const auto count = std::min<std::uint64_t>(skip_, rest().size());
    take(static_cast<std::size_t>(count));
    skip_ -= count;
    if (skip_ > 0) return Step::needs_more;
  }
  if (whole_ != 0) {
    if (rest().size() < whole_size_) return Step::needs_more;
    Field field;
    field.number = whole_;
    field.type = Field::Type::bytes;
    field.bytes = rest().first(whole_size_);
    whole_ = 0;
    TRY(reader_.field(path_, field));
    take(whole_size_);
  }
  TRY(close_ended());
  std::uint64_t tag = 0;
  const std::size_t tag_size = read_varint(rest(), tag);
  if (tag_size == 0)
    return rest().size() < kMaxVarint ? Result<Step>(Step::needs_more) : malformed();
  if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) return malformed();
  const auto number = static_cast<std::uint32_t>(tag >> 3);
  const ByteView behind = rest().subspan(tag_size);
  constexpr unsigned kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5;
  const unsigned type = tag & 7;
  if (type == kFixed64 || type == kFixed32) {
    const std::size_t size = type == kFixed64 ? 8 : 4;
    if (behind.size() < size) return Step::needs_more;
    take(tag_size + size);  // none of what is read here is one
    return Step::went_on;
  }
  if (type != kVarint && type != kLength) return malformed();
  std::uint64_t value = 0;
  const std::size_t value_size = read_varint(behind, value);
  if (value_size == 0)
    return behind.size() < kMaxVarint ? Result<Step>(Step::needs_more) : malformed();
  take(tag_size + value_size);
  if (type == kLength) {
    TRY(begin(number, value));
    return Step::went_on;
  }
  Field field;
  field.number = number;
  field.value = value;
  TRY(reader_.field(path_, field));
  return Step::went_on;
}

Result<void> FieldStream::begin(std::uint32_t number, std::uint64_t size) {
  constexpr std::uint64_t kMostSize = std::uint64_t{1} << 40;
  if (size > kMostSize) return malformed();
  if (!ends_.empty() && position_ + size > ends_.back()) return malformed();
  const Want want = reader_.want(path_, number, size);
  if (want == Want::open && path_.size() < kMaxDepth) {
    path_.push_back(number);
    ends_.push_back(position_ + size);
  } else if (want == Want::whole && size <= most_) {
    whole_ = number;
    whole_size_ = static_cast<std::size_t>(size);
  } else {
    skip_ = size;
  }
  return {};
}

}  // namespace posthorn::wire
