#include "fuzz/fuzz_support.h"
#include "posthorn/wire/jid.h"

using namespace posthorn;

/// Input: the text of a JID.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto jid = wire::parse_jid(as_text(fuzz::Input(data, size).rest()));
  if (!jid) return 0;
  const auto again = wire::parse_jid(wire::to_string(*jid));
  if (!again) return 0;  // a server alone that is not one of the known ones
  fuzz::require(*again == *jid, "a printed JID reads back the same");
  return 0;
}
