#include "rivals.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "queue/aligned_buffer.h"

namespace posthorn::bench {

namespace {

void must(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

class Raw final : public Rival {
 public:
  Raw(const std::string& folder, RawMode mode) : mode_(mode), buffer_(1024) {
    const std::string path = folder + "/raw.log";
    std::remove(path.c_str());
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    must(fd_ >= 0, "open");
    const std::vector<char> zeros(1 << 20);
    for (std::size_t at = 0; at < kBytes; at += zeros.size()) {
      must(::pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0, "write");
    }
    must(::fsync(fd_) == 0, "fsync");
    if (mode == RawMode::direct_one_sync) {
      ::close(fd_);
      fd_ = ::open(path.c_str(), O_RDWR | O_DIRECT);
      must(fd_ >= 0, "open O_DIRECT");
    }
  }
  ~Raw() override { ::close(fd_); }

  void accept(std::uint64_t) override {
    append(mode_ == RawMode::buffered_two_syncs ? kMessageBytes + 32 : 1024);
    must(::fdatasync(fd_) == 0, "fdatasync");
  }
  void done(std::uint64_t) override {
    if (mode_ != RawMode::buffered_two_syncs) return;  // rides with the next accept
    append(32);
    must(::fdatasync(fd_) == 0, "fdatasync");
  }

 private:
  static constexpr std::size_t kBytes = 16 << 20;
  void append(std::size_t bytes) {
    if (at_ + bytes > kBytes) at_ = 0;
    must(::pwrite(fd_, buffer_.bytes().data(), bytes, static_cast<off_t>(at_)) ==
             static_cast<ssize_t>(bytes),
         "pwrite");
    at_ += bytes;
  }
  RawMode mode_;
  queue::AlignedBuffer buffer_;
  int fd_ = -1;
  std::size_t at_ = 0;
};

class Sqlite final : public Rival {
 public:
  Sqlite(const std::string& folder, SqliteMode mode) {
    const std::string path = folder + "/rival.db";
    for (const char* tail : {"", "-wal", "-shm", "-journal"}) std::remove((path + tail).c_str());
    must(sqlite3_open(path.c_str(), &db_) == SQLITE_OK, "sqlite open");
    run(mode == SqliteMode::wal_full ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE m(id INTEGER PRIMARY KEY, body BLOB)");
    sqlite3_prepare_v2(db_, "INSERT INTO m VALUES(?,?)", -1, &insert_, nullptr);
    sqlite3_prepare_v2(db_, "DELETE FROM m WHERE id=?", -1, &remove_, nullptr);
  }
  ~Sqlite() override {
    sqlite3_finalize(insert_);
    sqlite3_finalize(remove_);
    sqlite3_close(db_);
  }
  void accept(std::uint64_t id) override {
    sqlite3_bind_blob(insert_, 2, body_, sizeof body_, SQLITE_STATIC);
    step(insert_, id);
  }
  void done(std::uint64_t id) override { step(remove_, id); }

 private:
  void run(const char* sql) {
    must(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
  }
  static void step(sqlite3_stmt* statement, std::uint64_t id) {
    sqlite3_bind_int64(statement, 1, static_cast<sqlite3_int64>(id));
    must(sqlite3_step(statement) == SQLITE_DONE, "sqlite step");
    sqlite3_reset(statement);
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* remove_ = nullptr;
  char body_[kMessageBytes] = {};
};

class Lmdb final : public Rival {
 public:
  explicit Lmdb(const std::string& folder) {
    const std::string path = folder + "/rival.mdb";
    std::remove(path.c_str());
    std::remove((path + "-lock").c_str());
    must(mdb_env_create(&env_) == 0, "lmdb");
    mdb_env_set_mapsize(env_, 64 << 20);
    must(mdb_env_open(env_, path.c_str(), MDB_NOSUBDIR, 0600) == 0, "lmdb open");
    MDB_txn* txn = begin();
    must(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY | MDB_CREATE, &dbi_) == 0, "lmdb dbi");
    must(mdb_txn_commit(txn) == 0, "lmdb commit");
  }
  ~Lmdb() override { mdb_env_close(env_); }
  void accept(std::uint64_t id) override {
    MDB_txn* txn = begin();
    MDB_val key{sizeof id, &id}, value{sizeof body_, body_};
    must(mdb_put(txn, dbi_, &key, &value, 0) == 0, "lmdb put");
    must(mdb_txn_commit(txn) == 0, "lmdb commit");
  }
  void done(std::uint64_t id) override {
    MDB_txn* txn = begin();
    MDB_val key{sizeof id, &id};
    must(mdb_del(txn, dbi_, &key, nullptr) == 0, "lmdb del");
    must(mdb_txn_commit(txn) == 0, "lmdb commit");
  }

 private:
  MDB_txn* begin() {
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, 0, &txn) == 0, "lmdb begin");
    return txn;
  }
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  char body_[kMessageBytes] = {};
};

}  // namespace

std::unique_ptr<Rival> make_raw(const std::string& folder, RawMode mode) {
  return std::make_unique<Raw>(folder, mode);
}
std::unique_ptr<Rival> make_sqlite(const std::string& folder, SqliteMode mode) {
  return std::make_unique<Sqlite>(folder, mode);
}
std::unique_ptr<Rival> make_lmdb(const std::string& folder) {
  return std::make_unique<Lmdb>(folder);
}

Sample measure(Rival& rival, DeviceCounters& counters, int posters, double seconds) {
  std::mutex lock;
  std::uint64_t next_id = 1;
  std::vector<double> latencies;
  counters.start();
  const auto start = Clock::now();
  const auto post = [&] {
    for (;;) {
      const auto asked = Clock::now();
      if (std::chrono::duration<double>(asked - start).count() > seconds) return;
      const std::lock_guard held(lock);
      const std::uint64_t id = next_id++;
      rival.accept(id);
      latencies.push_back(std::chrono::duration<double, std::milli>(Clock::now() - asked).count());
      rival.done(id);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < posters; ++i) threads.emplace_back(post);
  post();
  for (std::thread& thread : threads) thread.join();
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  return summarize(std::move(latencies), took, counters.stop());
}

}  // namespace posthorn::bench
