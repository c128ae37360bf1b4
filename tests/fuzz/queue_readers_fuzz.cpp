// A record of named readers, as it comes back from the disk.

#include "fuzz/fuzz_support.h"
#include "queue/named_readers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn;
  const ByteView bytes = fuzz::Input(data, size).rest();
  const auto readers = queue::decode_readers(bytes);
  if (!readers) return 0;
  fuzz::require(readers->size() <= queue::RingFile::kMaxReaders, "four at most");
  for (const auto& reader : *readers) {
    fuzz::require(queue::is_reader_name(reader.name), "each has a name");
  }
  fuzz::require(queue::decode_readers(queue::encode_readers(*readers)) == *readers,
                "they read back the same");
  return 0;
}
