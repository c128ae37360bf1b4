// The boot script's file of slots, and what a test of the network wrote: a state reads back the
// same, and a slot that is named is one of the two.
//
// Input: the file, whose checksum is made right here; also the text.

#include <zlib.h>

#include "fuzz/fuzz_support.h"
#include "slots/reach.h"
#include "slots/slot_state.h"

using namespace posthorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)slots::decode(std::span(data, size));
  slots::FileBytes file{};
  std::copy_n(data, std::min(size, file.size() - 4), file.begin() + 4);
  const auto sum =
      static_cast<std::uint32_t>(crc32(0, file.data() + 4, static_cast<uInt>(file.size() - 4)));
  for (unsigned i = 0; i < 4; ++i) file[i] = static_cast<std::uint8_t>(sum >> (8 * i));
  if (const auto state = slots::decode(file)) {
    const auto again = slots::decode(slots::encode(*state));
    fuzz::require(again && *again == *state, "a state reads back the same");
    if (const auto slot = slots::primary(*state)) {
      fuzz::require(*slot == 'A' || *slot == 'B', "one of the two starts");
      fuzz::require(slots::is_good(*state, *slot), "and may start");
    }
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const slots::Reach reach = slots::parse_reach(text);
  fuzz::require(slots::to_text(slots::parse_reach(slots::to_text(reach))) == slots::to_text(reach),
                "what was reached reads back the same");
  return 0;
}
