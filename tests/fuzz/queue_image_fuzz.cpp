// Whatever a ring file holds, also headers whose checksums are right and whose numbers are not: it
// opens, hands out what it says is there, takes new entries or refuses them, and opens again.
//
// Input: edits to a ring that has seen some life. Each is one byte that says what (raw bytes, a
// batch header, a record header, a cut-off end), and then its numbers.

#include <algorithm>

#include "fuzz/fuzz_support.h"
#include "posthorn/base/log.h"
#include "posthorn/queue/ring_file.h"
#include "queue/layout.h"
#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn::queue {
namespace {

using posthorn::fuzz::require;
using test::MemDisk;

struct World {
  test::FakeScheduler scheduler;
  test::InlineWorker worker{scheduler};
  test::SeededRandom random;

  std::unique_ptr<RingFile> open(MemDisk& disk) {
    RingFile::Options options;
    options.path = "ring";
    options.bytes = 64 * 1024;
    auto ring = RingFile::open(disk, scheduler, worker, random, options);
    require(ring.has_value(), "a ring opens whatever its file holds");
    return std::move(*ring);
  }
};

const Bytes& lived_in() {
  static const Bytes image = [] {
    World world;
    MemDisk disk;
    auto ring = world.open(disk);
    for (int i = 0; i < 200; ++i) {
      ring->append(Bytes(static_cast<std::size_t>(i * 37 % 900)), Wall{},
                   [](const Result<Sequence>&) {});
      world.scheduler.run_posted();
      if (ring->status().pending > 12) ring->ack(ring->first()->sequence);
    }
    ring.reset();
    world.scheduler.run_posted();
    return *disk.content("ring");
  }();
  return image;
}

/// Numbers out of the fuzzer's bytes; zeros when they are used up.
class Numbers {
 public:
  explicit Numbers(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool any() const { return !bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint64_t of_bytes(int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | byte();
    return value;
  }
  /// Mostly small, sometimes at the edge of what fits.
  std::uint64_t number() {
    const std::uint8_t kind = byte();
    if (kind < 200) return of_bytes(2);
    if (kind < 230) return std::uint64_t{0} - of_bytes(1);
    return of_bytes(8);
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

void edit_batch(Bytes& image, const Geometry& geometry, Numbers& numbers) {
  BatchHeader header;
  header.position = numbers.number();
  header.blocks = static_cast<std::uint32_t>(numbers.number());
  header.number = numbers.number();
  header.previous_end = numbers.number();
  header.tail = numbers.number();
  header.next_sequence = numbers.number();
  header.records = static_cast<std::uint32_t>(numbers.number());
  header.entries = static_cast<std::uint16_t>(numbers.number());
  const auto at = static_cast<std::size_t>(geometry.offset_of(header.position));
  encode_batch_header(header, geometry, std::span(image).subspan(at, kBatchHeaderBytes));
}

void edit_record(Bytes& image, const Geometry& geometry, Numbers& numbers) {
  const std::uint64_t last = image.size() - kSuperblockArea - kRecordHeaderBytes;
  const std::uint64_t at =
      std::min(kSuperblockArea + numbers.of_bytes(2) / kRecordAlign * kRecordAlign, last);
  RecordHeader header;
  header.type = static_cast<RecordType>(numbers.byte());
  header.length = static_cast<std::uint32_t>(numbers.number());
  header.sequence = numbers.number();
  header.batch = numbers.number();
  header.accepted_ms = static_cast<std::int64_t>(numbers.number());
  const std::size_t body = static_cast<std::size_t>(at) + kRecordHeaderBytes;
  const std::size_t length = std::min<std::size_t>(header.length, image.size() - body);
  header.payload_crc = payload_crc(geometry, ByteView(image).subspan(body, length));
  encode_record_header(header, geometry, at,
                       std::span(image).subspan(static_cast<std::size_t>(at), kRecordHeaderBytes));
}

Bytes edited(std::span<const std::uint8_t> input) {
  Bytes image = lived_in();
  const Geometry geometry = *decode_superblock(ByteView(image).first(kSuperblockBytes));
  Numbers numbers(input);
  for (int edits = 0; numbers.any() && edits < 32; ++edits) {
    switch (numbers.byte() % 4) {
      case 0: {
        std::size_t at = static_cast<std::size_t>(numbers.of_bytes(2)) % image.size();
        for (std::uint8_t left = numbers.byte() % 16; left > 0 && at < image.size(); --left) {
          image[at++] = static_cast<std::byte>(numbers.byte());
        }
        break;
      }
      case 1:
        edit_batch(image, geometry, numbers);
        break;
      case 2:
        edit_record(image, geometry, numbers);
        break;
      default:
        if (numbers.byte() == 77) {
          image.resize(image.size() -
                       static_cast<std::size_t>(numbers.of_bytes(2)) % 8192 / 512 * 512);
          return image;
        }
    }
  }
  return image;
}

void use(World& world, RingFile& ring) {
  std::uint64_t handed_out = 0;
  const auto read = ring.for_each_pending([&](const Entry& entry, ByteView payload) {
    require(payload.size() == entry.length, "a payload is as long as its entry says");
    ++handed_out;
  });
  require(read.has_value(), "what is pending can be read");
  require(handed_out == ring.status().pending, "all that is said to be pending is handed out");
  for (int i = 0; i < 3; ++i) {
    bool answered = false;
    ring.append(Bytes(500), Wall{}, [&](const Result<Sequence>&) { answered = true; });
    world.scheduler.run_posted();
    require(answered, "an append is answered");
  }
  while (const auto first = ring.first()) ring.ack(first->sequence);
  world.scheduler.advance(seconds(5));
}

}  // namespace
}  // namespace posthorn::queue

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn::queue;
  posthorn::log::set_sink([](posthorn::log::Level, std::string_view) {});
  World world;
  posthorn::test::MemDisk disk;
  disk.put("ring", edited({data, size}));
  auto ring = world.open(disk);
  use(world, *ring);
  ring.reset();
  world.scheduler.run_posted();
  ring = world.open(disk);
  posthorn::fuzz::require(ring->status().pending == 0, "what was acknowledged stays done");
  ring.reset();
  world.scheduler.run_posted();
  return 0;
}
