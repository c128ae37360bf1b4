#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/throttle/valve.h"
#include "support/fakes.h"

namespace posthorn::throttle::test {

/// An outbox in memory, with the ring's timing: reads answer in a later turn.
class MemoryOutbox final : public Outbox {
 public:
  explicit MemoryOutbox(Scheduler& scheduler) : scheduler_(scheduler) {}

  void for_each_pending(const std::function<void(std::uint64_t, const Job&)>& visit) override {
    for (const auto& [sequence, job] : jobs) visit(sequence, job);
  }
  void read(std::uint64_t sequence, Once<void(Result<Job>)> done) override {
    scheduler_.post([this, sequence, done = std::move(done)]() mutable {
      const auto found = jobs.find(sequence);
      if (found == jobs.end()) return done(fail(Errc::not_found, "acknowledged"));
      done(found->second);
    });
  }
  Result<void> ack(std::uint64_t sequence) override {
    jobs.erase(sequence);
    return {};
  }

  std::map<std::uint64_t, Job> jobs;
  std::uint64_t next = 1;

 private:
  Scheduler& scheduler_;
};

/// Takes every job and answers as told.
class ScriptedSender final : public Sender {
 public:
  explicit ScriptedSender(Scheduler& scheduler) : scheduler_(scheduler) {}

  void send(const Job& job, Once<void(SendOutcome)> done) override {
    sent.push_back(job);
    times.push_back(scheduler_.now());
    SendOutcome outcome;
    if (!outcomes.empty()) {
      outcome = outcomes.front();
      outcomes.pop_front();
    }
    if (keep) {
      pending = std::move(done);
    } else {
      scheduler_.post([done = std::move(done), outcome]() mutable { done(outcome); });
    }
  }
  void show_typing(const std::string& chat, Typing what) override {
    typed.emplace_back(chat, what, scheduler_.now());
  }
  void answer(SendOutcome outcome) { pending(std::move(outcome)); }

  std::vector<Job> sent;
  std::vector<Mono> times;
  std::vector<std::tuple<std::string, Typing, Mono>> typed;  ///< chat, what, when
  std::deque<SendOutcome> outcomes;                          ///< then: sent
  bool keep = false;                                         ///< the test answers
  Once<void(SendOutcome)> pending;

 private:
  Scheduler& scheduler_;
};

class ScriptedChecker final : public NumberChecker {
 public:
  explicit ScriptedChecker(Scheduler& scheduler) : scheduler_(scheduler) {}

  void on_whatsapp(const std::string& chat, Once<void(Result<bool>)> done) override {
    asked.push_back(chat);
    if (before_answer) before_answer(chat);
    Result<bool> answer = !missing.contains(chat);
    if (offline) answer = fail(Errc::disconnected, "offline");
    scheduler_.post([done = std::move(done), answer]() mutable { done(answer); });
  }

  void member_since(const std::string& group,
                    Once<void(Result<std::optional<Wall>>)> done) override {
    asked.push_back(group);
    Result<std::optional<Wall>> answer = missing.contains(group) ? std::nullopt : member;
    if (offline) answer = fail(Errc::disconnected, "offline");
    scheduler_.post([done = std::move(done), answer]() mutable { done(answer); });
  }

  std::vector<std::string> asked;
  std::map<std::string, bool> missing;
  std::optional<Wall> member = Wall::from_unix(1'000'000'000);  ///< in every group, for years
  std::function<void(const std::string& chat)> before_answer;   ///< what the answer teaches
  bool offline = false;

 private:
  Scheduler& scheduler_;
};

struct RecordingListener final : Listener {
  void on_fate(const Fate& fate, Once<void()> settled) override {
    fates.push_back(fate);
    settled();
  }
  void on_level(const LevelChange& change) override { levels.push_back(change); }
  void ask_restriction() override { ++questions; }
  void confirm_opt_out(const std::string& chat, const std::string& text) override {
    confirmations.emplace_back(chat, text);
  }
  void tell_operator(const std::string& sentence) override { sentences.push_back(sentence); }

  [[nodiscard]] std::vector<std::string> ids(Fate::Kind kind) const {
    std::vector<std::string> out;
    for (const Fate& fate : fates) {
      if (fate.kind == kind) out.push_back(fate.job.id);
    }
    return out;
  }

  std::vector<Fate> fates;
  std::vector<LevelChange> levels;
  std::vector<std::pair<std::string, std::string>> confirmations;
  std::vector<std::string> sentences;
  int questions = 0;
};

/// Whose name is whose, as the test says.
struct AddressBook final : Identities {
  std::string account_of(const std::string& chat) override {
    const auto found = accounts.find(chat);
    return found == accounts.end() ? chat : found->second;
  }
  void on_joined(Joined joined) override { tell = std::move(joined); }
  void join(const std::string& from, const std::string& into) {
    accounts[from] = into;
    if (tell) tell(from, into);
  }

  std::map<std::string, std::string> accounts;
  Joined tell;
};

/// A shop's box without a network: it is noon, the clock is trusted, the link is up.
struct Box {
  explicit Box(const Settings& s = Settings{}) : settings(s) {
    clock.on_server_time(kNoon);
    open();
    valve->on_connected();
    scheduler.run_posted();
  }

  void open() {
    valve = std::make_unique<Valve>(Valve::Outside{scheduler, clock, random, blobs, outbox, sender,
                                                   checker, listener,
                                                   [](Wall) { return seconds(0); }, &people});
    people.on_joined(
        [this](const std::string& from, const std::string& into) { valve->on_joined(from, into); });
    const Result<void> started = valve->start(settings);
    ASSERT_TRUE(started) << to_string(started.error());
    scheduler.run_posted();
  }
  /// As after a power cut: what was not saved is gone, nobody says goodbye.
  void cut_power() {
    const auto on_disk = blobs.values;
    valve.reset();
    scheduler.run_posted();
    blobs.values = on_disk;
    open();
  }
  ~Box() {
    valve.reset();
    scheduler.run_posted();
  }
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  Job make_job(const std::string& chat, const std::string& text) {
    Job job;
    job.id = "3EB0" + std::to_string(100000 + ++made);
    job.chat = chat;
    job.content.what = content::Text{text, true, std::nullopt};
    job.accepted_at = clock.now();
    job.expires_at = clock.now() + hours(24);
    return job;
  }
  std::uint64_t post(Job job) {
    const std::uint64_t sequence = outbox.next++;
    outbox.jobs[sequence] = job;
    valve->on_job(sequence, job);
    return sequence;
  }
  std::uint64_t post(const std::string& chat, const std::string& text = "Your order is ready") {
    return post(make_job(chat, text + " " + std::to_string(made)));
  }
  /// A customer who wrote to us `ago` before now.
  void wrote(const std::string& chat, milliseconds ago = milliseconds(0),
             const std::string& text = "hello") {
    valve->on_inbound(chat, text, clock.now() - ago);
    scheduler.run_posted();
  }
  void known(const std::string& chat) { wrote(chat, hours(48)); }
  void signal(Signal::Kind kind) {
    Signal s;
    s.kind = kind;
    valve->on_signal(s);
    scheduler.run_posted();
  }

  static constexpr std::int64_t kNoon = 1'790'000'000 / 86'400 * 86'400 + 12 * 3'600;
  posthorn::test::FakeScheduler scheduler;
  Clock clock{scheduler, Wall::from_unix(kNoon - 1, false)};
  posthorn::test::SeededRandom random{7};
  posthorn::test::MemoryBlobStore blobs{scheduler};
  MemoryOutbox outbox{scheduler};
  ScriptedSender sender{scheduler};
  ScriptedChecker checker{scheduler};
  RecordingListener listener;
  AddressBook people;
  Settings settings;
  int made = 0;
  std::unique_ptr<Valve> valve;
};

inline std::string person(int n) { return std::to_string(491500000000LL + n) + "@c.us"; }

inline const WindowUse& window(const ThrottleStatus& status, std::string_view name) {
  for (const WindowUse& each : status.windows) {
    if (each.name == name) return each;
  }
  ADD_FAILURE() << "no window " << name;
  return status.windows.front();
}

inline Job with_consent(Job job) {
  job.consent = "order";
  return job;
}

}  // namespace posthorn::throttle::test
