#include <vector>

#include "fuzz/fuzz_support.h"
#include "posthorn/wire/frames.h"

using namespace posthorn;

namespace {

constexpr std::size_t kLimit = 1000;

struct Cut {
  std::vector<Bytes> frames;
  bool failed = false;
};

Cut cut(ByteView stream, std::size_t piece) {
  wire::FrameDecoder decoder(kLimit);
  Cut out;
  while (!stream.empty() && !out.failed) {
    const std::size_t size = std::min(piece, stream.size());
    decoder.feed(stream.first(size));
    stream = stream.subspan(size);
    while (true) {
      const auto frame = decoder.next();
      out.failed = !frame;
      if (!frame || !*frame) break;
      fuzz::require((*frame)->size() <= kLimit, "frames keep to the limit");
      out.frames.emplace_back((*frame)->begin(), (*frame)->end());
    }
  }
  return out;
}

}  // namespace

/// Input: size of the pieces, then a stream of frames.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.byte();
  const Cut whole = cut(input.rest(), input.rest().size());
  const Cut pieces = cut(input.rest(), piece);
  fuzz::require(whole.failed == pieces.failed, "pieces do not change the outcome");
  fuzz::require(whole.frames == pieces.frames, "pieces do not change the frames");
  return 0;
}
