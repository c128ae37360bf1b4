#include "fuzz/fuzz_support.h"
#include "receipts/epos.h"
#include "receipts/lexer.h"
#include "receipts/tap.h"

using namespace posthorn;

/// Input: what a web till posts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  const auto job = receipts::decode_epos(as_text(input.rest()));
  if (job) fuzz::require(job->size() <= receipts::Tap::kMostRaw, "a job has its limit");
  return 0;
}
