#include <gtest/gtest.h>

#include "fleet/ddi.h"
#include "fleet/fakes.h"
#include "fleet/update_job.h"
#include "posthorn/base/crypto.h"

namespace posthorn::test {
namespace {

using fleet::Updater;

class FakeFile final : public fleet::BundleFile {
 public:
  std::uint64_t size() override { return bytes.size(); }
  std::uint64_t free_bytes() override { return room; }
  Result<void> append(ByteView piece) override {
    posthorn::append(bytes, piece);
    return {};
  }
  Result<std::string> digest() override { return hex_encode(crypto::sha256(bytes)); }
  void remove() override { bytes.clear(); }
  std::shared_ptr<net::HttpSource> source() override { return nullptr; }
  Bytes bytes;
  std::uint64_t room = std::uint64_t{1} << 30;
};

/// hawkBit, a store of bundles and the daemon's upload, as far as the updater sees them.
class FakeHttp final : public net::HttpClient {
 public:
  explicit FakeHttp(Scheduler& scheduler) : scheduler_(scheduler) {}

  void send(net::HttpRequest request, Once<void(Result<net::HttpResponse>)> done) override {
    requests.push_back(request);
    const auto shared = std::make_shared<decltype(done)>(std::move(done));
    scheduler_.call_at(scheduler_.now() + milliseconds(50),
                       [this, request, shared] { (*shared)(answer(request)); });
  }

  std::string sleep = "00:01:00";
  bool offers = true;
  bool cancels = false;
  std::string update = "attempt";
  std::string window;
  Bytes bundle = to_bytes("the new version, signed, from here to there and on and on");
  std::string sha256 = hex_encode(crypto::sha256(bundle));
  std::size_t piece = 10;  ///< a download breaks off after so many bytes
  bool ranges = true;
  bool stays_offered = false;  ///< an answer from before it was closed comes after it
  std::vector<net::HttpRequest> requests;
  std::vector<std::string> closed;  ///< "success: …", "failure: …"
  std::vector<std::string> cancel_answers;
  int uploads = 0;

 private:
  static constexpr const char* kBase = "https://hawkbit/default/controller/v1/box1";

  Result<net::HttpResponse> answer(const net::HttpRequest& request) {
    const std::string& url = request.url;
    if (url == kBase) return net::HttpResponse{200, poll()};
    if (url == std::string(kBase) + "/configData") return net::HttpResponse{200, ""};
    if (url == std::string(kBase) + "/deploymentBase/7")
      return net::HttpResponse{200, deployment()};
    if (url == std::string(kBase) + "/cancelAction/7") {
      return net::HttpResponse{200, R"({"id":"8","cancelAction":{"stopId":"7"}})"};
    }
    if (url == std::string(kBase) + "/cancelAction/7/feedback") {
      cancel_answers.push_back(request.body);
      cancels = offers = false;
      return net::HttpResponse{200, ""};
    }
    if (url == std::string(kBase) + "/deploymentBase/7/feedback") return feedback(request.body);
    if (url == "https://store/b.raucb") return download(request);
    if (url == "http://127.0.0.1/upload") {
      ++uploads;
      return net::HttpResponse{200, "{}"};
    }
    return net::HttpResponse{404, ""};
  }
  std::string poll() const {
    std::string links;
    if (cancels)
      links = "\"cancelAction\":{\"href\":\"" + std::string(kBase) + "/cancelAction/7\"}";
    if (offers && !cancels) {
      links = "\"deploymentBase\":{\"href\":\"" + std::string(kBase) + "/deploymentBase/7\"}";
    }
    return R"({"config":{"polling":{"sleep":")" + sleep + "\"}},\"_links\":{" + links + "}}";
  }
  std::string deployment() const {
    return R"({"id":"7","deployment":{"download":"attempt","update":")" + update + "\"" +
           (window.empty() ? "" : ",\"maintenanceWindow\":\"" + window + "\"") +
           R"(,"chunks":[{"part":"os","name":"posthorn","version":"2","artifacts":[)"
           R"({"filename":"notes.txt","size":1,"hashes":{"sha256":"x"}},)"
           R"({"filename":"b.raucb","size":)" +
           std::to_string(bundle.size()) + R"(,"hashes":{"sha256":")" + sha256 +
           R"("},"_links":{"download":{"href":"https://store/b.raucb"}}}]}]}})";
  }
  Result<net::HttpResponse> feedback(const std::string& body) {
    const auto value = json::parse(body);
    const auto& status = json::at(*value, "status");
    if (json::string_at(status, "execution") != "closed") return net::HttpResponse{200, ""};
    closed.push_back(*json::string_at(json::at(status, "result"), "finished") + ": " +
                     *json::text_of(json::at(status, "details")[0]));
    offers = stays_offered;
    return net::HttpResponse{200, ""};
  }
  Result<net::HttpResponse> download(const net::HttpRequest& request) {
    std::size_t from = 0;
    for (const auto& [name, value] : request.headers) {
      EXPECT_NE(name, "Authorization") << "our token went to somebody else's server";
      if (name == "Range" && ranges) from = std::strtoul(value.c_str() + 6, nullptr, 10);
    }
    const std::size_t size = std::min(piece, bundle.size() - from);
    auto written = request.sink->write(ByteView(bundle).subspan(from, size));
    if (!written) return tl::unexpected(written.error());
    if (from + size < bundle.size()) return fail(Errc::disconnected, "the line broke");
    return net::HttpResponse{from > 0 ? 206 : 200, ""};
  }

  Scheduler& scheduler_;
};

/// A box with two slots around it: installing takes four seconds, then it restarts.
struct UpdateRig {
  FakeScheduler scheduler;
  SeededRandom random{5};
  MemoryBlobStore blobs{scheduler};
  FakeBox box{scheduler};
  FakeHttp http{scheduler};
  FakeFile file;
  fleet::Settings settings;
  std::unique_ptr<Updater> updater;
  std::string slot = "A";
  int boot = 1;
  std::optional<int> minute = 22 * 60;
  bool installs = true;   ///< RAUC takes the bundle
  bool gets_up = true;    ///< the new version does
  seconds root_after{0};  ///< root's helper takes so long to begin
  std::optional<Mono> installing;

  UpdateRig() {
    settings.hawkbit_url = "https://hawkbit/default";
    settings.target_token = "T";
    settings.care = true;
  }
  ~UpdateRig() {
    updater.reset();
    scheduler.advance(seconds(5));
  }
  UpdateRig(const UpdateRig&) = delete;
  UpdateRig& operator=(const UpdateRig&) = delete;

  void start() {
    Updater::Outside outside{scheduler, random, blobs, box, http, file, "box1", {}, {}, {}, {}, {}};
    outside.upload_url = [] { return std::string("http://127.0.0.1/upload"); };
    outside.slot = [this] { return slot; };
    outside.boot_id = std::to_string(boot);
    outside.minute_of_day = [this] { return minute; };
    updater = std::make_unique<Updater>(std::move(outside), settings);
    updater->start();
  }
  void kill() { updater.reset(); }
  void restart_box() {
    kill();
    ++boot;
    start();
  }
  /// A second of the box's life: root's helper installs what was handed over.
  void second() {
    const bool asked = !box.requests.empty() && handed_ < count("installUpdate");
    if (asked && !installing) {
      handed_ = count("installUpdate");
      installing = scheduler.now();
    }
    if (installing && scheduler.now() - *installing >= root_after) {
      box.update_status = R"({"state":"installing","detail":""})";
    }
    if (installing && scheduler.now() - *installing >= root_after + seconds(4)) {
      installing.reset();
      box.update_status = installs
                              ? R"({"state":"installed","detail":""})"
                              : R"({"state":"failed","detail":"signature verification failed"})";
      restart_in_ = installs ? 5 : 0;
    }
    if (restart_in_ > 0 && --restart_in_ == 0) {
      if (gets_up) slot = slot == "A" ? "B" : "A";
      restart_box();
    }
    scheduler.advance(seconds(1));
  }
  void run(int seconds_of_it) {
    for (int i = 0; i < seconds_of_it; ++i) second();
  }
  std::size_t count(const std::string& name) const {
    std::size_t out = 0;
    for (const auto& one : box.requests) out += one.name == name ? 1U : 0U;
    return out;
  }

 private:
  std::size_t handed_ = 0;
  int restart_in_ = 0;
};

TEST(FleetUpdater, ResumesInstallsAtNightProvesAndTells) {
  UpdateRig rig;
  rig.minute = 12 * 60;
  rig.start();
  rig.run(1200);
  EXPECT_NE(rig.updater->state().find("closed hours"), std::string::npos) << rig.updater->state();
  EXPECT_EQ(rig.http.uploads, 0);
  rig.minute = 22 * 60;
  rig.run(90);
  EXPECT_EQ(rig.slot, "B");
  EXPECT_TRUE(rig.http.closed.empty()) << "it has not proved itself";
  rig.run(700);
  ASSERT_EQ(rig.http.closed.size(), 1U);
  EXPECT_TRUE(rig.http.closed[0].starts_with("success")) << rig.http.closed[0];
  EXPECT_EQ(rig.http.uploads, 1);
  std::size_t resumed = 0;
  for (const auto& one : rig.http.requests) {
    for (const auto& [name, value] : one.headers) resumed += name == "Range" ? 1U : 0U;
  }
  EXPECT_GE(resumed, 4U);
}

/// A power cut at every second of it: one right end each time, and no second installation of what
/// was installed.
TEST(FleetUpdater, APowerCutAtAnySecondEndsRight) {
  for (const bool good : {true, false}) {
    for (int cut = 1; cut < 160; cut += 1) {
      UpdateRig rig;
      rig.settings.confirm = seconds(30);
      rig.settings.spread = seconds(1);
      rig.gets_up = good;
      rig.http.piece = 30;
      rig.start();
      rig.run(cut);
      rig.kill();  // the agent alone; the box itself restarts on its own in the rig
      rig.start();
      rig.run(900);
      ASSERT_GE(rig.http.closed.size(), 1U) << "cut at " << cut << ": " << rig.updater->state();
      for (const auto& word : rig.http.closed) {
        EXPECT_TRUE(word.starts_with(good ? "success" : "failure")) << cut << ": " << word;
      }
      EXPECT_LE(rig.http.closed.size(), 2U);
      EXPECT_LE(rig.count("installUpdate"), 2U) << cut;
    }
  }
}

TEST(FleetUpdater, ABundleThatRaucRefusesIsAFailureWithItsReason) {
  UpdateRig rig;
  rig.installs = false;
  rig.start();
  rig.run(900);
  ASSERT_EQ(rig.http.closed.size(), 1U);
  EXPECT_NE(rig.http.closed[0].find("failure: not installed: signature"), std::string::npos);
  EXPECT_EQ(rig.slot, "A");
  EXPECT_FALSE(rig.updater->failure().empty());
}

TEST(FleetUpdater, ANewVersionThatLosesThePhonesLinkIsNotGood) {
  for (const bool linked : {true, false}) {
    UpdateRig rig;
    if (!linked) rig.box.link = "notLinked";
    rig.start();
    rig.run(60);
    for (int i = 0; i < 3600 && rig.slot == "A"; ++i) rig.run(1);
    ASSERT_EQ(rig.slot, "B");
    rig.box.link = "notLinked";
    rig.run(2 * 3600);
    ASSERT_EQ(rig.http.closed.size(), 1U);
    EXPECT_TRUE(rig.http.closed[0].starts_with(linked ? "failure" : "success"))
        << rig.http.closed[0];
  }
}

TEST(FleetUpdater, AWrongHashIsAFailureAndNothingIsInstalled) {
  UpdateRig rig;
  rig.http.sha256 = std::string(64, '0');
  rig.start();
  rig.run(100);
  rig.http.piece = 1000;
  rig.run(900);
  ASSERT_EQ(rig.http.closed.size(), 1U);
  EXPECT_NE(rig.http.closed[0].find("SHA-256"), std::string::npos) << rig.http.closed[0];
  EXPECT_EQ(rig.http.uploads, 0);
  EXPECT_TRUE(rig.file.bytes.empty());
}

TEST(FleetUpdater, AnOfferOfWhatIsFinishedIsNone) {
  UpdateRig rig;
  rig.installs = false;
  rig.http.stays_offered = true;
  rig.start();
  rig.run(900);
  rig.restart_box();
  rig.run(900);
  EXPECT_EQ(rig.http.closed.size(), 1U);
  EXPECT_EQ(rig.count("installUpdate"), 1U);
}

TEST(FleetUpdater, WhatTheDaemonSaysOfAnEarlierUpdateIsNoNews) {
  UpdateRig rig;
  rig.box.update_status = R"({"state":"installed","detail":""})";
  rig.installs = false;
  rig.root_after = seconds(9);
  rig.start();
  rig.run(900);
  ASSERT_EQ(rig.http.closed.size(), 1U);
  EXPECT_TRUE(rig.http.closed[0].starts_with("failure: not installed"));
}

/// The second try fails in the first one's words, and faster than anybody looks.
TEST(FleetUpdater, TheSameEndAsBeforeIsNewsWhenItWasAskedForBetween) {
  UpdateRig rig;
  const std::string failed = R"({"state":"failed","detail":"signature verification failed"})";
  rig.box.update_status = failed;
  rig.root_after = hours(1);  // root's words are the test's
  rig.start();
  for (int i = 0; i < 900 && rig.count("installUpdate") == 0; ++i) rig.run(1);
  rig.box.update_status = R"({"state":"requested","detail":""})";
  rig.run(30);
  EXPECT_TRUE(rig.http.closed.empty());
  rig.box.update_status = failed;
  rig.run(300);
  ASSERT_EQ(rig.http.closed.size(), 1U);
  EXPECT_TRUE(rig.http.closed[0].starts_with("failure: not installed"));
}

TEST(FleetUpdater, CancelledBeforeItIsInstalled) {
  UpdateRig rig;
  rig.minute = 12 * 60;
  rig.start();
  rig.run(600);
  rig.http.cancels = true;
  rig.run(120);
  ASSERT_EQ(rig.http.cancel_answers.size(), 1U);
  EXPECT_NE(rig.http.cancel_answers[0].find("\"closed\""), std::string::npos);
  EXPECT_EQ(rig.updater->state(), "idle");
  rig.minute = 22 * 60;
  rig.run(300);
  EXPECT_EQ(rig.http.uploads, 0);
}

TEST(FleetUpdater, CancelledTooLateIsRejected) {
  UpdateRig rig;
  rig.start();
  for (int i = 0; i < 900 && rig.count("installUpdate") == 0; ++i) rig.second();
  rig.http.cancels = true;
  rig.run(200);
  ASSERT_FALSE(rig.http.cancel_answers.empty());
  EXPECT_NE(rig.http.cancel_answers[0].find("rejected"), std::string::npos);
}

TEST(FleetUpdater, AServerThatDoesNotResumeIsAskedForAllOfItOnce) {
  UpdateRig rig;
  rig.http.ranges = false;
  rig.http.piece = 40;
  rig.start();
  rig.run(200);
  rig.http.piece = 1000;
  rig.run(1500);
  ASSERT_EQ(rig.http.closed.size(), 1U);
  EXPECT_TRUE(rig.http.closed[0].starts_with("success")) << rig.http.closed[0];
}

TEST(FleetUpdater, NeedsRoomTheRightAndOneBundle) {
  UpdateRig full;
  full.file.room = 1000;
  full.start();
  full.run(300);
  ASSERT_EQ(full.http.closed.size(), 1U);
  EXPECT_NE(full.http.closed[0].find("no room"), std::string::npos);
  UpdateRig till;
  till.box.care = false;
  till.start();
  till.run(900);
  ASSERT_EQ(till.http.closed.size(), 1U);
  EXPECT_NE(till.http.closed[0].find("care = true"), std::string::npos);
  const auto none = fleet::parse_deployment(R"({"id":"1","deployment":{"chunks":[]}})");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->url.empty());
  EXPECT_FALSE(fleet::parse_deployment("{}"));
  EXPECT_FALSE(fleet::parse_poll("[]"));
}

TEST(FleetUpdater, ACommandNeedsNoServer) {
  UpdateRig rig;
  rig.settings.hawkbit_url.clear();
  rig.http.piece = 1000;
  rig.start();
  json::Value args(::Json::objectValue);
  args["url"] = "https://store/b.raucb";
  args["size"] = static_cast<::Json::UInt64>(rig.http.bundle.size());
  EXPECT_FALSE(rig.updater->update("k", args)) << "without a digest";
  args["sha256"] = rig.http.sha256;
  args["forced"] = true;
  rig.minute = 12 * 60;
  ASSERT_TRUE(rig.updater->update("k", args));
  EXPECT_TRUE(rig.updater->update("k", args)) << "the same again is the same";
  EXPECT_EQ(rig.updater->update("other", args).error().code, Errc::busy);
  rig.run(800);
  EXPECT_TRUE(rig.updater->state().starts_with("done")) << rig.updater->state();
  EXPECT_EQ(rig.slot, "B");
}

TEST(FleetUpdateJob, IsReadAsItWasWritten) {
  fleet::UpdateJob job;
  job.source = "hawkbit";
  job.id = "7";
  job.url = "https://x";
  job.step = fleet::UpdateJob::Step::prove;
  job.handed = true;
  job.slot_before = "A";
  job.linked_before = true;
  EXPECT_EQ(fleet::decode_job(fleet::encode_job(job)), job);
  EXPECT_FALSE(fleet::decode_job("{}"));
  EXPECT_FALSE(fleet::decode_job(R"({"id":"1","step":"dance"})"));
}

}  // namespace
}  // namespace posthorn::test
