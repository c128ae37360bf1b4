// Ring files between releases: data/inbox-0.1.0.ring was written by the release that knew neither
// owners nor named readers, with 120 entries of which most are acknowledged, and one more.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "posthorn/queue/ring_file.h"
#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn {
namespace {

using queue::RingFile;

class RingOfTheReleaseBefore : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(POSTHORN_VERSIONS_DATA "/inbox-0.1.0.ring", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ASSERT_EQ(text.size(), 65536U);
    disk.put("inbox.ring", to_bytes(text));
    open();
  }
  void open() {
    ring.reset();
    RingFile::Options options;
    options.path = "inbox.ring";
    options.bytes = 64 * 1024;
    options.when_full = queue::WhenFull::drop_oldest;
    auto opened = RingFile::open(disk, scheduler, worker, random, options);
    ASSERT_TRUE(opened) << to_string(opened.error());
    ring = std::move(*opened);
  }

  test::MemDisk disk;
  test::FakeScheduler scheduler;
  test::InlineWorker worker{scheduler};
  test::SeededRandom random;
  std::unique_ptr<RingFile> ring;
};

TEST_F(RingOfTheReleaseBefore, IsReadAsItWas) {
  EXPECT_EQ(ring->recovery().damaged, 0U);
  EXPECT_TRUE(ring->recovery().set_aside.empty());
  EXPECT_EQ(ring->status().pending, 39U);
  EXPECT_EQ(ring->first()->sequence, 4U);
  EXPECT_EQ(ring->first()->label, queue::Label());
  EXPECT_EQ(ring->find(5U), std::nullopt);
  EXPECT_EQ(ring->find(20U)->label.worth, queue::Worth::expendable);
  EXPECT_TRUE(ring->find(20U)->accepted_at.trusted);
  EXPECT_EQ(ring->find(111U)->accepted_at.unix_seconds(), 1'790'000'111);
  EXPECT_TRUE(ring->readers().empty());
  std::vector<std::string> bodies;
  ASSERT_TRUE(ring->for_each_pending(
      [&](const queue::Entry&, ByteView body) { bodies.push_back(to_string(body)); }));
  ASSERT_EQ(bodies.size(), 39U);
  EXPECT_TRUE(bodies.front().starts_with(R"({"typeWebhook":"incomingMessageReceived","n":4,)"));
  EXPECT_EQ(bodies.back(), "after");
}

TEST_F(RingOfTheReleaseBefore, TakesOwnersAndReaders) {
  ASSERT_TRUE(ring->add_reader("page", 0));
  ring->append(to_bytes("new"), Wall::from_unix(1'790'002'000), {queue::Worth::normal, 7},
               [](const Result<queue::Sequence>& stored) { EXPECT_EQ(*stored, 122U); });
  scheduler.run_posted();
  open();
  EXPECT_EQ(ring->find(122)->label.owner, 7);
  std::vector<std::string> seen;
  ring->read("page", 0, 1000, [&](const Result<RingFile::Reading>& reading) {
    for (const auto& [entry, body] : reading->entries) seen.push_back(to_string(body));
  });
  scheduler.run_posted();
  EXPECT_EQ(seen, std::vector<std::string>{"new"});
}

}  // namespace
}  // namespace posthorn
