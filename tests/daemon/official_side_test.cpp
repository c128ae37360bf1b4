#include "daemon/official_side.h"

#include <algorithm>

#include "cloud/transport_desk.h"
#include "daemon/both_numbers.h"
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
    side_ = std::make_unique<OfficialSide>(config_, cloud::Secrets{"token", kSecret, ""},
                                           OfficialSide::Outside{scheduler_,
                                                                 clock_,
                                                                 blobs_,
                                                                 meta_,
                                                                 *ring_,
                                                                 *outbox_,
                                                                 *valve_,
                                                                 *notifier_,
                                                                 [] { return Status(); },
                                                                 [](Wall) { return seconds(0); },
                                                                 nullptr,
                                                                 "",
                                                                 {},
                                                                 settings_.get()});
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
  /// Now.
  [[nodiscard]] std::string said(const std::string& id, const std::string& who,
                                 const std::string& text) const {
    return webhook(R"("messages":[{)" + who + R"(,"id":")" + id + R"(","timestamp":")" +
                   std::to_string(clock_.now().unix_seconds()) +
                   R"(","type":"text","text":{"body":")" + text + R"("}}])");
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

TEST_F(Official, WhatTheyAnswerIsNamedAsTheTillNamesIt) {
  api::Settings settings = settings_->current();
  settings.outgoing_message_webhook = true;
  settings.edited_message_webhook = true;
  settings.deleted_message_webhook = true;
  settings_->replace(settings, [](const Result<void>&) {});
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777")", "Is it ready?"));
  const Job one = post(job());
  run();
  const std::string ours = "wamid." + one.id;
  const auto hear_of = [&](const std::string& id, const std::string& rest) {
    hear_to_the_end(
        webhook(R"("messages":[{"from":"4915550007777","timestamp":"1767225602","id":")" + id +
                R"(",)" + rest + "}]"));
    return told_.back()["messageData"];
  };
  const json::Value reply = hear_of(
      "wamid.2", R"("type":"text","text":{"body":"thanks"},"context":{"id":")" + ours + R"("})");
  EXPECT_EQ(reply["quotedMessage"]["stanzaId"].asString(), one.id);
  const json::Value reaction = hear_of(
      "wamid.3", R"("type":"reaction","reaction":{"emoji":"👍","message_id":")" + ours + R"("})");
  EXPECT_EQ(reaction["quotedMessage"]["stanzaId"].asString(), one.id);
  const json::Value choice = hear_of(
      "wamid.4", R"("type":"interactive","interactive":{"type":"button_reply","button_reply":)"
                 R"({"id":"y","title":"Yes"}},"context":{"id":")" +
                     ours + R"("})");
  EXPECT_EQ(choice["templateButtonReplyMessage"]["stanzaId"].asString(), one.id);
  const json::Value own =
      hear_of("wamid.5", R"("type":"text","text":{"body":"as I said"},"context":{"id":"wamid.1"})");
  EXPECT_EQ(own["quotedMessage"]["stanzaId"].asString(), "wamid.1");
  EXPECT_EQ(own["quotedMessage"]["participant"].asString(), "4915550007777@c.us");
  // Typed on the phone of the official number, about what the till sent.
  const auto echo = [&](const std::string& id, const std::string& rest) {
    std::string body =
        webhook(R"("message_echoes":[{"to":"4915550007777","timestamp":"1767225603","id":")" + id +
                R"(",)" + rest + "}]");
    hear_to_the_end(body);
    return told_.back()["messageData"];
  };
  EXPECT_EQ(echo("wamid.6",
                 R"("type":"edit","edit":{"original_message_id":")" + ours +
                     R"(","message":{"type":"text","text":{"body":"two"}}})")["editedMessageData"]
                                                                             ["stanzaId"]
                                                                                 .asString(),
            one.id);
  EXPECT_EQ(echo("wamid.7", R"("type":"revoke","revoke":{"original_message_id":")" + ours +
                                R"("})")["deletedMessageData"]["stanzaId"]
                .asString(),
            one.id);
}

TEST_F(Official, KnowsItsMessagesByChat) {
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777","from_user_id":"DE.1a2B")", "Hello"));
  const Job one = post(job());
  run();
  const auto earlier = side_->earlier(one.chat, one.id);
  ASSERT_TRUE(earlier);
  EXPECT_TRUE(earlier->from_me);
  EXPECT_TRUE(earlier->official);
  ASSERT_TRUE(side_->earlier(one.chat, "wamid.1"));
  EXPECT_FALSE(side_->earlier(one.chat, "wamid.1")->from_me);
  EXPECT_TRUE(side_->earlier("DE.1a2B@bsuid", "wamid.1")) << "one person";
  EXPECT_FALSE(side_->earlier("4915550008888@c.us", "wamid.1"));
  EXPECT_FALSE(side_->earlier("4915550008888@c.us", one.id));
  EXPECT_FALSE(side_->earlier(one.chat, "wamid.9"));
  EXPECT_FALSE(side_->earlier(one.chat, "3EB0FFFF"));
  EXPECT_EQ(side_->chat_of_user_id("DE.1a2B"), "DE.1a2B@bsuid");
  EXPECT_EQ(side_->chat_of_user_id("DE.9z"), std::nullopt);
}

TEST_F(Official, AutoAnswersByTheNumberThatWasWrittenToLast) {
  config_.transport = Transport::automatic;
  lose_power();
  const std::string chat = "4915550007777@c.us";
  const auto goes_official = [this](Job one) {
    post(one);
    run();
    return meta_.sent[one.id] == 1;
  };
  EXPECT_FALSE(goes_official(job("before"))) << "nobody has written";
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777")", "Is it ready?"));
  EXPECT_TRUE(goes_official(job("Yes, come by")));
  EXPECT_EQ(meta_.bodies.back()["type"].asString(), "text");
  Job edit = job();
  edit.content.what = content::Edit{"3A01", "x"};
  EXPECT_FALSE(goes_official(edit)) << "only the linked account changes what it said";
  side_->on_inbound_elsewhere(chat, clock_.now());
  EXPECT_FALSE(goes_official(job("also here")));
  Job answer = job("about your question");
  answer.content.quote.emplace().id = "wamid.1";
  EXPECT_TRUE(goes_official(answer)) << "what it answers is there";
  EXPECT_EQ(meta_.bodies.back()["context"]["message_id"].asString(), "wamid.1");
  run(hours(25));
  answer = job("much later");
  answer.content.quote.emplace().id = "wamid.1";
  EXPECT_FALSE(goes_official(answer)) << "the window is closed";
}

TEST_F(Official, AReactionGoesWhereItsMessageIs) {
  config_.transport = Transport::own;
  lose_power();
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777")", "Is it ready?"));
  const auto react_to = [this](const std::string& id) {
    Job one = job();
    one.content.what = content::Reaction{"👍"};
    one.content.quote.emplace().id = id;
    post(one);
    run();
    return meta_.sent[one.id] == 1;
  };
  EXPECT_TRUE(react_to("wamid.1"));
  EXPECT_EQ(meta_.bodies.back()["reaction"]["message_id"].asString(), "wamid.1");
  EXPECT_FALSE(react_to("3A01"));
}

TEST_F(Official, WhatComesIsMarkedAsTheSettingsSay) {
  const auto marks = [this] {
    std::vector<std::string> out;
    for (const json::Value& body : meta_.bodies) {
      if (json::string_at(body, "status") == "read") out.push_back(body["message_id"].asString());
    }
    return out;
  };
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777")", "Is it ready?"));
  EXPECT_TRUE(marks().empty());
  api::Settings settings = settings_->current();
  settings.mark_incoming_messages_readed = true;
  settings_->replace(settings, [](const Result<void>&) {});
  hear_to_the_end(said("wamid.2", R"("from":"4915550007777")", "Hello?"));
  EXPECT_EQ(marks(), std::vector<std::string>{"wamid.2"});
  settings.mark_incoming_messages_readed_on_reply = true;
  settings_->replace(settings, [](const Result<void>&) {});
  hear_to_the_end(said("wamid.3", R"("from":"4915550007777")", "Hello??"));
  EXPECT_EQ(marks().size(), 1U);
  post(job());
  run();
  EXPECT_EQ(marks().back(), "wamid.3");
}

TEST_F(Official, MarksNothingForANumberThatIsStopped) {
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777")", "Is it ready?"));
  meta_.answers = {cloud::refusal(401, 190, "expired")};
  post(job());
  run();
  std::optional<Errc> code;
  side_->mark_read("4915550007777@c.us", "", cloud::Typing::no,
                   [&code](const Result<std::size_t>& marked) {
                     if (!marked) code = marked.error().code;
                   });
  EXPECT_EQ(code, Errc::disconnected);
}

/// The linked account beside it, which remembers two messages and may be offline.
struct Linked final : chat::ReadMarks, chat::Presence, chat::Earlier {
  void mark(const std::string& chat, const std::string& id,
            Once<void(Result<std::size_t>)> done) override {
    asked.push_back("read " + chat + " " + id);
    done(offline ? Result<std::size_t>(fail(Errc::disconnected, "offline"))
                 : Result<std::size_t>(std::size_t{2}));
  }
  void show_typing(const std::string& chat, chat::Typing what) override {
    asked.push_back((what == chat::Typing::none ? "end " : "typing ") + chat);
  }
  void keep_online(bool) override {}
  Result<std::optional<chat::EarlierMessage>> find(const std::string& chat,
                                                   const std::string& id) override {
    if (chat.ends_with("@bsuid")) return fail(Errc::malformed, "no chat of WhatsApp's");
    return id == "3A01" ? std::optional<chat::EarlierMessage>(std::in_place) : std::nullopt;
  }
  std::vector<std::string> asked;
  bool offline = false;
};

TEST_F(Official, BothNumbersAreOneForReadMarksTypingAndTargets) {
  const std::string chat = "4915550007777@c.us";
  Linked linked;
  BothNumbers both(linked, linked, linked);
  both.join(side_.get());
  const auto mark = [&](const std::string& id) {
    std::string out;
    both.mark(chat, id, [&out](const Result<std::size_t>& marked) {
      out = marked ? std::to_string(*marked) : "error";
    });
    run();
    return out;
  };
  EXPECT_EQ(mark(""), "2");
  hear_to_the_end(said("wamid.1", R"("from":"4915550007777")", "Is it ready?"));
  EXPECT_EQ(mark(""), "3");
  EXPECT_EQ(mark(""), "2") << "there nothing is unread any more";
  hear_to_the_end(said("wamid.2", R"("from":"4915550007777")", "Hello?"));
  linked.offline = true;
  EXPECT_EQ(mark("3A01"), "error");
  EXPECT_EQ(mark("wamid.2"), "1") << "the linked account is not asked";
  linked.asked.clear();
  both.show_typing(chat, chat::Typing::text);
  both.show_typing(chat, chat::Typing::none);
  EXPECT_TRUE(linked.asked.empty());
  EXPECT_EQ(meta_.bodies.back()["typing_indicator"]["type"].asString(), "text");
  both.show_typing("4915550008888@c.us", chat::Typing::text);
  EXPECT_EQ(linked.asked, std::vector<std::string>{"typing 4915550008888@c.us"});
  EXPECT_FALSE(both.find(chat, "3A01").value_or(std::nullopt)->official);
  EXPECT_TRUE(both.find(chat, "wamid.2").value_or(std::nullopt)->official);
  EXPECT_TRUE(both.find("DE.1a2B@bsuid", "3A01"));
  both.join(nullptr);
  EXPECT_FALSE(both.find(chat, "wamid.2").value_or(std::nullopt));
}

}  // namespace
}  // namespace posthorn::daemon
