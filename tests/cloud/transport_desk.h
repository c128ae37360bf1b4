#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "posthorn/cloud/transport.h"
#include "support/fakes.h"

/// The official number's transport between a store that loses power and a Meta that is told what to
/// answer.
namespace posthorn::cloud {

/// Values that are on disk only after durable(). Counts every write, and cuts the power at one.
class CuttingBlobs final : public BlobStore {
 public:
  explicit CuttingBlobs(Scheduler& scheduler) : scheduler_(scheduler) {}

  Result<std::optional<Bytes>> load(std::string_view name) override {
    ++loads;
    const auto found = now.find(name);
    return found == now.end() ? std::optional<Bytes>() : std::optional(found->second);
  }
  Result<void> save(std::string_view name, ByteView value) override {
    step();
    if (is_cut) return {};
    now[std::string(name)] = to_bytes(value);
    return {};
  }
  void durable(Once<void(Result<void>)> done) override {
    step();
    scheduler_.post([this, life = life_, done = std::move(done)]() mutable {
      if (life == life_ && !is_cut) disk = now;
      done({});
    });
  }
  /// What the next start finds. lucky: the system had written all by itself.
  void cut(bool lucky) {
    if (lucky) disk = now;
    now = disk;
    ++life_;
  }
  void step() {
    if (steps_left > 0 && --steps_left == 0) is_cut = true;
  }

  std::map<std::string, Bytes, std::less<>> now, disk;
  int steps_left = 0;
  int loads = 0;
  bool is_cut = false;

 private:
  Scheduler& scheduler_;
  int life_ = 0;
};

/// Meta: takes posts, remembers for whom, and answers in a later turn.
class Meta final : public net::HttpClient {
 public:
  explicit Meta(Scheduler& scheduler) : scheduler_(scheduler) {}

  void send(net::HttpRequest request, Once<void(Result<net::HttpResponse>)> done) override {
    if (is_dead && is_dead()) {  // nobody sends any more
      dead.push_back(std::move(done));
      return;
    }
    requests.push_back(request);
    const auto body = json::parse(request.body);
    if (body) bodies.push_back(*body);
    if (before_post && before_post()) {  // the power goes before it leaves
      dead.push_back(std::move(done));
      return;
    }
    Result<net::HttpResponse> answer = net::HttpResponse{200, ""};
    if (!answers.empty()) {
      answer = std::move(answers.front());
      answers.pop_front();
    }
    if (answer && answer->body.empty() && body) {
      const std::string id = json::string_at(*body, "biz_opaque_callback_data").value_or("");
      ++sent[id];
      answer->body = R"({"messages":[{"id":"wamid.)" + id + R"("}]})";
    }
    scheduler_.post([done = std::move(done), answer = std::move(answer), this]() mutable {
      if (after_post && after_post()) {  // it came, its answer did not
        dead.push_back(std::move(done));
        return;
      }
      done(std::move(answer));
    });
  }
  ~Meta() override {
    for (auto& one : dead) one(fail(Errc::cancelled, "gone"));
  }

  std::vector<net::HttpRequest> requests;
  std::vector<json::Value> bodies;
  std::deque<Result<net::HttpResponse>> answers;  ///< before the ordinary one
  std::map<std::string, int> sent;                ///< by idMessage
  std::function<bool()> before_post, after_post, is_dead;
  std::vector<Once<void(Result<net::HttpResponse>)>> dead;

 private:
  Scheduler& scheduler_;
};

inline net::HttpResponse refusal(int status, int code, const std::string& details = "why") {
  return {status, R"({"error":{"code":)" + std::to_string(code) +
                      R"(,"message":"m","error_data":{"details":")" + details + R"("}}})"};
}

struct Desk {
  Desk() {
    config.phone_number_id = "106540352242922";
    config.token_file = "/dev/null";
    config.receipt_template = "receipt";
    meta.is_dead = [this] { return blobs.is_cut; };
    begin();
  }

  void begin() {
    Transport::Outside outside{scheduler, clock, blobs, meta, [this](const Transport::Fate& fate) {
                                 if (blobs.is_cut) return;
                                 fates.push_back(fate);
                                 outbox.erase(fate.sequence);
                               }};
    outside.opted_out = [this](const std::string& chat) { return opted_out.contains(chat); };
    outside.on_opt_out = [this](const std::string& chat) { opted_out.insert(chat); };
    outside.hold = [this](const Job& job) { return job.urgent ? std::nullopt : not_before; };
    outside.kept_as = [this](const std::string& chat) {
      const auto found = kept_as.find(chat);
      return found == kept_as.end() ? chat : found->second;
    };
    transport =
        std::make_unique<Transport>(config, Secrets{"token", "secret", ""}, std::move(outside));
    for (const auto& [number, one] : outbox) {
      if (!transport->take_up(number, one, one.transport == "official"))
        late.emplace_back(number, one);
    }
    transport->start();
    for (const auto& [number, one] : late) {
      if (config.phone_number_id.empty()) {  // the linked account's from now on
        ++own[one.id];
        outbox.erase(number);
      } else {
        EXPECT_TRUE(transport->assign(number, one));
      }
    }
    late.clear();
  }
  Job job(const std::string& text = "Your cake is ready") {
    Job out;
    out.id = "3EB0" + std::to_string(1000 + ++made);
    out.chat = "49155500" + std::to_string(10000 + made) + "@c.us";
    out.content.what = content::Text{text, true, std::nullopt};
    out.accepted_at = clock.now();
    out.expires_at = out.accepted_at + hours(24);
    return out;
  }
  Job post(Job one) {
    outbox[++sequence] = one;
    EXPECT_TRUE(transport->assign(sequence, one));
    return one;
  }
  void run(milliseconds time = seconds(1)) { scheduler.advance(time); }
  void restart(bool lucky = true) {
    transport.reset();
    blobs.cut(lucky);
    blobs.is_cut = false;
    begin();
  }
  /// A job whose power was cut between its POST and the answer.
  Job cut_in_flight() {
    meta.after_post = [this] { return blobs.is_cut = true; };
    const Job one = post(job());
    run();
    meta.after_post = nullptr;
    EXPECT_EQ(meta.sent[one.id], 1);
    return one;
  }

  posthorn::test::FakeScheduler scheduler;
  Clock clock{scheduler, Wall::from_unix(1'767'225'600)};
  CuttingBlobs blobs{scheduler};
  Meta meta{scheduler};
  CloudConfig config;
  std::map<std::uint64_t, Job> outbox;
  std::vector<std::pair<std::uint64_t, Job>> late;
  std::map<std::string, int> own;  ///< sent by the linked account, by idMessage
  std::vector<Transport::Fate> fates;
  std::set<std::string> opted_out;
  std::map<std::string, std::string> kept_as;  ///< another chatId of the same person
  std::optional<Wall> not_before;
  std::uint64_t sequence = 0;
  int made = 0;
  std::unique_ptr<Transport> transport;
};

}  // namespace posthorn::cloud
