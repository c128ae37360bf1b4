#include "posthorn/files/store.h"

#include <utility>

#include "files/name.h"
#include "files/type.h"
#include "files/writer.h"
#include "posthorn/base/log.h"
#include "posthorn/files/lane.h"

namespace posthorn::files {

namespace {

/// A part that somebody else wrote: read once for its hash, then synced and named.
Result<void> name_part(Disk& disk, const std::string& part, std::uint64_t quota, File& file) {
  TRY(const auto opened, disk.open(part));
  crypto::Sha256Stream sha;
  Bytes piece(std::size_t{64} << 10);
  for (;;) {
    TRY(const std::size_t got, opened->read(file.size, piece));
    if (got == 0) break;
    const ByteView bytes = ByteView(piece).first(got);
    if (file.size == 0) file.type = detect_type(bytes);
    sha.add(bytes);
    file.size += got;
  }
  if (file.size > quota) return fail(Errc::full, "larger than what the box keeps of files");
  TRY(opened->sync());
  file.ref = hex_encode(sha.finish());
  if (file.type.empty()) file.type = detect_type({});
  TRY(disk.rename(part, name_of(file)));
  TRY(file.stored_at, disk.modified(name_of(file)));
  return disk.sync_names();
}

}  // namespace

Store::Store(std::shared_ptr<Disk> disk, Worker& worker, StoreOptions options)
    : disk_(std::move(disk)),
      work_(std::make_shared<Lane>(worker)),
      syncs_(std::make_shared<Lane>(worker)),
      options_(options) {}

Result<std::unique_ptr<Store>> Store::open(std::shared_ptr<Disk> disk, Worker& worker,
                                           StoreOptions options) {
  std::unique_ptr<Store> store(new Store(std::move(disk), worker, options));
  TRY(store->load());
  return store;
}

Result<void> Store::load() {
  TRY(const auto entries, disk_->list());
  for (const Disk::Entry& entry : entries) {
    if (entry.name.starts_with(kPartPrefix)) {
      (void)disk_->remove(entry.name);
      continue;
    }
    const auto file = parse_name(entry);
    if (!file) {
      log::warn("files", "a file that is not ours is left alone", {{"name", entry.name}});
      continue;
    }
    next_number_ = std::max(next_number_, file->number + 1);
    const auto known = numbers_.find(file->ref);
    const bool older = known != numbers_.end() && known->second > file->number;
    if (older) {  // a cut came before it could be removed
      (void)disk_->remove(entry.name);
    } else {
      take_in(*file);
    }
  }
  return make_room(0);
}

void Store::take_in(const File& file) {
  unwanted_.erase(file.ref);
  if (const auto known = numbers_.find(file.ref); known != numbers_.end()) {
    const File older = files_.at(known->second);
    forget(older.number);
    remove_later(name_of(older));
  }
  files_[file.number] = file;
  numbers_[file.ref] = file.number;
  used_ += file.size;
}

void Store::forget(std::uint64_t number) {
  const auto found = files_.find(number);
  if (found == files_.end()) return;
  used_ -= found->second.size;
  numbers_.erase(found->second.ref);
  files_.erase(found);
}

void Store::remove_later(std::string name) {
  work_->run([disk = disk_, name = std::move(name)] { (void)disk->remove(name); }, [] {});
}

void Store::hold(const std::string& ref) { ++holds_[ref]; }

void Store::release(const std::string& ref) {
  const auto held = holds_.find(ref);
  if (held == holds_.end() || --held->second > 0) return;
  holds_.erase(held);
  if (unwanted_.erase(ref) == 0) return;
  const auto file = find(ref);
  if (!file) return;
  forget(file->number);
  remove_later(name_of(*file));
}

std::map<std::uint64_t, File>::iterator Store::oldest_free() {
  return std::find_if(files_.begin(), files_.end(),
                      [this](const auto& one) { return !holds_.contains(one.second.ref); });
}

Result<void> Store::make_room(std::uint64_t bytes) {
  if (incoming_ + bytes > options_.quota) {
    return fail(Errc::full, "larger than the " + std::to_string(options_.quota >> 20) +
                                " MiB that the box keeps of files");
  }
  while (used_ + incoming_ + bytes > options_.quota && !files_.empty()) {
    const auto free = oldest_free();
    if (free == files_.end()) {
      return fail(Errc::full, "the files that wait to be sent fill the box's room for files");
    }
    const File oldest = free->second;
    forget(oldest.number);
    remove_later(name_of(oldest));
    ++pushed_out_;
    log::info("files", "the oldest file went for a newer one", {{"bytes", oldest.size}});
  }
  return {};
}

Result<std::unique_ptr<Writer>> Store::begin(std::optional<std::uint64_t> size_hint) {
  if (writing_ >= options_.writers) {
    return fail(Errc::busy, "too many files are on their way in, try again");
  }
  TRY(make_room(size_hint.value_or(0)));
  ++writing_;
  return std::unique_ptr<Writer>(new Writer(std::make_shared<Writer::State>(
      disk_, work_, syncs_, alive_.weak(), std::string(kPartPrefix) + std::to_string(next_part_++),
      options_.room_left)));
}

void Store::on_writer_gone(std::uint64_t bytes) {
  --writing_;
  incoming_ -= bytes;
}

std::optional<File> Store::find(const std::string& ref) const {
  const auto number = numbers_.find(ref);
  if (number == numbers_.end()) return std::nullopt;
  return files_.at(number->second);
}

Result<std::unique_ptr<Reader>> Store::read(const std::string& ref) {
  auto file = find(ref);
  if (!file) return fail(Errc::not_found, "there is no such file, or a newer one took its room");
  TRY(auto opened, disk_->open(name_of(*file)));
  return std::make_unique<Reader>(work_, std::move(opened), std::move(*file));
}

void Reader::read(std::uint64_t offset, std::size_t size, Once<void(Result<Bytes>)> done) {
  run_on<Result<Bytes>>(
      *lane_,
      [file = file_, offset, size]() -> Result<Bytes> {
        Bytes out(size);
        TRY(const std::size_t got, file->read(offset, out));
        out.resize(got);
        return out;
      },
      std::move(done));
}

std::vector<File> Store::list() const {
  std::vector<File> out;
  out.reserve(files_.size());
  for (const auto& [number, file] : files_) out.push_back(file);
  return out;
}

Result<void> Store::remove(const std::string& ref) {
  const auto file = find(ref);
  if (!file) return fail(Errc::not_found, "there is no such file");
  if (is_held(ref)) {
    unwanted_.insert(ref);
    return {};
  }
  forget(file->number);
  return disk_->remove(name_of(*file));
}

Result<std::string> Store::hand_over(const std::string& ref) {
  const auto file = find(ref);
  if (!file) return fail(Errc::not_found, "there is no such file");
  forget(file->number);
  return disk_->path_of(name_of(*file));
}

Result<std::string> Store::path_of(const std::string& ref) const {
  const auto file = find(ref);
  if (!file) return fail(Errc::not_found, "there is no such file");
  return disk_->path_of(name_of(*file));
}

Store::Part Store::new_part() {
  std::string name = std::string(kPartPrefix) + std::to_string(next_part_++);
  std::string path = disk_->path_of(name);
  return {std::move(name), std::move(path)};
}

void Store::adopt(const Part& part, Once<void(Result<File>)> done) {
  auto file = std::make_shared<File>();
  file->number = next_number_++;
  run_on<Result<void>>(
      *work_,
      [disk = disk_, name = part.name, file, quota = options_.quota]() -> Result<void> {
        auto named = name_part(*disk, name, quota, *file);
        if (!named) (void)disk->remove(name);
        return named;
      },
      [self = alive_.weak(), file, done = std::move(done)](Result<void> named) mutable {
        if (!named) return done(tl::unexpected(named.error()));
        if (Store* me = self.get()) {
          me->written_bytes_ += file->size;
          me->take_in(*file);
          (void)me->make_room(0);  // it fits by itself, so the oldest make room
        }
        done(std::move(*file));
      });
}

Store::Status Store::status() const {
  return {used_, files_.size(), writing_, written_bytes_, pushed_out_};
}

}  // namespace posthorn::files
