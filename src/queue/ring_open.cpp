#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"
#include "queue/ring_impl.h"

namespace posthorn::queue {

namespace {

/// Brings one path to a ring of the size asked for. FORMAT.md, "Opening", tells the steps and what
/// a power cut between any two of them leaves.
class Opener {
 public:
  Opener(Disk& disk, Random& random, const RingFile::Options& options)
      : disk_(disk),
        random_(random),
        path_(options.path),
        new_path_(options.path + ".new"),
        damaged_path_(options.path + ".damaged"),
        bytes_(options.bytes / kSuperblockArea * kSuperblockArea),
        note_(std::make_shared<EndNote>(disk, options.path + ".end")) {}

  Result<OpenedRing> run();

 private:
  struct Superblocks {
    std::optional<Geometry> geometry;
    bool first_whole = false;
    bool last_whole = false;
    bool unreadable = false;
    std::optional<std::uint16_t> other_version;
  };

  [[nodiscard]] Result<OpenedRing> open_existing(std::unique_ptr<DiskFile> file);
  [[nodiscard]] Result<OpenedRing> open_missing();
  [[nodiscard]] Result<OpenedRing> set_aside_unread(std::optional<std::uint16_t> version);
  [[nodiscard]] Result<OpenedRing> start_fresh();
  [[nodiscard]] static bool runs_into_itself(const OpenedRing& ring);
  [[nodiscard]] static bool has_room(OpenedRing& ring);
  [[nodiscard]] Result<OpenedRing> salvage(OpenedRing old);
  [[nodiscard]] Result<OpenedRing> refresh(OpenedRing old);
  [[nodiscard]] std::uint64_t bytes_that_hold(const OpenedRing& old) const;
  [[nodiscard]] Result<OpenedRing> resize(OpenedRing old);
  [[nodiscard]] Result<OpenedRing> copy_to_new(OpenedRing& old, std::uint64_t bytes);
  [[nodiscard]] Result<std::unique_ptr<DiskFile>> create_new(std::uint64_t bytes);
  /// What was asked for, or what is the least on a device with large sectors.
  [[nodiscard]] std::uint64_t bytes_with(const DiskFile& file) const;
  [[nodiscard]] Geometry new_geometry(const DiskFile& file, const Geometry& old,
                                      Sequence first_sequence);
  [[nodiscard]] static Superblocks read_superblocks(DiskFile& file);
  [[nodiscard]] static Result<void> write_superblock(DiskFile& file, const Geometry& geometry,
                                                     std::uint64_t offset);
  [[nodiscard]] static Result<void> write_superblocks(DiskFile& file, const Geometry& geometry);

  Disk& disk_;
  Random& random_;
  std::string path_;
  std::string new_path_;
  std::string damaged_path_;
  std::uint64_t bytes_;
  Recovery report_;
  std::shared_ptr<EndNote> note_;
  std::optional<EndNote::End> noted_end_;
};

Result<OpenedRing> Opener::run() {
  if (bytes_ < kMinFileBytes || bytes_ > kMaxFileBytes) {
    return fail(Errc::malformed, path_ + ": a ring has 64 KiB to 4 GiB");
  }
  noted_end_ = note_->read();
  auto file = disk_.open(path_);
  if (!file && file.error().code != Errc::not_found) return tl::unexpected(file.error());
  auto opened = file ? open_existing(std::move(*file)) : open_missing();
  if (!opened) return opened;
  report_.pending = opened->state.index.size();
  opened->state.report = report_;
  opened->note = std::move(note_);
  return opened;
}

/// A migration that was cut between its two renames left its result under the other name; anything
/// less than a result has no superblock yet.
Result<OpenedRing> Opener::open_missing() {
  auto file = disk_.open(new_path_);
  if (file && read_superblocks(**file).geometry) {
    TRY(disk_.rename(new_path_, path_));
    return open_existing(std::move(*file));
  }
  report_.created = true;
  return start_fresh();
}

Result<OpenedRing> Opener::start_fresh() {
  TRY(auto file, create_new(bytes_));
  const Geometry geometry = new_geometry(*file, {}, 1);
  TRY(write_superblocks(*file, geometry));
  TRY(disk_.rename(new_path_, path_));
  return OpenedRing{std::move(file), geometry, {}, nullptr};
}

Result<OpenedRing> Opener::open_existing(std::unique_ptr<DiskFile> file) {
  // What an earlier process wrote may still be on its way to the medium: what we now find must
  // stay.
  TRY(file->sync());
  const Superblocks found = read_superblocks(*file);
  if (!found.geometry) {
    if (found.unreadable) return fail(Errc::io, "read " + path_);
    file.reset();
    return set_aside_unread(found.other_version);
  }
  const Geometry geometry = *found.geometry;
  Reader reader(*file);
  OpenedRing opened{nullptr, geometry, recover(reader, geometry, noted_end_), nullptr};
  report_ = std::move(opened.state.report);
  const bool whole = file->size() == geometry.file_bytes && reader.unreadable_pieces() == 0;
  opened.file = std::move(file);
  if (!whole || runs_into_itself(opened)) return salvage(std::move(opened));
  if (!(found.first_whole && found.last_whole)) {
    const std::uint64_t hurt = found.first_whole ? geometry.file_bytes - kSuperblockArea : 0;
    report_.superblock_repaired = static_cast<bool>(write_superblock(*opened.file, geometry, hurt));
  }
  if (!has_room(opened)) return refresh(std::move(opened));
  if (opened.file->alignment() > geometry.block_bytes) return copy_to_new(opened, bytes_);
  if (geometry.file_bytes != bytes_with(*opened.file)) return resize(std::move(opened));
  return opened;
}

/// Nothing of it can be used here; it is kept, because somebody else may read it.
Result<OpenedRing> Opener::set_aside_unread(std::optional<std::uint16_t> version) {
  const std::string kept = version ? path_ + ".version" + std::to_string(*version) : damaged_path_;
  log::error("queue",
             version ? "of a version that this program does not read: set aside; the program that "
                       "wrote it reads it under its old name"
                     : "not a ring file: set aside",
             {{"file", path_}, {"as", kept}});
  TRY(disk_.rename(path_, kept));
  report_.set_aside = kept;
  return start_fresh();
}

/// Where headers are damaged the newest one may be an old one.
bool Opener::runs_into_itself(const OpenedRing& ring) {
  const LogState& log = ring.state.log;
  return log.head > log.synced_tail + ring.geometry.blocks();
}

/// Power cuts while old entries were being moved, one after the other, use up the reserve: what is
/// left of it then counts from the tail that the next header will name.
bool Opener::has_room(OpenedRing& ring) {
  constexpr std::uint64_t kToNameIt = 2;
  LogState& log = ring.state.log;
  const std::uint64_t tail = ring.state.index.tail(log.head);
  const std::uint64_t next_tail =
      log.anchored(std::min(tail, ring.state.readers_place.value_or(tail)));
  return log.free_blocks(ring.geometry) >= kToNameIt &&
         log.head + kToNameIt + log.reserve(ring.geometry) <= next_tail + ring.geometry.blocks();
}

/// Parts of the file are missing: what is left goes to a new file and the old one is kept.
Result<OpenedRing> Opener::salvage(OpenedRing old) {
  log::error("queue", "ring file is badly damaged: rest saved, old one set aside",
             {{"file", path_}, {"as", damaged_path_}});
  report_.set_aside = damaged_path_;
  return copy_to_new(old, bytes_that_hold(old));
}

/// Everything is there, but too little room to go on well. The old file still takes
/// acknowledgements, so a disk without room for a second one is no reason not to start.
Result<OpenedRing> Opener::refresh(OpenedRing old) {
  auto fresh = copy_to_new(old, bytes_that_hold(old));
  if (fresh) return fresh;
  log::warn("queue", "cramped, and cannot move to a fresh file",
            {{"file", path_}, {"error", fresh.error()}});
  static_cast<void>(disk_.remove(new_path_));
  return old;
}

std::uint64_t Opener::bytes_that_hold(const OpenedRing& old) const {
  Geometry roomy = old.geometry;
  roomy.file_bytes = std::max(bytes_, old.geometry.file_bytes);
  while (roomy.capacity_bytes() < old.state.index.bytes()) roomy.file_bytes *= 2;
  return roomy.file_bytes;
}

Result<OpenedRing> Opener::resize(OpenedRing old) {
  Geometry wanted = old.geometry;
  wanted.file_bytes = bytes_;
  const Index& index = old.state.index;
  bool fits = index.bytes() <= wanted.capacity_bytes();
  for (const Index::Slot* slot = index.first(); fits && slot != nullptr;
       slot = index.after(slot->sequence)) {
    fits = slot->length <= wanted.max_payload();
  }
  if (!fits) {
    log::warn("queue", "keeps its size until what waits fits the new one", {{"file", path_}});
    return old;
  }
  auto resized = copy_to_new(old, bytes_);
  if (!resized) {
    log::warn("queue", "keeps its size", {{"file", path_}, {"error", resized.error()}});
    static_cast<void>(disk_.remove(new_path_));
    return old;
  }
  report_.resized = true;
  return resized;
}

/// The superblocks come last: until they are there the new file counts for nothing.
Result<OpenedRing> Opener::copy_to_new(OpenedRing& old, std::uint64_t bytes) {
  TRY(auto file, create_new(bytes));
  const Geometry geometry = new_geometry(*file, old.geometry, old.state.log.next_sequence);
  BatchHeader header{.number = 1, .next_sequence = old.state.log.next_sequence};
  // A position stays; where that is in the new file, its first block finds out.
  std::vector<NamedReader> readers = old.state.readers;
  for (NamedReader& reader : readers) reader.block = 0;
  const auto write = [&](Batch& batch) -> Result<void> {
    batch.finish();
    batch.write(*file, *old.file, old.geometry);
    TRY(batch.outcome());
    for (const Batch::Move& move : batch.moves()) {
      if (move.outcome == Batch::Move::Outcome::stays) return fail(Errc::io, "read " + path_);
    }
    ++header.number;
    header.position += batch.header().blocks;
    header.previous_end = header.position;
    return {};
  };
  if (!readers.empty()) {
    Batch batch(geometry, header);
    batch.add_readers(encode_readers(readers));
    TRY(write(batch));
  }
  for (const Index::Slot* slot = old.state.index.first(); slot != nullptr;) {
    Batch batch(geometry, header);
    for (; slot != nullptr && batch.bytes() < geometry.batch_target();
         slot = old.state.index.after(slot->sequence)) {
      batch.add_move(*slot);
    }
    TRY(write(batch));
  }
  TRY(write_superblocks(*file, geometry));
  if (!report_.set_aside.empty()) TRY(disk_.rename(path_, damaged_path_));
  TRY(disk_.rename(new_path_, path_));
  Reader reader(*file);
  Recovered state = recover(reader, geometry);
  return OpenedRing{std::move(file), geometry, std::move(state), nullptr};
}

Result<std::unique_ptr<DiskFile>> Opener::create_new(std::uint64_t bytes) {
  TRY(auto file, disk_.create(new_path_, bytes));
  const std::uint64_t least = bytes_with(*file);
  if (bytes >= least) return file;
  return disk_.create(new_path_, least);
}

std::uint64_t Opener::bytes_with(const DiskFile& file) const {
  return std::max(bytes_, file.alignment() > 512 ? kMinFileBytesLargeBlocks : kMinFileBytes);
}

Geometry Opener::new_geometry(const DiskFile& file, const Geometry& old, Sequence first_sequence) {
  // Never the old file's salt: a damaged length may have made a payload of old batches, and their
  // headers must not count where that payload is copied to.
  std::uint64_t salt = random_.next_u64();
  if (salt == old.salt) salt = ~salt;
  return {file.alignment() <= 512 ? 512U : 4096U, file.size(), salt, first_sequence};
}

Opener::Superblocks Opener::read_superblocks(DiskFile& file) {
  Superblocks result;
  Reader reader(file, kSuperblockArea);
  const auto first = decode_superblock(reader.view(0, kSuperblockBytes));
  if (!first) result.other_version = superblock_version(reader.view(0, kSuperblockBytes));
  std::optional<Geometry> last;
  if (file.size() >= kMinFileBytes) {
    last = decode_superblock(reader.view(
        file.size() / kSuperblockArea * kSuperblockArea - kSuperblockArea, kSuperblockBytes));
  }
  result.geometry = first ? first : last;
  result.first_whole = first.has_value();
  result.last_whole = last.has_value() && last == result.geometry;
  result.unreadable = reader.unreadable_pieces() > 0;
  return result;
}

Result<void> Opener::write_superblock(DiskFile& file, const Geometry& geometry,
                                      std::uint64_t offset) {
  AlignedBuffer buffer(std::max<std::size_t>(geometry.block_bytes, file.alignment()));
  encode_superblock(geometry, buffer.bytes().first(kSuperblockBytes));
  TRY(file.write(offset, buffer.bytes()));
  return file.sync();
}

Result<void> Opener::write_superblocks(DiskFile& file, const Geometry& geometry) {
  TRY(write_superblock(file, geometry, 0));
  return write_superblock(file, geometry, geometry.file_bytes - kSuperblockArea);
}

}  // namespace

Result<OpenedRing> open_ring(Disk& disk, Random& random, const RingFile::Options& options) {
  return Opener(disk, random, options).run();
}

}  // namespace posthorn::queue
