#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/api/api.h"
#include "posthorn/api/file_links.h"
#include "posthorn/api/notifier.h"
#include "posthorn/api/recorder.h"
#include "posthorn/chat/files.h"
#include "posthorn/files/store.h"
#include "posthorn/store/database.h"
#include "support/fakes.h"
#include "support/folder.h"

// Destructors stand in box.cpp, so that these classes are compiled there and not in every test.
namespace posthorn::api::test {

inline constexpr std::uint64_t kId = 4100012345;
inline const std::string kToken = "5f0c7a1b2c3d4e5f60718293a4b5c6d7e8f9001122334455aa";
inline const std::string kCareToken = "aa5544332211009f8e7d6c5b4a39281706f5e4d3c2b1a7c0f5";
inline const std::string kPagePassword = "bretzel-42";

class FakeOutbox final : public OutboxPort {
 public:
  ~FakeOutbox() override;
  void accept(Job job, Once<void(Result<std::string>)> done) override {
    if (failure) return done(tl::unexpected(*failure));
    if (posted_before) return done(*std::exchange(posted_before, std::nullopt));
    if (views.size() >= most) return done(fail(Errc::full, "the outbox is full"));
    std::string id = job.id;
    views.emplace_back().job = std::move(job);
    if (!hold_answers) return done(std::move(id));
    held.push_back([id = std::move(id), done = std::move(done)]() mutable { done(std::move(id)); });
  }
  void jobs(std::size_t limit, Once<void(Result<std::vector<JobView>>)> done) override {
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
  void waiting(const std::string& id, Once<void(Result<std::optional<Job>>)> done) override {
    const auto found = find(id);
    done(found == views.end() ? std::optional<Job>() : std::optional(found->job));
  }
  void replace(Job job, Once<void(Result<bool>)> done) override {
    const auto found = find(job.id);
    const bool there = found != views.end() && !leaves;
    if (there) found->job = std::move(job);
    done(there);
  }
  void drop(const std::string& id, const std::string& chat,
            Once<void(Result<bool>)> done) override {
    const auto found = find(id);
    const bool there = found != views.end() && found->job.chat == chat;
    if (there) views.erase(found);
    done(there);
  }
  std::vector<JobView>::iterator find(const std::string& id) {
    return std::find_if(views.begin(), views.end(),
                        [&](const JobView& view) { return view.job.id == id; });
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
  std::optional<std::string> posted_before;  ///< of the next job
  std::size_t most = SIZE_MAX;               ///< jobs
  bool leaves = false;                       ///< what is found is sent before it can be changed
  bool hold_answers = false;
  std::vector<Once<void()>> held;
};

class FakeInbox final : public InboxPort {
 public:
  ~FakeInbox() override;
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
                       public chat::Contacts,
                       public chat::ChatState,
                       public chat::Earlier,
                       public chat::PhoneHistory,
                       public chat::Groups {
 public:
  ~FakeLink() override;
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
  [[nodiscard]] session::Passkey passkey() const override { return asked_for; }
  void answer_passkey(const std::string& response, Once<void(Result<void>)> done) override {
    asked = {response};
    done(passkey_result);
  }
  void confirm_passkey(Codes codes, Once<void(Result<void>)> done) override {
    asked = {codes == Codes::match ? "match" : "differ"};
    done(passkey_result);
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
  session::Passkey asked_for;
  Result<void> passkey_result;
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
    if (settings.timer) asked.push_back(std::to_string(*settings.timer));
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
  [[nodiscard]] Result<std::optional<chat::EarlierMessage>> find(const std::string& chat,
                                                                 const std::string& id) override {
    const auto found = earlier.find(chat + "/" + id);
    if (found == earlier.end()) return std::optional<chat::EarlierMessage>();
    return std::optional(found->second);
  }
  std::map<std::string, chat::EarlierMessage> earlier;  ///< by "chat/id"

  Result<void> each(const std::function<void(const chat::ListedChat&)>& take) override {
    for (const chat::ListedChat& one : listed) take(one);
    return {};
  }
  Result<void> each_chat(std::size_t most,
                         const std::function<void(const chat::ListedChat&)>& take) override {
    for (std::size_t i = 0; i < std::min(most, listed.size()); ++i) take(listed[i]);
    return {};
  }
  std::string contact_name(const std::string& chat) override {
    const auto found = std::find_if(listed.begin(), listed.end(),
                                    [&](const auto& one) { return one.chat == chat; });
    return found == listed.end() ? std::string() : std::string(found->contact);
  }
  std::string chat_name(const std::string& chat) override { return contact_name(chat); }
  void details(const std::string& chat, Once<void(Result<chat::ChatDetails>)> done) override {
    asked = {chat};
    done(known);
  }
  void picture(const std::string& chat, Once<void(Result<chat::Picture>)> done) override {
    asked = {chat};
    done(face);
  }
  void new_picture(const std::string&, Once<void(Result<chat::Picture>)> done) override {
    done(face);
  }
  void set_own_picture(Bytes, Once<void(Result<void>)> done) override { done({}); }
  void change(std::string what, Done done) {
    asked = {std::move(what)};
    done(state_changed);
  }
  void archive(const std::string& chat, bool on, Done done) override {
    change((on ? "archive " : "unarchive ") + chat, std::move(done));
  }
  void pin(const std::string& chat, bool, Done done) override { change(chat, std::move(done)); }
  void mute(const std::string& chat, std::optional<Wall>, Done done) override {
    change(chat, std::move(done));
  }
  void mark_read(const std::string& chat, bool, Done done) override {
    change(chat, std::move(done));
  }
  void remove(const std::string& chat, Done done) override { change(chat, std::move(done)); }
  void remove_message(const std::string& chat, const std::string& id, bool from_me, Wall,
                      Done done) override {
    change("delete " + chat + "/" + id + (from_me ? "/mine" : ""), std::move(done));
  }
  void save_contact(const std::string& chat, const std::string& first, const std::string& last,
                    bool in_phone_book, Done done) override {
    change("save " + chat + "/" + first + "/" + last + (in_phone_book ? "/book" : ""),
           std::move(done));
  }
  void remove_contact(const std::string& chat, Done done) override {
    change("remove " + chat, std::move(done));
  }

  void older(const std::string& chat, const chat::KnownMessage& than, std::uint32_t count,
             Once<void(Result<std::vector<chat::PastMessage>>)> done) override {
    asked = {chat, than.id, than.from_me ? "ours" : "theirs",
             std::to_string(than.at.unix_seconds()), std::to_string(count)};
    done(older_messages);
  }
  [[nodiscard]] int progress() override { return history_percent; }
  Result<std::vector<chat::PastMessage>> older_messages;
  int history_percent = 100;

  std::vector<chat::ListedChat> listed;
  Result<chat::ChatDetails> known;
  Result<chat::Picture> face;
  Result<void> state_changed;
  std::vector<std::string> typed;
  std::vector<std::string> asked;
  int reconnects = 0;
  int checks = 0;
  int qr_asked = 0;
};

/// Takes a streamed body to its end, as a server does, into `body`.
void take_stream(Response& response);
/// As far as it has come. False: the rest comes later.
bool take_pieces(Response& response);

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

/// A journal on a disk of its own.
struct JournalFile {
  posthorn::test::Folder folder;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<journal::Journal> journal;
};

/// Files of messages that lie in the store already.
class FakeFiles final : public chat::Files {
 public:
  ~FakeFiles() override;
  bool is_uploaded(const content::File&) override { return true; }
  void upload(const content::File&, Wall, Once<void(Result<void>)> done) override { done({}); }
  bool has_preview(const content::Text&) override { return true; }
  void find_preview(const content::Text&, Once<void()> done) override { done(); }
  Result<std::optional<content::File>> received(const std::string&) override {
    return std::optional<content::File>();
  }
  Result<std::optional<content::File>> in_message(const std::string& chat,
                                                  const std::string& id) override {
    const auto found = messages.find(chat + "/" + id);
    return found == messages.end() ? std::nullopt : std::optional(found->second);
  }
  void fetch(const std::string& ref, Once<void(Result<files::File>)> done) override {
    const auto found = store->find(ref);
    if (!found) return done(fail(Errc::not_found, "no such file"));
    done(*found);
  }

  files::Store* store = nullptr;
  std::map<std::string, content::File> messages;  ///< by "chat/id"
};

/// Files on a disk of their own, and the web that urlFile leads into.
struct FileCabinet {
  posthorn::test::Folder folder;
  std::unique_ptr<files::Store> store;
  FakeFiles chat;
  std::unique_ptr<FileLinks> links;
  std::map<std::string, std::string> web;  ///< bytes by URL; empty: more than anybody takes
  bool hold_fetches = false;
  std::deque<Once<void()>> held_fetches;  ///< they look into the web when they are run
};

/// The API with everything around it pretended.
class Box {
 public:
  explicit Box(double rate_scale = 1.0, const std::string& care_token = kCareToken,
               const std::string& page_password = kPagePassword);
  ~Box();

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
  /// Another API on what is on disk now, as after a power cut.
  void restart() { make_api(); }
  /// From here on there is a journal. The recorder writes it.
  void keep_journal();
  /// From here on there are files.
  void keep_files(std::uint64_t quota = std::uint64_t{8} << 20);
  /// A multipart body, as clients post it: taken while it streams where the method does that.
  std::shared_ptr<Answer> post_form(const std::string& method, const std::string& body,
                                    const std::string& boundary);
  /// Settings as setSettings would change them, without its rate limit.
  void configure(const std::string& json_text);

  posthorn::test::FakeScheduler scheduler;
  posthorn::test::SeededRandom random;
  posthorn::test::InlineWorker worker{scheduler};
  posthorn::test::MemoryBlobStore blobs{scheduler};
  Clock clock{scheduler, Wall::from_unix(1'767'225'600)};
  SettingsStore settings{blobs};
  FakeOutbox outbox;
  FakeInbox inbox;
  FakeLink link;
  Status status;
  std::vector<InstanceState::Value> states;
  std::vector<json::Value> told;  ///< notifications of the API's own
  InstanceState state{scheduler, [this] { return !link.who.phone.empty(); },
                      [this](InstanceState::Value value) { states.push_back(value); }};
  StateHistory history{blobs};
  std::unique_ptr<JournalFile> journal_file;
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<FileCabinet> cabinet;
  ApiOptions options;
  std::unique_ptr<Api> api;

 private:
  void make_api();
  void fetch(const std::string& url, Once<void(Result<FetchedFile>)> done);
  /// Until the answer is there, if it comes in this moment.
  void settle(Answer& answer);
};

}  // namespace posthorn::api::test
