#include "queue/named_readers.h"

#include <algorithm>
#include <utility>

#include "queue/reader.h"
#include "queue/walk.h"

namespace posthorn::queue {

namespace {

/// Between two looks whether there is enough.
constexpr std::uint64_t kBlocksAtOnce = 64;

class Collecting final : public LogVisitor {
 public:
  Collecting(Sequence position, LogAmount amount) : position_(position), amount_(amount) {}

  void on_batch(const BatchHeader& header, bool) override {
    end_ = header.position + header.blocks;
  }
  void on_batch_end(const BatchHeader&) override {}
  void on_record(const RecordHeader& header, Place place, bool intact, ByteView payload) override {
    const bool entry = header.type == RecordType::entry || header.type == RecordType::moved;
    if (full() || !entry || !intact || header.sequence <= position_) return;
    position_ = header.sequence;
    bytes_ += payload.size();
    if (amount_.payloads == LogPayloads::left_out) payload = {};
    found_.push_back({Index::make_slot(header, place).entry(), place.position, to_bytes(payload)});
  }

  [[nodiscard]] bool full() const { return !found_.empty() && bytes_ >= amount_.most_bytes; }
  /// Logical block behind the last batch that has its header.
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::vector<LogRead::Found> take() { return std::move(found_); }

 private:
  Sequence position_;
  LogAmount amount_;
  std::size_t bytes_ = 0;
  std::uint64_t end_ = 0;
  std::vector<LogRead::Found> found_;
};

}  // namespace

bool is_reader_name(std::string_view name) {
  return !name.empty() && name.size() <= kReaderNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

Bytes encode_readers(const std::vector<NamedReader>& readers) {
  Bytes out(readers.size() * kReaderBytes);
  for (std::size_t i = 0; i < readers.size(); ++i) {
    const auto row = std::span(out).subspan(i * kReaderBytes, kReaderBytes);
    const ByteView name = as_bytes(readers[i].name);
    std::copy(name.begin(), name.end(), row.begin());
    put_u64(row.subspan(16), readers[i].block);
    put_u64(row.subspan(24), readers[i].position);
    put_u64(row.subspan(32), readers[i].most_behind);
  }
  return out;
}

std::optional<std::vector<NamedReader>> decode_readers(ByteView payload) {
  if (payload.size() % kReaderBytes != 0) return std::nullopt;
  std::vector<NamedReader> readers;
  for (; !payload.empty(); payload = payload.subspan(kReaderBytes)) {
    if (readers.size() == RingFile::kMaxReaders) return std::nullopt;
    std::string name = to_string(payload.first(kReaderNameBytes));
    name.resize(std::min(name.find('\0'), name.size()));
    const std::uint64_t most_behind = get_u64(payload.subspan(32));
    if (!is_reader_name(name) || most_behind > 0xFFFF'FFFFU) return std::nullopt;
    readers.push_back({std::move(name), get_u64(payload.subspan(16)), get_u64(payload.subspan(24)),
                       static_cast<std::uint32_t>(most_behind)});
  }
  return readers;
}

LogRead read_log(DiskFile& file, const Geometry& geometry, BlockRange blocks, std::uint64_t newest,
                 Sequence position, LogAmount amount) {
  Reader reader(file);
  Collecting found(position, amount);
  LogWalk walk(reader, geometry, found);
  std::uint64_t from = blocks.from;
  while (from < blocks.head && !found.full()) {
    const std::uint64_t end = std::min(from + kBlocksAtOnce, blocks.head);
    walk.run(from, end, newest);
    from = std::max(end, found.end());
  }
  const bool full = found.full();
  LogRead read{found.take(), from};
  // What did not fit any more is in the last one's batch, or behind it.
  if (full) read.next_block = read.found.back().block;
  return read;
}

}  // namespace posthorn::queue
