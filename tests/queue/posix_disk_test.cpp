#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>

#include "posthorn/queue/ring_file.h"
#include "queue/aligned_buffer.h"
#include "support/fakes.h"

// The program is linked with --wrap for these calls, so that a test can be the operating system.
namespace {

/// Returns an errno to fail with, -1 for "takes one byte less than asked", or 0.
std::function<int(const char* call, int count)> intercept;
int intercepted = 0;

int asked(const char* call) { return intercept ? intercept(call, ++intercepted) : 0; }

}  // namespace

extern "C" {
ssize_t __real_pread(int fd, void* data, size_t size, off_t at);
ssize_t __real_pwrite(int fd, const void* data, size_t size, off_t at);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_fstat(int fd, struct stat* out);
int __real_open(const char* path, int flags, ...);
int __real_posix_fallocate(int fd, off_t at, off_t size);

ssize_t __wrap_pread(int fd, void* data, size_t size, off_t at) {
  const int error = asked("pread");
  if (error > 0) return errno = error, -1;
  return __real_pread(fd, data, error < 0 ? size / 2 : size, at);
}
ssize_t __wrap_pwrite(int fd, const void* data, size_t size, off_t at) {
  const int error = asked("pwrite");
  if (error > 0) return errno = error, -1;
  if (error == -2) return 0;
  return __real_pwrite(fd, data, error < 0 ? size / 2 : size, at);
}
int __wrap_fdatasync(int fd) {
  const int error = asked("fdatasync");
  return error > 0 ? errno = error, -1 : __real_fdatasync(fd);
}
int __wrap_fsync(int fd) {
  const int error = asked("fsync");
  return error > 0 ? errno = error, -1 : __real_fsync(fd);
}
int __wrap_fstat(int fd, struct stat* out) {
  const int error = asked("fstat");
  return error > 0 ? errno = error, -1 : __real_fstat(fd, out);
}
int __wrap_open(const char* path, int flags, mode_t mode) {
  const int error = asked((flags & O_DIRECTORY) != 0 ? "open folder"
                          : (flags & O_DIRECT) != 0  ? "open direct"
                          : (flags & O_CREAT) != 0   ? "create"
                                                     : "open");
  return error > 0 ? errno = error, -1 : __real_open(path, flags, mode);
}
int __wrap_posix_fallocate(int fd, off_t at, off_t size) {
  const int error = asked("posix_fallocate");
  return error > 0 ? error : __real_posix_fallocate(fd, at, size);
}
}

namespace posthorn::queue {
namespace {

class PosixDiskTest : public testing::Test {
 protected:
  PosixDiskTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "posthorn-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    path = folder + "/ring";
  }
  ~PosixDiskTest() override {
    intercept = nullptr;
    std::filesystem::remove_all(folder);
  }
  /// The `at`-th call of this name fails.
  void fail_call(std::string_view name, int error, int at = 1) {
    auto seen = std::make_shared<int>(0);
    intercept = [=](const char* call, int) { return call == name && ++*seen == at ? error : 0; };
  }

  std::string folder;
  std::string path;
  PosixDisk disk;
  AlignedBuffer block{4096};
};

TEST_F(PosixDiskTest, WritesReadsAndKeeps) {
  for (const auto mode : {PosixDisk::Mode::automatic, PosixDisk::Mode::buffered}) {
    PosixDisk each(mode);
    auto file = each.create(path, 64 * 1024);
    ASSERT_TRUE(file) << to_string(file.error());
    EXPECT_EQ((*file)->size(), 64U * 1024);
    EXPECT_TRUE((*file)->alignment() == 512 || (*file)->alignment() == 4096);
    block.bytes()[7] = std::byte{42};
    ASSERT_TRUE((*file)->write(8192, block.bytes()));
    ASSERT_TRUE((*file)->sync());
    file = each.open(path);
    ASSERT_TRUE(file);
    AlignedBuffer back(4096);
    ASSERT_TRUE((*file)->read(8192, back.bytes()));
    EXPECT_EQ(back.bytes()[7], std::byte{42});
    ASSERT_TRUE((*file)->read(0, back.bytes()));
    EXPECT_EQ(back.bytes()[7], std::byte{0});
    EXPECT_FALSE((*file)->read(64 * 1024, back.bytes()));
  }
}

TEST_F(PosixDiskTest, AllBlocksAreReservedBeforehand) {
  ASSERT_TRUE(disk.create(path, 1 << 20));
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 1 << 20);
}

TEST_F(PosixDiskTest, NamesWhatIsMissing) {
  EXPECT_EQ(disk.open(path).error().code, Errc::not_found);
  EXPECT_EQ(disk.remove(path).error().code, Errc::not_found);
  EXPECT_EQ(disk.rename(path, path + "2").error().code, Errc::not_found);
  EXPECT_EQ(disk.open(folder).error().code, Errc::io);
  EXPECT_EQ(disk.create(folder + "/no/ring", 65536).error().code, Errc::not_found);
  ASSERT_TRUE(disk.create(path, 65536));
  ASSERT_TRUE(disk.rename(path, path + "2"));
  ASSERT_TRUE(disk.remove(path + "2"));
}

TEST_F(PosixDiskTest, FallsBackWhereDirectAccessDoesNotWork) {
  ASSERT_TRUE(disk.create(path, 65536));
  fail_call("open direct", EINVAL);
  auto file = disk.open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->alignment(), 4096U);
  fail_call("pread", EINVAL);  // no 512-byte sectors
  file = disk.open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->alignment(), 4096U);
  intercept = [](const char* call, int) { return std::string_view(call) == "pread" ? EINVAL : 0; };
  file = disk.open(path);
  ASSERT_TRUE(file);
  intercept = nullptr;
  ASSERT_TRUE((*file)->read(4096, block.bytes()));
}

TEST_F(PosixDiskTest, GoesOnAfterShortAndInterruptedCalls) {
  auto file = disk.create(path, 65536);
  ASSERT_TRUE(file);
  AlignedBuffer two(8192);
  two.bytes()[8000] = std::byte{9};
  fail_call("pwrite", -1);
  ASSERT_TRUE((*file)->write(0, two.bytes()));
  fail_call("pwrite", EINTR);
  ASSERT_TRUE((*file)->write(0, two.bytes()));
  AlignedBuffer back(8192);
  fail_call("pread", -1);
  ASSERT_TRUE((*file)->read(0, back.bytes()));
  EXPECT_EQ(back.bytes()[8000], std::byte{9});
  fail_call("pread", EINTR);
  ASSERT_TRUE((*file)->read(0, back.bytes()));
  intercept = nullptr;
  file->reset();
  fail_call("pwrite", EINTR);
  ASSERT_TRUE(disk.create(path, 65536));
}

TEST_F(PosixDiskTest, SaysWhatTheSystemSaid) {
  auto file = disk.create(path, 65536);
  ASSERT_TRUE(file);
  const auto code_of = [](const auto& result) {
    return result ? Errc::timeout : result.error().code;
  };
  fail_call("pwrite", ENOSPC);
  EXPECT_EQ(code_of((*file)->write(0, block.bytes())), Errc::full);
  fail_call("pwrite", EDQUOT);
  EXPECT_EQ(code_of((*file)->write(0, block.bytes())), Errc::full);
  fail_call("pwrite", EIO);
  EXPECT_EQ(code_of((*file)->write(0, block.bytes())), Errc::io);
  fail_call("pwrite", -2);
  EXPECT_EQ(code_of((*file)->write(0, block.bytes())), Errc::io);
  fail_call("pread", EIO);
  EXPECT_EQ(code_of((*file)->read(0, block.bytes())), Errc::io);
  fail_call("fdatasync", EROFS);
  EXPECT_EQ(code_of((*file)->sync()), Errc::io);
  fail_call("fstat", EIO);
  EXPECT_EQ(code_of(disk.open(path)), Errc::io);
  fail_call("fsync", EIO);
  EXPECT_EQ(code_of(disk.create(path, 65536)), Errc::io);
  fail_call("fsync", EIO, 2);
  EXPECT_EQ(code_of(disk.create(path, 65536)), Errc::io);
  fail_call("open folder", EACCES);
  EXPECT_EQ(code_of(disk.create(path, 65536)), Errc::io);
  fail_call("posix_fallocate", ENOSPC);
  EXPECT_EQ(code_of(disk.create(path, 65536)), Errc::full);
  fail_call("posix_fallocate", EOPNOTSUPP);
  EXPECT_TRUE(disk.create(path, 65536));
  fail_call("pwrite", ENOSPC);
  EXPECT_EQ(code_of(disk.create(path, 65536)), Errc::full);
}

TEST_F(PosixDiskTest, ARelativePathSyncsTheFolderItIsIn) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  EXPECT_TRUE(disk.create("here", 65536));
  std::filesystem::current_path(before);
}

/// A child appends and tells what was confirmed; it is killed at any moment, many times over.
TEST_F(PosixDiskTest, WhatWasConfirmedSurvivesKillNine) {
  Sequence confirmed = 0;
  for (int round = 0; round < 40; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      test::FakeScheduler scheduler;
      test::InlineWorker worker(scheduler);
      test::SeededRandom random;
      RingFile::Options options;
      options.path = path;
      options.bytes = 256 * 1024;
      auto ring = RingFile::open(disk, scheduler, worker, random, options);
      if (!ring) _exit(1);
      for (;;) {
        for (int i = 0; i < 3; ++i) {
          (*ring)->append(Bytes(700), Wall{}, [&](Result<Sequence> sequence) {
            if (!sequence || write(pipe_ends[1], &*sequence, sizeof *sequence) < 0) _exit(1);
          });
        }
        scheduler.run_posted();
        while ((*ring)->status().pending > 20) (*ring)->ack((*ring)->first()->sequence);
      }
    }
    close(pipe_ends[1]);
    // The child runs until it has confirmed a few, more in every round, and then dies in the middle
    // of the next ones.
    Sequence sequence = 0;
    for (int i = 0; i <= round % 7; ++i) {
      ASSERT_EQ(read(pipe_ends[0], &sequence, sizeof sequence),
                static_cast<ssize_t>(sizeof sequence));
      confirmed = std::max(confirmed, sequence);
    }
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    while (read(pipe_ends[0], &sequence, sizeof sequence) > 0)
      confirmed = std::max(confirmed, sequence);
    close(pipe_ends[0]);

    test::FakeScheduler scheduler;
    test::InlineWorker worker(scheduler);
    test::SeededRandom random;
    RingFile::Options options;
    options.path = path;
    options.bytes = 256 * 1024;
    auto ring = RingFile::open(disk, scheduler, worker, random, options);
    ASSERT_TRUE(ring);
    ASSERT_EQ((*ring)->recovery().damaged, 0U);
    // The last twenty were never acknowledged.
    for (Sequence s = confirmed < 17 ? 1 : confirmed - 16; s <= confirmed; ++s) {
      ASSERT_TRUE((*ring)->find(s)) << "round " << round << ", sequence " << s;
    }
  }
}

}  // namespace
}  // namespace posthorn::queue
