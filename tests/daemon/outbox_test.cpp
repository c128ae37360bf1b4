#include "daemon/outbox.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "files/power_folder.h"
#include "support/mem_disk.h"
#include "throttle/valve_fixture.h"

namespace posthorn::daemon {
namespace {

/// A disk whose writing takes as long as the test says.
class PatientWorker final : public Worker {
 public:
  explicit PatientWorker(Scheduler& scheduler) : scheduler_(scheduler) {}
  void run(Task work, Task done) override {
    held_.emplace_back(std::move(work), std::move(done));
    if (!patient) release();
  }
  void release() {
    for (auto& [work, done] : std::exchange(held_, {})) {
      work();
      scheduler_.post(std::move(done));
    }
  }
  bool patient = false;

 private:
  Scheduler& scheduler_;
  std::deque<std::pair<Task, Task>> held_;
};

/// The official number, which takes everything.
class Elsewhere final : public Diversion {
 public:
  bool on_job(std::uint64_t sequence, const Job&) override { return jobs.insert(sequence).second; }
  bool take_up(std::uint64_t, const Job&) override { return false; }
  bool cancel(std::uint64_t sequence) override { return !sending && jobs.erase(sequence) == 1; }
  [[nodiscard]] std::optional<std::string> waits_for(std::uint64_t) const override { return {}; }

  std::set<std::uint64_t> jobs;
  bool sending = false;  ///< each of them, just now
};

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() {
    queue::RingFile::Options options;
    options.path = "outbox.ring";
    options.bytes = std::size_t{1} << 20;
    ring_ = std::move(*queue::RingFile::open(disk_, scheduler_, worker_, random_, options));
    files_ = std::move(
        *files::Store::open(std::make_shared<files::test::PowerFolder>(), worker_, {100, 0, 8}));
    outbox_ = std::make_unique<Outbox>(*ring_, files_.get());
    valve_ = std::make_unique<throttle::Valve>(
        throttle::Valve::Outside{scheduler_, clock_, random_, blobs_, *outbox_, sender_, checker_,
                                 listener_, [](Wall) { return seconds(0); }});
    outbox_->join(*valve_);
    EXPECT_TRUE(valve_->start({}));
    // Nothing is sent meanwhile: the jobs stay where they are.
    valve_->pause();
  }
  ~OutboxTest() override {
    worker_.patient = false;
    worker_.release();
    valve_.reset();
    outbox_.reset();
    ring_.reset();
    scheduler_.run_posted();
  }

  Job job(const std::string& text) {
    Job out;
    out.id = "3EB0" + std::to_string(1000 + ++made_);
    out.chat = "4915550007777@c.us";
    out.content.what = content::Text{text, true, std::nullopt};
    out.accepted_at = clock_.now();
    out.expires_at = out.accepted_at + hours(24);
    return out;
  }
  Job file_job(const std::string& ref, const std::string& caption = "") {
    Job out = job("");
    content::File file;
    file.ref = ref;
    file.caption = caption;
    out.content.what = file;
    return out;
  }
  /// Where the answer will be.
  std::shared_ptr<std::optional<Result<std::string>>> post(Job one) {
    auto answer = std::make_shared<std::optional<Result<std::string>>>();
    outbox_->accept(std::move(one), [answer](Result<std::string> id) { *answer = std::move(id); });
    scheduler_.run_posted();
    return answer;
  }
  bool drop(const Job& one) {
    bool dropped = false;
    outbox_->drop(one.id, one.chat, [&](Result<bool> done) { dropped = done && *done; });
    scheduler_.run_posted();
    return dropped;
  }
  Result<files::File> put(const std::string& bytes) {
    auto writer = files_->begin(bytes.size());
    if (!writer) return tl::unexpected(writer.error());
    std::optional<Result<files::File>> out;
    (*writer)->append(bytes);
    (*writer)->finish([&out](Result<files::File> file) { out = std::move(file); });
    scheduler_.run_posted();
    return out.value_or(fail(Errc::timeout, "not finished"));
  }

  test::MemDisk disk_;
  test::FakeScheduler scheduler_;
  PatientWorker worker_{scheduler_};
  test::SeededRandom random_{1};
  Clock clock_{scheduler_, Wall::from_unix(1'767'225'600)};
  test::MemoryBlobStore blobs_{scheduler_};
  throttle::test::ScriptedSender sender_{scheduler_};
  throttle::test::ScriptedChecker checker_{scheduler_};
  throttle::test::RecordingListener listener_;
  Elsewhere elsewhere_;
  std::unique_ptr<queue::RingFile> ring_;
  std::unique_ptr<files::Store> files_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<throttle::Valve> valve_;
  int made_ = 0;
};

TEST_F(OutboxTest, ASecondPostIsNotAnsweredBeforeTheFirstIsOnDisk) {
  worker_.patient = true;
  const Job first = job("Your order is ready");
  const auto one = post(first);
  const auto two = post(job("Your order is ready"));
  EXPECT_FALSE(*one);
  EXPECT_FALSE(*two) << "a 200 says that the message is on disk";
  worker_.release();
  scheduler_.run_posted();
  ASSERT_TRUE(*one && **one);
  ASSERT_TRUE(*two && **two);
  EXPECT_EQ(***two, first.id);
  EXPECT_EQ(outbox_->count(), 1U);
}

TEST_F(OutboxTest, ADiskThatDoesNotTakeTheFirstIsToldToTheSecondToo) {
  worker_.patient = true;
  const auto one = post(job("Your order is ready"));
  const auto two = post(job("Your order is ready"));
  disk_.fault = [](test::MemDisk::Call call) -> std::optional<test::MemDisk::Fault> {
    if (call != test::MemDisk::Call::sync) return std::nullopt;
    return test::MemDisk::Fault{};
  };
  worker_.release();
  scheduler_.run_posted();
  ASSERT_TRUE(*one && *two);
  EXPECT_FALSE(**one);
  EXPECT_FALSE(**two);
  disk_.fault = nullptr;
  worker_.patient = false;
  const Job third = job("Your order is ready");
  const auto three = post(third);
  ASSERT_TRUE(*three && **three);
  EXPECT_EQ(***three, third.id) << "no double post of one that was never queued";
}

TEST_F(OutboxTest, WhatTheOfficialNumberSendsIsPostedAnewAfterItWasTakenOut) {
  outbox_->divert(&elsewhere_);
  const Job first = job("Your order is ready");
  ASSERT_TRUE(**post(first));
  const auto again = post(job("Your order is ready"));
  EXPECT_EQ(***again, first.id) << "a double click";
  elsewhere_.sending = true;
  EXPECT_FALSE(drop(first));
  EXPECT_EQ(***post(job("Your order is ready")), first.id) << "it goes out";
  elsewhere_.sending = false;
  ASSERT_TRUE(drop(first));
  const Job anew = job("Your order is ready");
  EXPECT_EQ(***post(anew), anew.id);
  EXPECT_EQ(outbox_->count(), 1U);
}

TEST_F(OutboxTest, AFileGoesWithTheJobThatWasTakenOut) {
  const files::File first = *put(std::string(60, 'a'));
  const Job one = file_job(first.ref);
  ASSERT_TRUE(**post(one));
  EXPECT_EQ(put(std::string(60, 'b')).error().code, Errc::full) << "it waits to be sent";
  ASSERT_TRUE(drop(one));
  EXPECT_TRUE(put(std::string(60, 'b')));
}

TEST_F(OutboxTest, AFileStaysWithTheJobThatIsPutInPlaceOfAnother) {
  const files::File first = *put(std::string(60, 'a'));
  const Job one = file_job(first.ref, "first");
  ASSERT_TRUE(**post(one));
  Job other = file_job(first.ref, "second");
  other.id = one.id;
  bool replaced = false;
  outbox_->replace(other, [&](Result<bool> done) { replaced = done && *done; });
  scheduler_.run_posted();
  ASSERT_TRUE(replaced);
  EXPECT_EQ(put(std::string(60, 'b')).error().code, Errc::full) << "it still waits to be sent";
  ASSERT_TRUE(drop(other));
  EXPECT_TRUE(put(std::string(60, 'b')));
}

}  // namespace
}  // namespace posthorn::daemon
