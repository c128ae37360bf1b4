#include "daemon/official_side.h"

#include <algorithm>

#include "cloud/transport_desk.h"
#include "posthorn/base/crypto.h"
#include "support/mem_disk.h"
#include "throttle/valve_fixture.h"

namespace posthorn::daemon {
namespace {

constexpr const char* kSecret = "app secret";
constexpr const char* kNumber = "106540352242922";

/// A box with an official number that hears, between a store that loses power, a Meta that is told
/// what to answer, and a linked account that nobody uses.
class Official : public testing::Test {
 protected:
  Official() {
    config_.phone_number_id = kNumber;
    config_.token_file = "/dev/null";
    config_.mode = CloudConfig::Mode::direct;
    config_.transport = Transport::official;
    config_.receipt_template = "receipt";
    queue::RingFile::Options options;
    options.path = "outbox.ring";
    options.bytes = std::size_t{4} << 20;
    ring_ = std::move(*queue::RingFile::open(disk_, scheduler_, worker_, random_, options));
    meta_.is_dead = [this] { return blobs_.is_cut; };
    start();
  }
  ~Official() override { end(); }

  void start() {
    settings_ = std::make_unique<api::SettingsStore>(blobs_);
    outbox_ = std::make_unique<Outbox>(*ring_);
    valve_ = std::make_unique<throttle::Valve>(
        throttle::Valve::Outside{scheduler_, clock_, random_, blobs_, *outbox_, sender_, checker_,
                                 listener_, [](Wall) { return seconds(0); }});
    outbox_->join(*valve_);
    notifier_ = std::make_unique<api::Notifier>(api::Notifier::Outside{
        scheduler_, clock_, blobs_, *settings_, [] { return api::Instance(); },
        [this](const api::InboxItem& item, Once<void(Result<void>)> stored) {
          if (const auto told = json::parse(item.body)) told_.push_back(*told);
          stored({});
        }});
    side_ = std::make_unique<OfficialSide>(
        config_, cloud::Secrets{"token", kSecret, ""},
        OfficialSide::Outside{scheduler_, clock_, blobs_, meta_, *ring_, *outbox_, *valve_,
                              *notifier_, [] { return Status(); },
                              [](Wall) { return seconds(0); }});
    outbox_->divert(side_.get());
    ASSERT_TRUE(valve_->start({}));
    side_->start();
    run();
  }
  void end() {
    side_->stop();
    side_.reset();
    notifier_.reset();
    valve_.reset();
    outbox_.reset();
    settings_.reset();
    scheduler_.run_posted();
  }
  /// The power is gone, and what was not synced with it.
  void lose_power() {
    end();
    blobs_.cut(false);
    blobs_.is_cut = false;
    start();
  }
  void run(milliseconds time = seconds(1)) { scheduler_.advance(time); }

  /// {"messaging_product", "metadata", value}
  static std::string webhook(const std::string& value) {
    return R"({"entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":")" +
           std::string(kNumber) + R"("},)" + value + "}}]}]}";
  }
  static std::string said(const std::string& id, const std::string& who, const std::string& text) {
    return webhook(R"("messages":[{)" + who + R"(,"id":")" + id +
                   R"(","timestamp":"1767225600","type":"text","text":{"body":")" + text +
                   R"("}}])");
  }
  static std::string failed(const std::string& job_id, int code) {
    return webhook(R"("statuses":[{"status":"failed","timestamp":"1767225601","id":"wamid.)" +
                   job_id + R"(","recipient_id":"4915550007777","biz_opaque_callback_data":")" +
                   job_id + R"(","errors":[{"code":)" + std::to_string(code) +
                   R"(,"title":"why"}]}])");
  }
  void hear(const std::string& body, Once<void(int)> done) {
    const auto mark = crypto::hmac_sha256(as_bytes(std::string_view(kSecret)), as_bytes(body));
    side_->hear(body, "sha256=" + hex_encode(mark), std::move(done));
  }
  /// The answer's status; the power goes as soon as it is there.
  int hear_and_lose_power(const std::string& body) {
    int answered = 0;
    hear(body, [this, &answered](int status) {
      answered = status;
      blobs_.is_cut = true;
    });
    while (answered == 0 && scheduler_.run_one_posted()) {
    }
    lose_power();
    return answered;
  }
  int hear_to_the_end(const std::string& body) {
    int answered = 0;
    hear(body, [&answered](int status) { answered = status; });
    run();
    return answered;
  }
  Job job(const std::string& text = "Your cake is ready") {
    Job out;
    out.id = "3EB0" + std::to_string(1000 + ++made_);
    out.chat = "4915550007777@c.us";
    out.content.what = content::Text{text, true, std::nullopt};
    out.accepted_at = clock_.now();
    out.expires_at = out.accepted_at + hours(24);
    return out;
  }
  Job post(const Job& one) {
    outbox_->accept(one, [](const Result<std::string>& id) { EXPECT_TRUE(id); });
    return one;
  }
  [[nodiscard]] std::vector<std::string> statuses_of(const std::string& id) const {
    std::vector<std::string> out;
    for (const json::Value& one : told_) {
      if (json::string_at(one, "idMessage") != id) continue;
      if (const auto status = json::string_at(one, "status")) out.push_back(*status);
    }
    return out;
  }
  [[nodiscard]] bool on_the_list(const std::string& chat) const {
    const auto list = valve_->opt_outs();
    return std::any_of(list.begin(), list.end(), [&](const auto& one) { return one.chat == chat; });
  }

  test::MemDisk disk_;
  test::FakeScheduler scheduler_;
  test::InlineWorker worker_{scheduler_};
  test::SeededRandom random_{1};
  Clock clock_{scheduler_, Wall::from_unix(1'767'225'600)};
  cloud::CuttingBlobs blobs_{scheduler_};
  cloud::Meta meta_{scheduler_};
  throttle::test::ScriptedSender sender_{scheduler_};
  throttle::test::ScriptedChecker checker_{scheduler_};
  throttle::test::RecordingListener listener_;
  CloudConfig config_;
  std::unique_ptr<queue::RingFile> ring_;
  std::unique_ptr<api::SettingsStore> settings_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<throttle::Valve> valve_;
  std::unique_ptr<api::Notifier> notifier_;
  std::unique_ptr<OfficialSide> side_;
  std::vector<json::Value> told_;  ///< notifications, as the till gets them
  int made_ = 0;
};

TEST_F(Official, AStopWithoutANumberCountsForThePersonWhoseNumberComesLater) {
  const std::string nameless = R"("from_user_id":"DE.1a2B")";
  EXPECT_EQ(hear_to_the_end(said("wamid.1", nameless, "STOP")), 200);
  EXPECT_TRUE(on_the_list("DE.1a2B@bsuid"));
  Job only = job();
  only.chat = "DE.1a2B@bsuid";
  post(only);
  run();
  EXPECT_EQ(statuses_of(only.id), std::vector<std::string>{"failed"});
  EXPECT_EQ(meta_.sent[only.id], 0);
  hear_to_the_end(said("wamid.2", R"("from":"4915550007777",)" + nameless, "It is me"));
  EXPECT_TRUE(on_the_list("4915550007777@c.us"));
  EXPECT_FALSE(on_the_list("DE.1a2B@bsuid")) << "one person is one line";
  hear_to_the_end(said("wamid.3", R"("from":"4915550007777")", "START"));
  Job again = job("Welcome back");
  again.chat = only.chat;
  post(again);
  run();
  EXPECT_EQ(statuses_of(again.id), std::vector<std::string>{"sent"});
}

// Meta is answered once; what goes once more after that must outlive the very next moment.
TEST_F(Official, WhatGoesOnceMoreIsOnDiskBeforeMetaIsAnswered) {
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777")", "Is it ready?"));
  const Job one = post(job());
  run();
  ASSERT_EQ(statuses_of(one.id), std::vector<std::string>{"sent"});
  EXPECT_EQ(hear_and_lose_power(failed(one.id, 131047)), 200);
  EXPECT_EQ(meta_.sent[one.id], 2);
}

TEST_F(Official, ANewUserIdIsOnDiskBeforeMetaIsAnswered) {
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777","from_user_id":"DE.1a2B")", "Hello"));
  EXPECT_EQ(hear_and_lose_power(
                webhook(R"("messages":[{"from_user_id":"DE.9z","id":"wamid.2","timestamp":"1",)"
                        R"("type":"system","system":{"type":"user_changed_user_id",)"
                        R"("previous_user_id":"DE.1a2B"}}])")),
            200);
  hear_to_the_end(said("wamid.3", R"("from_user_id":"DE.9z")", "With a new id"));
  EXPECT_EQ(told_.back()["senderData"]["chatId"].asString(), "4915550007777@c.us");
}

TEST_F(Official, AFailureThatOvertakesItsAnswerIsTheMessagesEnd) {
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777")", "Is it ready?"));
  const Job one = job();
  int answered = 0;
  meta_.after_post = [&] {
    hear(failed(one.id, 131042), [&answered](int status) { answered = status; });
    return false;
  };
  post(one);
  run();
  EXPECT_EQ(answered, 200);
  EXPECT_EQ(meta_.sent[one.id], 1);
  EXPECT_EQ(statuses_of(one.id), std::vector<std::string>{"failed"});
  const Job next = post(job("and the next"));
  run();
  EXPECT_EQ(meta_.sent[next.id], 0) << "what it says of the account counts at once";
}

TEST_F(Official, AJobThatCannotBeReadNowIsReadLater) {
  meta_.answers = {cloud::refusal(401, 190, "expired")};
  const std::size_t room = cloud::Transport::kWaiting;
  for (std::size_t i = 0; i < room + 200; ++i) {
    Job one = job("order " + std::to_string(i) + std::string(200, '.'));
    one.transport = "official";
    if (i < room) one.expires_at = one.accepted_at + minutes(1);
    post(one);
  }
  run();
  const std::uint64_t beyond = ring_->first()->sequence + room;
  ASSERT_EQ(side_->waits_for(beyond), "official");
  disk_.fault = [](test::MemDisk::Call call) {
    const bool read = call == test::MemDisk::Call::read;
    return read ? std::optional(test::MemDisk::Fault{}) : std::nullopt;
  };
  run(minutes(2));
  EXPECT_EQ(ring_->first()->sequence, beyond) << "there is room now";
  EXPECT_EQ(side_->waits_for(beyond), "official") << "but it cannot be read";
  disk_.fault = nullptr;
  run(seconds(20));
  EXPECT_EQ(side_->waits_for(beyond), "official: official API: 190: expired");
}

}  // namespace
}  // namespace posthorn::daemon
