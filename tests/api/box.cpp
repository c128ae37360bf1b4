#include "box.h"

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

void take_stream(Response& response) {
  if (!response.stream) return;
  std::array<char, 100> piece{};
  for (;;) {
    const BodySource::Piece got = response.stream->read(piece);
    if (got.more != BodySource::More::bytes) break;
    response.body.append(piece.data(), got.size);
  }
  response.stream.reset();
}

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
                       [this] { ++resumed; },
                       &history};
  if (journal_file) outside.journal = journal_file->journal.get();
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
  scheduler.run_posted();
  if (answer->response) take_stream(*answer->response);
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
