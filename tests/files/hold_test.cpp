#include <gtest/gtest.h>

#include "posthorn/files/store.h"
#include "power_folder.h"
#include "support/fakes.h"

namespace posthorn::files::test {
namespace {

using posthorn::test::FakeScheduler;
using posthorn::test::InlineWorker;

struct Kept {
  Kept() {
    auto opened = Store::open(std::make_shared<PowerFolder>(), worker, {100, 0, 8});
    store = std::move(*opened);
  }
  Result<File> put(const std::string& bytes) {
    auto writer = store->begin(bytes.size());
    if (!writer) return tl::unexpected(writer.error());
    std::optional<Result<File>> out;
    (*writer)->append(bytes);
    (*writer)->finish([&out](Result<File> file) { out = std::move(file); });
    scheduler.run_posted();
    return out.value_or(fail(Errc::timeout, "not finished"));
  }

  FakeScheduler scheduler;
  InlineWorker worker{scheduler};
  std::unique_ptr<Store> store;
};

TEST(StoreHold, WhatIsHeldStaysAndTheNextOldestGoes) {
  Kept kept;
  const File first = *kept.put(std::string(40, 'a'));
  const File second = *kept.put(std::string(40, 'b'));
  kept.store->hold(first.ref);
  ASSERT_TRUE(kept.put(std::string(40, 'c')));
  EXPECT_TRUE(kept.store->find(first.ref));
  EXPECT_FALSE(kept.store->find(second.ref));
}

TEST(StoreHold, WhenEverythingIsHeldNothingMoreComesIn) {
  Kept kept;
  const File first = *kept.put(std::string(60, 'a'));
  kept.store->hold(first.ref);
  kept.store->hold(first.ref);
  EXPECT_EQ(kept.put(std::string(60, 'b')).error().code, Errc::full);
  kept.store->release(first.ref);
  EXPECT_EQ(kept.put(std::string(60, 'b')).error().code, Errc::full) << "held twice";
  kept.store->release(first.ref);
  EXPECT_TRUE(kept.put(std::string(60, 'b')));
  EXPECT_FALSE(kept.store->find(first.ref));
}

}  // namespace
}  // namespace posthorn::files::test
