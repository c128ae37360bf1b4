#include "powercut_store/power_disk.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <set>

namespace posthorn::store {

namespace {

constexpr std::size_t kSector = 512;

void write_into(Bytes& content, std::size_t offset, ByteView data) {
  if (content.size() < offset + data.size()) content.resize(offset + data.size());
  std::copy(data.begin(), data.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

/// One open file.
struct Handle {
  PowerDisk* disk = nullptr;
  std::shared_ptr<PowerDisk::Inode> inode;
  bool syncs_folder = false;  ///< as SQLite's own VFS does for a new journal or WAL
  int lock = SQLITE_LOCK_NONE;
  unsigned shm_shared = 0;     ///< bits
  unsigned shm_exclusive = 0;  ///< bits
  bool uses_shm = false;
};

void PowerDisk::Inode::apply(const Op& op) {
  if (op.truncation) {
    content.resize(op.offset);
  } else {
    write_into(content, op.offset, op.data);
  }
  pending.push_back(op);
}

struct File {
  sqlite3_file base;
  Handle* handle;
};

struct Methods {
  static Handle& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->handle; }
  static PowerDisk& disk(sqlite3_vfs* vfs) { return *static_cast<PowerDisk*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    file->pMethods = nullptr;
    PowerDisk& power = disk(vfs);
    if (!power.powered_) return SQLITE_CANTOPEN;
    const std::string path = name == nullptr ? "(temporary)" : name;
    auto found = power.names_.find(path);
    if (found == power.names_.end()) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      found = power.names_.emplace(path, std::make_shared<PowerDisk::Inode>()).first;
      if (power.count() != SQLITE_OK) return SQLITE_CANTOPEN;
    }
    auto* handle = new Handle{&power, found->second};
    handle->syncs_folder = (flags & SQLITE_OPEN_CREATE) != 0 &&
                           (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    handle->inode->handles.push_back(handle);
    reinterpret_cast<File*>(file)->handle = handle;
    file->pMethods = methods();
    if (out != nullptr) *out = flags;
    return SQLITE_OK;
  }

  static int close(sqlite3_file* file) {
    Handle* handle = reinterpret_cast<File*>(file)->handle;
    std::erase(handle->inode->handles, handle);
    delete handle;
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
    const Handle& handle = of(file);
    if (!handle.disk->powered_) return SQLITE_IOERR_READ;
    const Bytes& content = handle.inode->content;
    const auto begin = std::min(content.size(), static_cast<std::size_t>(offset));
    const auto length = std::min(content.size() - begin, static_cast<std::size_t>(amount));
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(begin), length,
                static_cast<std::byte*>(out));
    if (length == static_cast<std::size_t>(amount)) return SQLITE_OK;
    std::memset(static_cast<std::byte*>(out) + length, 0,
                static_cast<std::size_t>(amount) - length);
    return SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
    const Handle& handle = of(file);
    if (!handle.disk->powered_) return SQLITE_IOERR_WRITE;
    const int status = handle.disk->count();
    if (status != SQLITE_OK && handle.disk->powered_) return status;
    const auto* bytes = static_cast<const std::byte*>(data);
    handle.inode->apply({static_cast<std::size_t>(offset), Bytes(bytes, bytes + amount), false});
    return status;
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    const Handle& handle = of(file);
    if (!handle.disk->powered_) return SQLITE_IOERR_TRUNCATE;
    const int status = handle.disk->count();
    if (status != SQLITE_OK && handle.disk->powered_) return status;
    handle.inode->apply({static_cast<std::size_t>(size), {}, true});
    return status;
  }

  static int sync(sqlite3_file* file, int) {
    const Handle& handle = of(file);
    if (!handle.disk->powered_) return SQLITE_IOERR_FSYNC;
    // What another thread writes while the sync runs does not belong to it.
    const std::size_t covered = handle.inode->pending.size();
    const int status = handle.disk->count();
    if (status != SQLITE_OK) return status;
    handle.disk->sync(*handle.inode, covered);
    if (handle.syncs_folder) handle.disk->durable_names_ = handle.disk->names_;
    return SQLITE_OK;
  }

  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(file).inode->content.size());
    return SQLITE_OK;
  }

  static int lock(sqlite3_file* file, int level) {
    Handle& handle = of(file);
    for (const Handle* other : handle.inode->handles) {
      if (other == &handle) continue;
      const bool conflict = level == SQLITE_LOCK_SHARED      ? other->lock >= SQLITE_LOCK_PENDING
                            : level == SQLITE_LOCK_EXCLUSIVE ? other->lock >= SQLITE_LOCK_SHARED
                                                             : other->lock >= SQLITE_LOCK_RESERVED;
      if (conflict) return SQLITE_BUSY;
    }
    handle.lock = std::max(handle.lock, level);
    return SQLITE_OK;
  }

  static int unlock(sqlite3_file* file, int level) {
    of(file).lock = std::min(of(file).lock, level);
    return SQLITE_OK;
  }

  static int check_reserved(sqlite3_file* file, int* out) {
    *out = 0;
    for (const Handle* other : of(file).inode->handles) {
      if (other->lock >= SQLITE_LOCK_RESERVED) *out = 1;
    }
    return SQLITE_OK;
  }

  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return static_cast<int>(kSector); }
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
    Handle& handle = of(file);
    *out = nullptr;
    if (!handle.disk->powered_) return SQLITE_IOERR_SHMMAP;
    assert(size == 32768);
    static_cast<void>(size);
    auto& memory = handle.inode->shared_memory;
    handle.uses_shm = true;
    if (memory.size() <= static_cast<std::size_t>(region)) {
      if (extend == 0) return SQLITE_OK;
      while (memory.size() <= static_cast<std::size_t>(region)) {
        memory.push_back(std::make_unique<std::array<std::byte, 32768>>());
      }
    }
    *out = memory[static_cast<std::size_t>(region)]->data();
    return SQLITE_OK;
  }

  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    Handle& handle = of(file);
    const unsigned mask = ((1U << count) - 1) << offset;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      handle.shm_shared &= ~mask;
      handle.shm_exclusive &= ~mask;
      return SQLITE_OK;
    }
    if (!handle.disk->powered_) return SQLITE_IOERR_SHMLOCK;
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (const Handle* other : handle.inode->handles) {
      if (other == &handle) continue;
      if ((other->shm_exclusive & mask) != 0) return SQLITE_BUSY;
      if (exclusive && (other->shm_shared & mask) != 0) return SQLITE_BUSY;
    }
    (exclusive ? handle.shm_exclusive : handle.shm_shared) |= mask;
    return SQLITE_OK;
  }

  static void shm_barrier(sqlite3_file*) {}

  static int shm_unmap(sqlite3_file* file, int) {
    Handle& handle = of(file);
    handle.uses_shm = false;
    handle.shm_shared = handle.shm_exclusive = 0;
    const auto& all = handle.inode->handles;
    if (std::none_of(all.begin(), all.end(), [](const Handle* other) { return other->uses_shm; })) {
      handle.inode->shared_memory.clear();
    }
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    PowerDisk& power = disk(vfs);
    if (!power.powered_) return SQLITE_IOERR_DELETE;
    if (!power.names_.contains(name)) return SQLITE_IOERR_DELETE_NOENT;
    if (power.count() != SQLITE_OK) return SQLITE_IOERR_DELETE;
    power.names_.erase(name);
    if (sync_folder != 0) power.durable_names_ = power.names_;
    return SQLITE_OK;
  }

  static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    const auto& names = disk(vfs).names_;
    const auto found = names.find(name);
    *out = found != names.end() && !found->second->content.empty() ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    return sqlite3_snprintf(size, out, "%s", name) == nullptr ? SQLITE_CANTOPEN : SQLITE_OK;
  }

  static int randomness(sqlite3_vfs* vfs, int count, char* out) {
    for (int i = 0; i < count; ++i) {
      disk(vfs).noise_ = disk(vfs).noise_ * 1664525U + 1013904223U;
      out[i] = static_cast<char>(disk(vfs).noise_ >> 24);
    }
    return count;
  }
  static int sleep(sqlite3_vfs*, int micros) { return micros; }
  static int time(sqlite3_vfs*, sqlite3_int64* now) {
    *now = 212'000'000'000'000;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods kMethods{
        2,
        close,
        read,
        write,
        truncate,
        sync,
        file_size,
        lock,
        unlock,
        check_reserved,
        control,
        sector_size,
        characteristics,
        shm_map,
        shm_lock,
        shm_barrier,
        shm_unmap,
        nullptr,
        nullptr,
    };
    return &kMethods;
  }
};

PowerDisk::PowerDisk(const char* name) : name_(name) {
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(File);
  vfs_.mxPathname = 256;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Methods::open;
  vfs_.xDelete = Methods::remove;
  vfs_.xAccess = Methods::access;
  vfs_.xFullPathname = Methods::full_path;
  vfs_.xRandomness = Methods::randomness;
  vfs_.xSleep = Methods::sleep;
  vfs_.xGetLastError = Methods::last_error;
  vfs_.xCurrentTimeInt64 = Methods::time;
  sqlite3_vfs_register(&vfs_, 0);
}

PowerDisk::~PowerDisk() { sqlite3_vfs_unregister(&vfs_); }

void PowerDisk::start(const DiskImage& image, std::uint64_t cut_at) {
  names_.clear();
  for (const auto& [name, content] : image) {
    auto inode = std::make_shared<Inode>();
    inode->content = content;
    inode->durable = content;
    names_[name] = std::move(inode);
  }
  durable_names_ = names_;
  powered_ = true;
  operations_ = 0;
  cut_at_ = cut_at;
  fail(0, 0, SQLITE_OK);
}

int PowerDisk::count() {
  if (before_operation && !inside_hook_) {
    inside_hook_ = true;
    before_operation();
    inside_hook_ = false;
    if (!powered_) return SQLITE_IOERR;
  }
  ++operations_;
  if (operations_ == cut_at_) {
    powered_ = false;
    return SQLITE_IOERR;
  }
  return failing() ? fail_code_ : SQLITE_OK;
}

void PowerDisk::sync(Inode& inode, std::size_t operations) {
  Inode synced;
  synced.content = std::move(inode.durable);
  const auto end = inode.pending.begin() + static_cast<std::ptrdiff_t>(operations);
  for (auto op = inode.pending.begin(); op != end; ++op) synced.apply(*op);
  inode.durable = std::move(synced.content);
  inode.pending.erase(inode.pending.begin(), end);
}

DiskImage PowerDisk::flipped(DiskImage image, const std::string& name, std::size_t bit) {
  image.at(name).at(bit / 8) ^= static_cast<std::byte>(1U << (bit % 8));
  return image;
}

DiskImage PowerDisk::content() const {
  DiskImage image;
  for (const auto& [name, inode] : names_) image[name] = inode->content;
  return image;
}

DiskImage PowerDisk::image(Survives survives, Random& random) const {
  std::set<std::string> all;
  for (const auto& [name, inode] : names_) all.insert(name);
  for (const auto& [name, inode] : durable_names_) all.insert(name);
  DiskImage image;
  for (const std::string& name : all) {
    const bool newer = survives == Survives::everything ||
                       (survives != Survives::nothing && random.between(0, 1) == 1);
    const auto& names = newer ? names_ : durable_names_;
    const auto found = names.find(name);
    if (found != names.end()) image[name] = build(*found->second, survives, random);
  }
  return image;
}

Bytes PowerDisk::build(const Inode& inode, Survives survives, Random& random) {
  if (survives == Survives::nothing) return inode.durable;
  if (survives == Survives::everything) return inode.content;
  if (survives == Survives::any_sector) return build_sectors(inode, random);
  Inode built;
  built.content = inode.durable;
  const std::size_t count = random.between(0, inode.pending.size());
  for (std::size_t i = 0; i < count; ++i) built.apply(inode.pending[i]);
  return built.content;
}

namespace {

/// Where a write meets a sector, as offsets in the file.
struct Span {
  std::size_t begin;
  std::size_t end;
};
Span meet(std::size_t sector, std::size_t offset, std::size_t length) {
  return {std::max(sector, offset), std::min(sector + kSector, offset + length)};
}

void tear(Bytes& content, Span where, ByteView data, Random& random) {
  switch (random.between(0, 4)) {
    case 0:  // first half
      std::copy_n(data.begin(), data.size() / 2,
                  content.begin() + static_cast<std::ptrdiff_t>(where.begin));
      return;
    case 1:  // second half
      std::copy(data.begin() + static_cast<std::ptrdiff_t>(data.size() / 2), data.end(),
                content.begin() + static_cast<std::ptrdiff_t>(where.begin + data.size() / 2));
      return;
    case 2:
      std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(where.begin), data.size(),
                  std::byte{0});
      return;
    case 3:
      std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(where.begin), data.size(),
                  std::byte{0xFF});
      return;
    default:
      random.fill(std::span(content).subspan(where.begin, data.size()));
      return;
  }
}

}  // namespace

Bytes PowerDisk::build_sectors(const Inode& inode, Random& random) {
  std::vector<std::size_t> sizes{inode.durable.size()};
  std::size_t largest = inode.durable.size();
  for (const Op& op : inode.pending) {
    sizes.push_back(op.truncation ? op.offset : std::max(sizes.back(), op.offset + op.data.size()));
    largest = std::max(largest, sizes.back());
  }
  Bytes content = inode.durable;
  content.resize((largest + kSector - 1) / kSector * kSector);
  for (std::size_t sector = 0; sector < content.size(); sector += kSector) {
    std::vector<const Op*> touching;
    for (const Op& op : inode.pending) {
      const bool touches =
          op.truncation ? op.offset < sector + kSector
                        : op.offset < sector + kSector && sector < op.offset + op.data.size();
      if (touches) touching.push_back(&op);
    }
    const std::size_t count = random.between(0, touching.size());
    for (std::size_t i = 0; i < touching.size() && i <= count; ++i) {
      const Op& op = *touching[i];
      if (op.truncation) {
        if (i == count) break;
        const std::size_t begin = std::max(sector, op.offset);
        std::fill(content.begin() + static_cast<std::ptrdiff_t>(begin),
                  content.begin() + static_cast<std::ptrdiff_t>(sector + kSector), std::byte{});
        continue;
      }
      const Span where = meet(sector, op.offset, op.data.size());
      const ByteView data =
          ByteView(op.data).subspan(where.begin - op.offset, where.end - where.begin);
      if (i < count) {
        write_into(content, where.begin, data);
      } else if (random.between(0, 3) == 0) {
        tear(content, where, data, random);
      }
    }
  }
  content.resize(sizes[random.between(0, sizes.size() - 1)]);
  return content;
}

}  // namespace posthorn::store
