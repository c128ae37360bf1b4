// Pictures of strangers: a small JPEG comes of one, which can itself be read, or nothing.
// What is allocated is bounded by the fuzzer: run it with -malloc_limit_mb=20.

#include "fuzz/fuzz_support.h"
#include "pictures/shrink.h"
#include "posthorn/pictures/thumbnail.h"

using namespace posthorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto made = pictures::make_thumbnail(fuzz::Input(data, size).rest());
  if (!made) {
    const Errc code = made.error().code;
    fuzz::require(code == Errc::unsupported || code == Errc::malformed, "said in one word");
    return 0;
  }
  fuzz::require(made->width > 0 && made->width <= pictures::kLongestEdge && made->height > 0 &&
                    made->height <= pictures::kLongestEdge,
                "a picture has edges");
  fuzz::require(!made->jpeg.empty() && made->jpeg.size() < 10'240, "a thumbnail is small");
  const auto again = pictures::make_thumbnail(made->jpeg);
  fuzz::require(again && again->width <= pictures::kEdge && again->height <= pictures::kEdge,
                "a thumbnail is a picture");
  return 0;
}
