#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/api/api.h"
#include "posthorn/api/notifier.h"
#include "support/fakes.h"

namespace posthorn::api::test {

inline constexpr std::uint64_t kId = 4100012345;
inline const std::string kToken = "5f0c7a1b2c3d4e5f60718293a4b5c6d7e8f9001122334455aa";
inline const std::string kCareToken = "aa5544332211009f8e7d6c5b4a39281706f5e4d3c2b1a7c0f5";
inline const std::string kPagePassword = "bretzel-42";

class FakeOutbox final : public OutboxPort {
 public:
  void accept(Job job, Once<void(Result<std::string>)> done) override {
    if (failure) return done(tl::unexpected(*failure));
    if (posted_before) return done(*posted_before);
    std::string id = job.id;
    views.push_back(
        {.sequence = 0, .job = std::move(job), .lane = {}, .hold_reason = {}, .not_before = {}});
    if (!hold_answers) return done(std::move(id));
    held.push_back([id = std::move(id), done = std::move(done)]() mutable { done(std::move(id)); });
  }
  void jobs(std::size_t limit, Once<void(Result<std::vector<JobView>>)> done) override {
    if (hold_jobs) {
      held_jobs = std::move(done);
      return;
    }
    if (unreadable) return done(tl::unexpected(*unreadable));
    const auto count = static_cast<std::ptrdiff_t>(std::min(limit, views.size()));
    done(std::vector<JobView>(views.begin(), views.begin() + count));
  }
  void next_job(std::uint64_t sequence, Once<void(Result<std::optional<JobView>>)> done) override {
    if (unreadable) return done(tl::unexpected(*unreadable));
    if (sequence >= views.size()) return done(std::optional<JobView>());
    JobView view = views[sequence];
    view.sequence = sequence + 1;
    done(std::optional(std::move(view)));
  }
  [[nodiscard]] std::size_t count() const override { return views.size(); }
  void clear(Once<void(Result<std::size_t>)> done) override {
    const std::size_t dropped = views.size();
    views.clear();
    done(dropped);
  }
  void release() {
    for (Once<void()>& answer : std::exchange(held, {})) answer();
  }

  std::vector<JobView> views;
  std::optional<Error> failure;
  std::optional<Error> unreadable;
  std::optional<std::string> posted_before;
  bool hold_answers = false;
  std::vector<Once<void()>> held;
  bool hold_jobs = false;
  Once<void(Result<std::vector<JobView>>)> held_jobs;
};

class FakeInbox final : public InboxPort {
 public:
  [[nodiscard]] std::optional<Head> head() override {
    if (waiting.empty()) return std::nullopt;
    return Head{waiting.begin()->first, waiting.begin()->second};
  }
  [[nodiscard]] std::size_t count() const override { return waiting.size(); }
  void remove(std::uint32_t id, Once<void(Result<bool>)> done) override {
    done(waiting.erase(id) == 1);
  }
  void clear(Once<void(Result<void>)> done) override {
    waiting.clear();
    done({});
  }

  std::map<std::uint32_t, std::string> waiting;
};

/// Every face that the API holds.
class FakeLink final : public session::Linking,
                       public chat::People,
                       public chat::ReadMarks,
                       public chat::Presence,
                       public chat::Groups {
 public:
  [[nodiscard]] const session::StateChanged& state() const override { return now; }
  [[nodiscard]] session::Account account() const override { return who; }
  [[nodiscard]] std::optional<std::string> qr() override {
    ++qr_asked;
    return qr_text;
  }
  void request_link_code(const std::string& phone, Once<void(Result<std::string>)> done) override {
    asked = {phone};
    done(link_code);
  }
  void log_out(Once<void(Result<void>)> done) override {
    who = {};
    done({});
  }
  void reconnect() override { ++reconnects; }
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<chat::NumberStatus>>)> done) override {
    asked = std::move(phones);
    ++checks;
    done(numbers);
  }
  void mark(const std::string& chat, const std::string& id,
            Once<void(Result<std::size_t>)> done) override {
    asked = {chat, id};
    done(marked);
  }

  session::StateChanged now{session::State::online, 0, {}, {}, {}};
  session::Account who{"4915550001234", "4915550001234:17@s.whatsapp.net", "Shop"};
  std::optional<std::string> qr_text;
  Result<std::string> link_code = std::string("7XK2-M9QT");
  Result<std::vector<chat::NumberStatus>> numbers;
  Result<std::size_t> marked = std::size_t{1};
  void show_typing(const std::string& chat, chat::Typing what) override {
    constexpr std::array kWords{" end", " typing", " recording"};
    typed.push_back(chat + kWords.at(static_cast<std::size_t>(what)));
  }
  void keep_online(bool) override {}
  void create(const std::string& name, std::vector<std::string> members,
              Once<void(Result<chat::CreatedGroup>)> done) override {
    asked = std::move(members);
    asked.insert(asked.begin(), name);
    done(created);
  }
  void show(const std::string& chat, Once<void(Result<chat::GroupData>)> done) override {
    asked = {chat};
    done(group);
  }
  void rename(const std::string& chat, const std::string& name,
              Once<void(Result<chat::GroupChange>)> done) override {
    asked = {chat, name};
    done(changed);
  }
  void change_member(const std::string& chat, MemberChange change, const std::string& member,
                     Once<void(Result<chat::GroupChange>)> done) override {
    asked = {chat, std::to_string(static_cast<int>(change)), member};
    done(changed);
  }
  void change_settings(const std::string& chat, Settings settings,
                       Once<void(Result<chat::GroupChange>)> done) override {
    const auto word = [](std::optional<bool> value) {
      return !value ? std::string("-") : std::string(*value ? "yes" : "no");
    };
    asked = {chat, word(settings.members_edit), word(settings.members_send)};
    done(changed);
  }
  void set_picture(const std::string& chat, Bytes jpeg,
                   Once<void(Result<chat::GroupChange>)> done) override {
    asked = {chat, std::to_string(jpeg.size())};
    done(changed);
  }
  void leave(const std::string& chat, Once<void(Result<chat::GroupChange>)> done) override {
    asked = {chat};
    done(changed);
  }
  Result<chat::CreatedGroup> created =
      chat::CreatedGroup{true, "", "120363000000000002@g.us", "https://chat.whatsapp.com/AbCd"};
  Result<chat::GroupData> group;
  Result<chat::GroupChange> changed = chat::GroupChange{true, ""};

  std::vector<std::string> typed;
  std::vector<std::string> asked;
  int reconnects = 0;
  int checks = 0;
  int qr_asked = 0;
};

/// Takes a streamed body to its end, as a server does, into `body`.
void take_stream(Response& response);

/// An answer that may not have come yet.
struct Answer {
  std::optional<Response> response;

  [[nodiscard]] int status() const { return response ? response->status : 0; }
  [[nodiscard]] std::string text() const { return response ? response->body : "(no answer)"; }
  [[nodiscard]] json::Value json() const {
    return json::parse(text()).value_or(json::Value("not JSON: " + text()));
  }
  [[nodiscard]] std::string message() const {
    return json::string_at(json(), "message").value_or("");
  }
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// The API with everything around it pretended.
class Box {
 public:
  explicit Box(double rate_scale = 1.0, const std::string& care_token = kCareToken,
               const std::string& page_password = kPagePassword);

  /// "/getSettings" style: the method's name; `behind` stands behind the token.
  std::shared_ptr<Answer> call(Verb verb, const std::string& method, const std::string& body = "",
                               const std::string& behind = "");
  std::shared_ptr<Answer> get(const std::string& method) { return call(Verb::get, method); }
  std::shared_ptr<Answer> post(const std::string& method, const std::string& body) {
    return call(Verb::post, method, body);
  }
  std::shared_ptr<Answer> send(Request request);
  [[nodiscard]] static Request request(Verb verb, const std::string& path,
                                       const std::string& body = "");
  [[nodiscard]] static std::string path(const std::string& method) {
    return "/waInstance" + std::to_string(kId) + "/" + method + "/" + kToken;
  }
  void set_session(session::State state);
  /// Settings as setSettings would change them, without its rate limit.
  void configure(const std::string& json_text);

  posthorn::test::FakeScheduler scheduler;
  posthorn::test::SeededRandom random;
  posthorn::test::MemoryBlobStore blobs{scheduler};
  Clock clock{scheduler, Wall::from_unix(1'767'225'600)};
  SettingsStore settings{blobs};
  FakeOutbox outbox;
  FakeInbox inbox;
  FakeLink link;
  Status status;
  int resumed = 0;
  std::vector<InstanceState::Value> states;
  InstanceState state{scheduler, [this] { return !link.who.phone.empty(); },
                      [this](InstanceState::Value value) { states.push_back(value); }};
  StateHistory history{blobs};
  std::unique_ptr<Api> api;
};

}  // namespace posthorn::api::test
