#include "api/box.h"

#include <array>

namespace posthorn::api::test {

namespace {

constexpr std::array<std::uint8_t, 4> kGzip{0x1F, 0x8B, 8, 0};
constexpr std::array<PageFile, 2> kPageFiles{{
    {"/index.html", "text/html; charset=utf-8", "1f0c", kGzip},
    {"/assets/app-77.js", "text/javascript; charset=utf-8", "77aa", kGzip},
}};

}  // namespace

std::string Answer::header(std::string_view name) const {
  if (!response) return "";
  for (const auto& [key, value] : response->headers) {
    if (key == name) return value;
  }
  return "";
}

bool take_pieces(Response& response) {
  if (!response.stream) return true;
  std::array<char, 100> piece{};
  for (;;) {
    const BodySource::Piece got = response.stream->read(piece);
    if (got.more == BodySource::More::later) return false;
    if (got.more != BodySource::More::bytes) break;
    response.body.append(piece.data(), got.size);
  }
  response.stream.reset();
  return true;
}

void take_stream(Response& response) {
  (void)take_pieces(response);
  response.stream.reset();
}

FakeOutbox::~FakeOutbox() = default;
FakeInbox::~FakeInbox() = default;
FakeLink::~FakeLink() = default;
FakeFiles::~FakeFiles() = default;
Box::~Box() = default;

Box::Box(double rate_scale, const std::string& care_token, const std::string& page_password) {
  state.on_session(link.now.state);
  states.clear();
  options.id_instance = kId;
  options.token = kToken;
  options.care_token = care_token;
  options.page_password = page_password;
  options.rate_scale = rate_scale;
  make_api();
}

void Box::make_api() {
  Api::Outside outside{scheduler,
                       clock,
                       random,
                       blobs,
                       settings,
                       state,
                       outbox,
                       inbox,
                       link,
                       link,
                       link,
                       link,
                       link,
                       link,
                       link,
                       link,
                       [this] { return status; },
                       &history};
  if (cabinet) {
    outside.files.emplace(FileOutside{
        *cabinet->store, cabinet->chat, *cabinet->links,
        [this](const std::string& url, Once<void(Result<FetchedFile>)> done) {
          if (!cabinet->hold_fetches) return fetch(url, std::move(done));
          cabinet->held_fetches.emplace_back(
              [this, url, done = std::move(done)]() mutable { fetch(url, std::move(done)); });
        }});
  }
  if (journal_file) outside.journal = journal_file->journal.get();
  outside.phone_history = &link;
  outside.each_job = [this](const std::function<void(const Job&)>& visit) -> Result<void> {
    if (outbox.unreadable) return tl::unexpected(*outbox.unreadable);
    for (const JobView& view : outbox.views) visit(view.job);
    return {};
  };
  outside.tell = [this](const json::Value& notification) { told.push_back(notification); };
  api = std::make_unique<Api>(options, std::move(outside));
  api->serve_page({worker, kPageFiles, 100});
}

void Box::keep_journal() {
  journal_file = std::make_unique<JournalFile>();
  auto database = store::Database::open(journal_file->folder.at("journal.db"), {});
  journal_file->database = std::move(*database);
  auto opened = journal::Journal::open(*journal_file->database, scheduler, clock, {});
  journal_file->journal = std::move(*opened);
  recorder = std::make_unique<Recorder>(Recorder::Outside{*journal_file->journal, {}});
  make_api();
}

void Box::keep_files(std::uint64_t quota) {
  cabinet = std::make_unique<FileCabinet>();
  auto disk = files::posix_folder(cabinet->folder.at("files"));
  auto store = files::Store::open(std::move(*disk), worker, {.quota = quota});
  cabinet->store = std::move(*store);
  cabinet->chat.store = cabinet->store.get();
  cabinet->links = std::move(*FileLinks::load(blobs, random, {.public_url = "http://box.lan"}));
  make_api();
}

/// What a client of the web brings home.
void Box::fetch(const std::string& url, Once<void(Result<FetchedFile>)> done) {
  const auto found = cabinet->web.find(url);
  if (found == cabinet->web.end()) return done(fail(Errc::refused, "status 404"));
  if (found->second.empty()) return done(tl::unexpected(too_large_at_url(103'500'000)));
  auto begun = cabinet->store->begin(std::nullopt);
  if (!begun) return done(tl::unexpected(begun.error()));
  std::shared_ptr<files::Writer> writer = std::move(*begun);  // shared: with its own answer
  (void)writer->append(found->second);
  writer->finish([writer, done = std::move(done)](Result<files::File> file) mutable {
    if (!file) return done(tl::unexpected(file.error()));
    done(FetchedFile{std::move(*file), ""});
  });
}

std::shared_ptr<Answer> Box::post_form(const std::string& method, const std::string& body,
                                       const std::string& boundary) {
  Request head = request(Verb::post, path(method));
  head.content_type = "multipart/form-data; boundary=" + boundary;
  head.content_length = body.size();
  auto answer = std::make_shared<Answer>();
  Reply reply([answer](Response response) { answer->response = std::move(response); });
  Terms terms = api->terms(head);
  if (terms.sink) {
    (void)terms.sink->write(body);
    terms.sink->finish(std::move(reply));
  } else {
    head.body = body;
    api->handle(std::move(head), std::move(reply));
  }
  settle(*answer);
  return answer;
}

void Box::settle(Answer& answer) {
  constexpr int kTurns = 50;  // a file goes through the worker several times
  for (int turn = 0; turn < kTurns; ++turn) scheduler.run_posted();
  if (!answer.response) return;
  // What a file's reader has not answered yet comes with the next turn.
  for (int turn = 0; turn < kTurns && !take_pieces(*answer.response); ++turn) {
    scheduler.run_posted();
  }
  scheduler.run_posted();
}

Request Box::request(Verb verb, const std::string& path, const std::string& body) {
  Request request;
  request.verb = verb;
  request.path = path;
  request.body = body;
  request.peer = "192.168.1.20";
  return request;
}

std::shared_ptr<Answer> Box::send(Request request) {
  auto answer = std::make_shared<Answer>();
  api->handle(std::move(request),
              Reply([answer](Response response) { answer->response = std::move(response); }));
  settle(*answer);
  return answer;
}

std::shared_ptr<Answer> Box::call(Verb verb, const std::string& method, const std::string& body,
                                  const std::string& behind) {
  return send(request(verb, path(method) + behind, body));
}

void Box::set_session(session::State next) {
  link.now.state = next;
  state.on_session(next);
}

void Box::configure(const std::string& json_text) {
  const auto body = json::parse(json_text);
  auto change = apply_settings(settings.current(), *body);
  settings.replace(std::move(change->settings), [](Result<void>) {});
  scheduler.run_posted();
}

}  // namespace posthorn::api::test
