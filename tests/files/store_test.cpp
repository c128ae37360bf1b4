#include "posthorn/files/store.h"

#include <gtest/gtest.h>

#include "files/type.h"
#include "posthorn/base/crypto.h"
#include "posthorn/loop/loop.h"
#include "power_folder.h"
#include "support/fakes.h"
#include "support/folder.h"

namespace posthorn::files::test {
namespace {

std::string sha_of(std::string_view text) { return hex_encode(crypto::sha256(as_bytes(text))); }

struct Rig {
  explicit Rig(StoreOptions given = small(), std::shared_ptr<PowerFolder> on = nullptr)
      : folder(on ? std::move(on) : std::make_shared<PowerFolder>()), options(given) {
    reopen();
  }
  static StoreOptions small() { return {.quota = 1000, .room_left = 0, .writers = 3}; }
  void reopen() {
    store.reset();
    auto opened = Store::open(folder, worker, options);
    EXPECT_TRUE(opened.has_value());
    store = std::move(*opened);
  }
  Result<File> put(std::string_view text) {
    auto writer = store->begin(std::nullopt);
    if (!writer) return tl::unexpected(writer.error());
    (*writer)->append(text);
    std::optional<Result<File>> out;
    (*writer)->finish([&out](Result<File> file) { out = std::move(file); });
    scheduler.run_posted();
    return *out;
  }
  std::string get(const std::string& ref) {
    auto reader = store->read(ref);
    if (!reader) return "(" + reader.error().detail + ")";
    std::string text;
    for (bool more = true; more;) {
      (*reader)->read(text.size(), 7, [&](Result<Bytes> piece) {
        text += piece ? as_text(*piece) : "(broken)";
        more = piece && !piece->empty();
      });
      scheduler.run_posted();
    }
    return text;
  }
  std::size_t names() { return folder->list()->size(); }

  posthorn::test::FakeScheduler scheduler;
  posthorn::test::InlineWorker worker{scheduler};
  std::shared_ptr<PowerFolder> folder;
  StoreOptions options;
  std::unique_ptr<Store> store;
};

TEST(FileStore, KeepsWhatCameUnderItsHash) {
  Rig rig;
  const auto file = rig.put("\x89PNG\r\n\x1A\n and so on");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->ref, sha_of("\x89PNG\r\n\x1A\n and so on"));
  EXPECT_EQ(file->size, 18U);
  EXPECT_EQ(file->type, "image/png");
  EXPECT_EQ(rig.get(file->ref), "\x89PNG\r\n\x1A\n and so on");
  rig.reopen();
  const auto again = rig.store->find(file->ref);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->type, "image/png");
  EXPECT_EQ(again->size, 18U);
  EXPECT_EQ(rig.get(file->ref), "\x89PNG\r\n\x1A\n and so on");
  EXPECT_EQ(rig.store->status().used, 18U);
}

TEST(FileStore, TheSameContentIsOneFileAndYoungAgain) {
  Rig rig;
  const auto first = rig.put("one");
  const auto other = rig.put("two");
  const auto again = rig.put("one");
  EXPECT_EQ(first->ref, again->ref);
  EXPECT_EQ(rig.names(), 2U);
  EXPECT_EQ(rig.store->list().front().ref, other->ref);
  EXPECT_EQ(rig.store->status().used, 6U);
}

TEST(FileStore, TheOldestGoForNewOnes) {
  Rig rig;
  const auto first = rig.put(std::string(400, 'a'));
  const auto second = rig.put(std::string(400, 'b'));
  const auto third = rig.put(std::string(400, 'c'));
  EXPECT_FALSE(rig.store->find(first->ref).has_value());
  EXPECT_TRUE(rig.store->find(second->ref).has_value());
  EXPECT_TRUE(rig.store->find(third->ref).has_value());
  EXPECT_EQ(rig.names(), 2U);
  EXPECT_EQ(rig.store->status().pushed_out, 1U);
  EXPECT_EQ(rig.get(first->ref), "(there is no such file, or a newer one took its room)");
}

/// As a receipt's picture that a message in the outbox waits for.
TEST(FileStore, WhatIsHeldGoesWhenItIsLetGo) {
  Rig rig;
  const std::string ref = rig.put("a picture")->ref;
  rig.store->hold(ref);
  rig.store->hold(ref);
  EXPECT_TRUE(rig.store->remove(ref).has_value());
  rig.store->release(ref);
  EXPECT_EQ(rig.get(ref), "a picture");
  rig.store->release(ref);
  rig.scheduler.run_posted();
  EXPECT_FALSE(rig.store->find(ref).has_value());
  EXPECT_EQ(rig.names(), 0U);
  EXPECT_EQ(rig.store->status().used, 0U);
}

TEST(FileStore, WhatIsHeldAndComesAgainStays) {
  Rig rig;
  const std::string ref = rig.put("a picture")->ref;
  rig.store->hold(ref);
  EXPECT_TRUE(rig.store->remove(ref).has_value());
  EXPECT_TRUE(rig.put("a picture").has_value());
  rig.store->release(ref);
  rig.scheduler.run_posted();
  EXPECT_EQ(rig.get(ref), "a picture");
}

TEST(FileStore, WhatIsLargerThanTheQuotaIsRefusedAndLeavesNothing) {
  Rig rig;
  EXPECT_EQ(rig.store->begin(1001).error().code, Errc::full);
  const auto refused = rig.put(std::string(1001, 'x'));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::full);
  EXPECT_EQ(rig.names(), 0U);
  EXPECT_TRUE(rig.put(std::string(1000, 'x')).has_value()) << "its room is free again";
}

TEST(FileStore, WhoGoesAwayInTheMiddleLeavesNothing) {
  Rig rig;
  {
    auto writer = rig.store->begin(std::nullopt);
    (*writer)->append("half of");
    rig.scheduler.run_posted();
    EXPECT_EQ(rig.names(), 1U);
    EXPECT_TRUE(rig.store->list().empty()) << "not visible before it is whole";
    EXPECT_EQ(rig.store->status().writing, 1U);
    (*writer)->append(" it");
  }
  rig.scheduler.run_posted();
  EXPECT_EQ(rig.names(), 0U);
  EXPECT_EQ(rig.store->status().writing, 0U);
  EXPECT_TRUE(rig.put(std::string(1000, 'x')).has_value());
}

TEST(FileStore, AWriterThatHasMuchToWriteSaysNoAndThenThatThereIsRoom) {
  Rig rig({.quota = 1 << 20, .room_left = 0});
  auto writer = rig.store->begin(std::nullopt);
  int woken = 0;
  (*writer)->on_room([&woken] { ++woken; });
  EXPECT_TRUE((*writer)->append("a little"));
  EXPECT_FALSE((*writer)->append(std::string(200'000, 'x'))) << "the first piece is being written";
  EXPECT_EQ(woken, 0);
  rig.scheduler.run_posted();
  EXPECT_EQ(woken, 1);
  std::optional<Result<File>> out;
  (*writer)->finish([&out](Result<File> file) { out = std::move(file); });
  rig.scheduler.run_posted();
  ASSERT_TRUE(out && out->has_value());
  EXPECT_EQ((*out)->size, 200'008U);
  EXPECT_EQ((*out)->ref, sha_of("a little" + std::string(200'000, 'x')));
}

TEST(FileStore, OnlySoManyAtOnce) {
  Rig rig;
  std::vector<std::unique_ptr<Writer>> writers;
  for (int i = 0; i < 3; ++i) writers.push_back(std::move(*rig.store->begin(std::nullopt)));
  EXPECT_EQ(rig.store->begin(std::nullopt).error().code, Errc::busy);
  writers.pop_back();
  rig.scheduler.run_posted();
  EXPECT_TRUE(rig.store->begin(std::nullopt).has_value());
  writers.clear();
  rig.scheduler.run_posted();
}

TEST(FileStore, ADiskThatFailsOrIsFullIsTold) {
  Rig rig;
  rig.folder->fault = [] { return std::optional(Error{Errc::io, "broken card"}); };
  const auto broken = rig.put("text");
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().detail, "broken card");
  rig.folder->fault = nullptr;
  EXPECT_EQ(rig.names(), 0U);
  rig.folder->free = 1000;
  const auto full = rig.put("text");
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code, Errc::full);
  EXPECT_EQ(rig.names(), 0U);
}

TEST(FileStore, WritersAndReadersMayOutliveIt) {
  Rig rig;
  const auto kept = rig.put("kept");
  auto reader = rig.store->read(kept->ref);
  auto open = rig.store->begin(std::nullopt);
  auto finishing = rig.store->begin(std::nullopt);
  (*open)->append("never finished");
  (*finishing)->append("too late");
  rig.store.reset();
  std::optional<Result<File>> out;
  (*finishing)->finish([&out](Result<File> file) { out = std::move(file); });
  (*finishing).reset();
  (*open)->append("more");
  (*open).reset();
  std::string text;
  (*reader)->read(0, 10, [&](Result<Bytes> piece) { text = as_text(*piece); });
  rig.scheduler.run_posted();
  EXPECT_EQ(text, "kept");
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->error().code, Errc::cancelled);
  EXPECT_EQ(rig.names(), 1U);
}

TEST(FileStore, StartsWithWhateverLiesThere) {
  auto folder = std::make_shared<PowerFolder>();
  folder->put("part-7", "half");
  folder->put("lost+found", "");
  folder->put("0000000003-" + sha_of("a") + ".bin", "a");
  folder->put("0000000009-" + sha_of("a") + ".bin", "a");
  folder->put("0000000004-" + sha_of("b") + ".unheard", "b");
  folder->put("12-short.bin", "c");
  Rig rig(Rig::small(), folder);
  EXPECT_EQ(rig.store->list().size(), 2U);
  EXPECT_EQ(folder->content("part-7"), nullptr);
  EXPECT_NE(folder->content("lost+found"), nullptr) << "not ours to remove";
  EXPECT_EQ(rig.get(sha_of("a")), "a");
  EXPECT_EQ(rig.put("new")->number, 10U);
}

TEST(FileStore, HandsAFileOver) {
  Rig rig;
  const auto file = rig.put("hsqs bundle");
  EXPECT_EQ(file->type, "application/vnd.rauc");
  const auto path = rig.store->hand_over(file->ref);
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->substr(0, 7), "/power/");
  EXPECT_FALSE(rig.store->find(file->ref).has_value());
  EXPECT_EQ(rig.names(), 1U) << "the taker moves it away";
}

/// Three files under a quota that keeps two, power lost before every step of it. Whatever is there
/// afterwards is whole, and what finish() answered for is there, unless a newer one took its room.
TEST(FileStorePowerCut, WhatWasAnsweredIsThereAndNothingIsHalf) {
  const std::vector<std::string> texts{std::string(400, 'a'), std::string(300, 'b'),
                                       std::string(500, 'c')};
  std::size_t steps = 0;
  std::size_t cuts = 0;
  for (std::size_t cut = 1; cut <= steps || steps == 0; ++cut) {
    struct Moment {
      std::vector<std::string> answered;
      std::vector<std::unique_ptr<PowerFolder>> after;
    } moment;
    Rig rig;
    std::size_t step = 0;
    std::vector<std::string> answered;
    rig.folder->on_step = [&] {
      if (++step != cut) return;
      moment.answered = answered;
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        moment.after.push_back(rig.folder->after_cut(seed * 1000 + cut));
      }
    };
    for (const std::string& text : texts) {
      auto writer = rig.store->begin(std::nullopt);
      for (std::size_t at = 0; at < text.size(); at += 100) {
        (*writer)->append(text.substr(at, 100));
        rig.scheduler.run_posted();
      }
      (*writer)->finish([&](Result<File> file) { answered.push_back(file->ref); });
      rig.scheduler.run_posted();
    }
    steps = step;
    for (auto& folder : moment.after) {
      ++cuts;
      Rig next(Rig::small(), std::shared_ptr<PowerFolder>(std::move(folder)));
      for (const File& file : next.store->list()) {
        ASSERT_EQ(sha_of(next.get(file.ref)), file.ref) << "half a file is visible, cut " << cut;
      }
      const auto entries = *next.folder->list();
      for (const auto& entry : entries) {
        ASSERT_FALSE(entry.name.starts_with("part-")) << "something stayed behind, cut " << cut;
      }
      if (!moment.answered.empty()) {
        ASSERT_TRUE(next.store->find(moment.answered.back()).has_value()) << "lost, cut " << cut;
      }
      ASSERT_TRUE(next.put("goes on").has_value());
    }
  }
  EXPECT_GT(steps, 20U);
  EXPECT_EQ(cuts, steps * 20);
}

TEST(FileType, IsToldByTheFirstBytes) {
  EXPECT_EQ(detect_type(as_bytes("\xFF\xD8\xFF\xE0 JFIF")), "image/jpeg");
  EXPECT_EQ(detect_type(as_bytes("RIFF\x01\x02\x03\x04WEBPVP8 ")), "image/webp");
  EXPECT_EQ(detect_type(as_bytes("RIFF\x01\x02\x03\x04WAVEfmt ")), "audio/wav");
  EXPECT_EQ(detect_type(as_bytes("RIFF\x01\x02\x03\x04")), "application/octet-stream");
  EXPECT_EQ(detect_type(as_bytes("%PDF-1.7")), "application/pdf");
  EXPECT_EQ(detect_type(as_bytes(std::string_view("\0\0\0\x20"
                                                  "ftypisom",
                                                  12))),
            "video/mp4");
  EXPECT_EQ(detect_type(as_bytes(std::string_view("\0\0\0\x14"
                                                  "ftypqt  ",
                                                  12))),
            "video/quicktime");
  EXPECT_EQ(detect_type({}), "application/octet-stream");
  EXPECT_EQ(type_of_suffix(suffix_of("audio/mpeg")), "audio/mpeg");
  EXPECT_EQ(type_of_suffix("../../etc"), "application/octet-stream");
}

/// On the real file system and the real pool of threads.
TEST(FileStorePosix, GoesInAndComesOut) {
  posthorn::test::Folder place;
  loop::Loop loop;
  loop::PoolWorker worker(loop);
  auto disk = posix_folder(place.at("files"));
  ASSERT_TRUE(disk.has_value());
  auto store = Store::open(std::shared_ptr<Disk>(std::move(*disk)), worker, {});
  ASSERT_TRUE(store.has_value());
  auto writer = (*store)->begin(std::nullopt);
  ASSERT_TRUE(writer.has_value());
  std::string text(3'000'000, 'x');
  bool room = true;
  (*writer)->on_room([&room] { room = true; });
  for (std::size_t at = 0; at < text.size(); at += 10'000) {
    room = (*writer)->append(std::string_view(text).substr(at, 10'000));
    while (!room) loop.run_once(milliseconds(100));
  }
  std::optional<Result<File>> file;
  (*writer)->finish([&file](Result<File> done) { file = std::move(done); });
  while (!file) loop.run_once(milliseconds(100));
  ASSERT_TRUE(file->has_value());
  EXPECT_EQ((*file)->ref, sha_of(text));
  EXPECT_GE((*store)->status().written_bytes, text.size());
  auto reader = (*store)->read((*file)->ref);
  ASSERT_TRUE(reader.has_value());
  std::optional<Bytes> piece;
  (*reader)->read(2'999'990, 100, [&piece](Result<Bytes> got) { piece = std::move(*got); });
  while (!piece) loop.run_once(milliseconds(100));
  EXPECT_EQ(as_text(*piece), std::string(10, 'x'));
  EXPECT_TRUE((*store)->remove((*file)->ref).has_value());
  EXPECT_FALSE(place.has("files/0000000001-" + (*file)->ref + ".bin"));
}

}  // namespace
}  // namespace posthorn::files::test
