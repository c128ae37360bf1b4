// A record of the outbox, as it comes back from the disk: a job that is written again the same, or
// refused.

#include "fuzz/fuzz_support.h"
#include "posthorn/base/job.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn;
  const auto job = decode_job(fuzz::Input(data, size).rest());
  if (!job) return 0;
  const auto again = decode_job(encode_job(*job));
  fuzz::require(again.has_value() && *again == *job, "a job reads back the same");
  fuzz::require(job->typing <= kLongestTyping && job->typing.count() >= 0, "typing is bounded");
  return 0;
}
