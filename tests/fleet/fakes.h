#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "posthorn/base/json.h"
#include "posthorn/fleet/agent.h"
#include "posthorn/fleet/updater.h"
#include "support/fakes.h"

namespace posthorn::test {

/// A broker that remembers what it was given; the test says when it answers.
class FakeBroker final : public fleet::Broker {
 public:
  explicit FakeBroker(Scheduler& scheduler) : scheduler_(scheduler) {}

  void connect(const fleet::Publication& will, Listener& listener) override {
    ++tries;
    last_will = will;
    listener_ = &listener;
    scheduler_.post([this] {
      if (!listener_) return;
      if (!there) return lose(fleet::Loss::unreachable);
      connected = true;
      listener_->on_connected();
    });
  }
  void stop() override {
    connected = false;
    listener_ = nullptr;
  }
  Result<int> publish(const fleet::Publication& publication) override {
    if (!connected) return fail(Errc::disconnected, "");
    const int id = ++last_id_;
    scheduler_.post([this, id, publication, at = connection_] {
      if (!connected || at != connection_) return;
      if (publication.qos == 0) {
        taken.push_back(publication);
        return;
      }
      if (swallow > 0 && --swallow >= 0) return;  // taken nowhere, never acknowledged
      taken.push_back(publication);
      if (publication.retain) retained[publication.topic] = publication.payload;
      if (lose_acks) return;
      listener_->on_acknowledged(id, !refuse);
    });
    return id;
  }
  Result<void> subscribe(const std::vector<fleet::Subscription>& wanted) override {
    subscribed = wanted;
    return {};
  }
  void lose(fleet::Loss why) {
    connected = false;
    ++connection_;
    if (auto* listener = std::exchange(listener_, nullptr)) listener->on_lost(why, "test");
  }
  void say(const std::string& topic, const std::string& payload, bool retain = false) {
    listener_->on_message({topic, payload, retain, "", ""});
  }
  [[nodiscard]] std::vector<json::Value> payloads(const std::string& topic) const {
    std::vector<json::Value> out;
    for (const auto& one : taken) {
      if (one.topic == topic && !one.payload.empty()) out.push_back(*json::parse(one.payload));
    }
    return out;
  }

  bool there = true;
  bool connected = false;
  bool lose_acks = false;
  bool refuse = false;
  int swallow = 0;
  std::size_t tries = 0;
  fleet::Publication last_will;
  std::vector<fleet::Publication> taken;
  std::map<std::string, std::string> retained;
  std::vector<fleet::Subscription> subscribed;

 private:
  Scheduler& scheduler_;
  Listener* listener_ = nullptr;
  int last_id_ = 0;
  int connection_ = 0;
};

/// The daemon's API: a ring of numbers, a send that counts, a pause.
class FakeBox final : public fleet::BoxApi {
 public:
  explicit FakeBox(Scheduler& scheduler) : scheduler_(scheduler) {}

  void call(fleet::BoxRequest request, Once<void(Result<fleet::BoxAnswer>)> done) override {
    requests.push_back(request);
    scheduler_.post([this, request = std::move(request), done = std::move(done)]() mutable {
      if (!up) return done(fail(Errc::refused, "nobody listens"));
      answer(request, std::move(done));
    });
  }
  [[nodiscard]] bool has_care() const override { return care; }
  void use_token(const std::string& token) override { token_ = token; }

  /// An event in the ring, with that text in it.
  void add_event(const std::string& text) {
    json::Value event(::Json::objectValue);
    event["typeWebhook"] = "incomingMessageReceived";
    event["idMessage"] = "3EB0F4442883A0E61BA8D2";
    event["timestamp"] = 1'790'000'000;
    event["senderData"]["chatId"] = "4915550001234@c.us";
    event["senderData"]["senderName"] = "Anna";
    event["messageData"]["typeMessage"] = "textMessage";
    event["messageData"]["textMessageData"]["textMessage"] = text;
    ring[++newest] = json::write(event);
  }

  std::map<std::uint64_t, std::string> ring;
  std::uint64_t newest = 0;
  std::uint64_t position = 0;
  bool reader = false;
  bool up = true;
  bool care = true;
  bool paused = false;
  bool clock_trusted = true;
  std::string link = "online";
  std::map<std::string, std::size_t> sends;  ///< by Idempotency-Key
  std::string wish = "none";                 ///< of somebody at the page; given once
  std::string update_status = R"({"state":"none","detail":""})";
  std::vector<fleet::BoxRequest> requests;

 private:
  void answer(const fleet::BoxRequest& request, Once<void(Result<fleet::BoxAnswer>)> done) {
    const auto ok = [&](std::string body) { done(fleet::BoxAnswer{200, std::move(body)}); };
    if (request.name == "getReaders") {
      return ok(reader ? "[{\"reader\":\"fleet\",\"position\":" + std::to_string(position) + "}]"
                       : "[]");
    }
    if (request.name == "watchEvents") return watch(request, std::move(done));
    if (request.name == "/healthz") {
      return ok(std::string(R"({"status":"ok","version":"0.1.0","link":")") + link +
                R"(","throttle":"green","clockTrusted":)" + (clock_trusted ? "true" : "false") +
                "}");
    }
    if (request.name == "getThrottleStatus") {
      const auto now = scheduler_.system_wall().unix_seconds();
      return ok("{\"now\":" + std::to_string(now) + ",\"paused\":" + (paused ? "true}" : "false}"));
    }
    if (request.name == "pauseSending" || request.name == "resumeSending") {
      paused = request.name == "pauseSending";
      return ok(R"({"result":true})");
    }
    if (request.name == "sendMessage") {
      ++sends[request.idempotency_key];
      return ok(R"({"idMessage":"3EB0"})");
    }
    if (request.name == "getUpdateStatus") return ok(update_status);
    if (request.name == "reportFleet") {
      return ok(R"({"do":")" + std::exchange(wish, "none") + "\"}");
    }
    ok("{}");
  }
  void watch(const fleet::BoxRequest& request, Once<void(Result<fleet::BoxAnswer>)> done) {
    std::uint64_t after = 0;
    const std::size_t at = request.query.find("after=");
    if (at != std::string::npos) after = std::strtoull(request.query.c_str() + at + 6, nullptr, 10);
    if (!std::exchange(reader, true)) position = newest;
    position = std::max(position, std::min(after, newest));
    const bool waits = request.query.find("wait=") != std::string::npos;
    if (ring.upper_bound(position) == ring.end() && position == newest && waits) {
      // The long poll: asked again a second later.
      scheduler_.call_at(scheduler_.now() + seconds(1),
                         [this, request, done = std::make_shared<decltype(done)>(std::move(done))] {
                           answer_now(std::move(*done));
                         });
      return;
    }
    answer_now(std::move(done));
  }
  void answer_now(Once<void(Result<fleet::BoxAnswer>)> done) {
    std::string events;
    std::uint64_t last = position;
    std::size_t count = 0;
    for (auto at = ring.upper_bound(position); at != ring.end() && count < 100; ++at, ++count) {
      events += (events.empty() ? "" : ",") + ("{\"number\":" + std::to_string(at->first)) +
                ",\"event\":" + at->second + "}";
      last = at->first;
    }
    done(fleet::BoxAnswer{200, "{\"last\":" + std::to_string(count == 0 ? newest : last) +
                                   ",\"lost\":0,\"events\":[" + events + "]}"});
  }

  Scheduler& scheduler_;
  std::string token_;
};

class FakeIdentity final : public fleet::Identity {
 public:
  Result<fleet::CertificateFacts> current() override {
    return fleet::CertificateFacts{"box1", 1'780'000'000, 1'800'000'000};
  }
  Result<std::string> begin_renewal() override { return std::string("CSR"); }
  Result<void> try_certificate(const std::string& pem, std::int64_t) override {
    trial = pem == "good";
    if (!trial) return fail(Errc::refused, "no");
    return {};
  }
  [[nodiscard]] bool on_trial() const override { return trial; }
  Result<void> settle() override {
    trial = false;
    ++settled;
    return {};
  }
  void give_up_trial() override {
    trial = false;
    ++given_up;
  }
  bool trial = false;
  int settled = 0;
  int given_up = 0;
};

/// An agent with everything around it; `life` ends and begins as with kill -9.
struct FleetRig {
  FakeScheduler scheduler;
  SeededRandom random{7};
  MemoryBlobStore blobs{scheduler};
  FakeBroker broker{scheduler};
  FakeBox box{scheduler};
  FakeIdentity identity;
  fleet::Settings settings;
  std::unique_ptr<fleet::Agent> agent;
  std::string ended;

  FleetRig() {
    settings.org = "bakery";
    settings.host = "broker";
    settings.hash_key = std::string(64, 'a');
  }
  /// Whoever asked the box is answered before it goes.
  ~FleetRig() {
    kill();
    scheduler.advance(seconds(5));
  }
  FleetRig(const FleetRig&) = delete;
  FleetRig& operator=(const FleetRig&) = delete;

  void start() {
    agent = std::make_unique<fleet::Agent>(
        fleet::Agent::Outside{scheduler,
                              random,
                              blobs,
                              broker,
                              box,
                              identity,
                              nullptr,
                              nullptr,
                              {},
                              [this](const std::string& why) { ended = why; },
                              [this] { ended = "left"; }},
        settings);
    const auto started = agent->start();
    if (!started) std::abort();
  }
  void kill() {
    agent.reset();
    broker.stop();
  }
  void run(milliseconds time) { scheduler.advance(time); }
  std::string topic(const std::string& tail) const { return "posthorn/v1/bakery/box1/" + tail; }
  void command(const std::string& text) { broker.say(topic("cmd/x"), text); }
  std::vector<json::Value> replies() const { return broker.payloads(topic("reply/x")); }
};

}  // namespace posthorn::test
