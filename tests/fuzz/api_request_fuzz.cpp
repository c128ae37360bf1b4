// Whatever a client sends, the API answers with a documented status and with JSON or nothing, and
// what it queues is a message that can be sent.
//
// Input: one line "VERB PATH" (T stands for the right token), one line for the Idempotency-Key, the
// rest is the body.

#include "api/box.h"
#include "api/utf8.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/api/settings.h"

namespace posthorn::api::test {
namespace {

using posthorn::fuzz::require;

struct World {
  posthorn::test::FakeScheduler scheduler;
  posthorn::test::SeededRandom random;
  posthorn::test::MemoryBlobStore blobs{scheduler};
  Clock clock{scheduler, Wall::from_unix(1'767'225'600)};
  SettingsStore settings{blobs};
  FakeOutbox outbox;
  FakeInbox inbox;
  FakeLink link;
  InstanceState state{scheduler, [] { return true; }, [](InstanceState::Value) {}};
  std::unique_ptr<Api> api;

  World() {
    state.on_session(session::State::online);
    inbox.waiting = {{7, "{}"}};
    link.numbers = std::vector<chat::NumberStatus>{{"4915550007777", true, ""}};
    ApiOptions options;
    options.id_instance = kId;
    options.token = kToken;
    // clang-format off
    api = std::make_unique<Api>(
        options, Api::Outside{scheduler, clock, random, blobs, settings, state, outbox, inbox, link,
                              link, link, link, link, link, link, link, [] { return Status{}; }});
    // clang-format on
  }
};

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

Request parse_request(std::string_view text) {
  const std::string_view first = take_line(text);
  const std::string_view key = take_line(text);
  Request request;
  if (first.starts_with("POST ")) request.verb = Verb::post;
  if (first.starts_with("DELETE ")) request.verb = Verb::del;
  if (first.starts_with("OPTIONS ")) request.verb = Verb::options;
  request.path = first.substr(std::min(first.find(' '), first.size() - 1) + 1);
  if (const std::size_t token = request.path.find("/T"); token != std::string::npos) {
    request.path.replace(token + 1, 1, kToken);
  }
  if (const std::size_t query = request.path.find('?'); query != std::string::npos) {
    request.query.emplace_back("receiveTimeout", request.path.substr(query + 1));
    request.path.resize(query);
  }
  request.idempotency_key = key;
  request.body = text;
  return request;
}

void check(const Response& response) {
  constexpr std::array kKnown{200, 204, 400, 401, 403, 404, 413, 429, 466, 469, 500, 502, 503};
  require(std::find(kKnown.begin(), kKnown.end(), response.status) != kKnown.end(),
          "the status is a documented one");
  if (response.body.empty()) return;
  require(!find_bad_utf8(response.body), "the answer is UTF-8");
  require(json::parse(response.body).has_value(), "the answer is JSON");
}

void check(const Job& job) {
  const std::string text = readable_text(job.content);
  require(!text.empty() && code_points(text) <= 20'000 && !find_bad_utf8(text),
          "the text can be sent");
  require(job.chat.ends_with("@c.us") || job.chat.ends_with("@g.us") || job.chat.ends_with("@lid"),
          "the chat is in our own form");
  require(decode_job(encode_job(job)) == job, "the job reads back the same");
}

}  // namespace
}  // namespace posthorn::api::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn::api::test;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  World world;
  std::optional<posthorn::api::Response> answer;
  posthorn::api::Request request = parse_request(input.empty() ? " " : input);
  (void)world.api->terms(request);
  world.api->handle(std::move(request), posthorn::api::Reply([&answer](posthorn::api::Response r) {
                      answer = std::move(r);
                    }));
  world.scheduler.advance(posthorn::minutes(2));
  posthorn::fuzz::require(answer.has_value(), "every request is answered");
  check(*answer);
  for (const auto& view : world.outbox.views) check(view.job);
  const posthorn::api::SettingsStore again(world.blobs);
  posthorn::fuzz::require(again.current() == world.settings.current(),
                          "settings read back the same");
  return 0;
}
