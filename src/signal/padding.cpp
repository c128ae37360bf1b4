#include "posthorn/signal/padding.h"

#include <algorithm>
#include <cassert>

namespace posthorn::signal {

namespace {
constexpr std::uint8_t kMaxPadding = 16;
}

Bytes pad(ByteView message, Random& random) {
  return pad_with(message, static_cast<std::uint8_t>(random.between(1, kMaxPadding)));
}

Bytes pad_with(ByteView message, std::uint8_t count) {
  assert(count >= 1 && count <= kMaxPadding);
  Bytes padded;
  padded.reserve(message.size() + count);
  padded.assign(message.begin(), message.end());
  padded.resize(message.size() + count, std::byte{count});
  return padded;
}

Result<ByteView> unpad(ByteView padded) {
  if (padded.empty()) return fail(Errc::malformed, "padding: empty");
  const std::byte last = padded.back();
  const auto count = static_cast<std::size_t>(last);
  if (count == 0 || count > padded.size()) {
    return fail(Errc::malformed, "padding: wrong length " + std::to_string(count));
  }
  const ByteView tail = padded.last(count);
  if (!std::all_of(tail.begin(), tail.end(), [last](std::byte b) { return b == last; })) {
    return fail(Errc::malformed, "padding: bytes differ");
  }
  return padded.first(padded.size() - count);
}

}  // namespace posthorn::signal
