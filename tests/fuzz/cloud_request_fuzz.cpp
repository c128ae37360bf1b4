// Whatever a client of the official API sends, it is answered with a status and with JSON, and what
// is queued is a message that can be sent.
//
// Input: one line "VERB WHAT" (N stands for the number's id, W for the business account's), then
// the body.

#include <variant>

#include "api/utf8.h"
#include "cloud/shop.h"
#include "fuzz/fuzz_support.h"

namespace posthorn::cloud::test {
namespace {

using posthorn::fuzz::require;

std::string path_of(std::string what, const BoxIdentity& identity) {
  if (what.starts_with("N")) what.replace(0, 1, identity.phone_number_id);
  if (what.starts_with("W")) what.replace(0, 1, identity.waba_id);
  return what;
}

api::Verb verb_of(std::string_view line) {
  if (line.starts_with("POST ")) return api::Verb::post;
  return line.starts_with("DELETE ") ? api::Verb::del : api::Verb::get;
}

void check(const api::test::Answer& answer) {
  require(answer.status() >= 200 && answer.status() <= 599, "every request is answered");
  const std::string text = answer.text();
  require(!api::find_bad_utf8(text), "the answer is UTF-8");
  if (answer.status() >= 400) require(Shop::code_of(answer) != 0, "a refusal has a code");
}

void check(const Job& job) {
  const std::string text = readable_text(job.content);
  require(!api::find_bad_utf8(text), "the text can be sent");
  const auto* said = std::get_if<content::Text>(&job.content.what);
  require(said == nullptr || !said->body.empty(), "a text says something");
  require(job.chat.ends_with("@c.us") || job.chat.ends_with("@g.us") || job.chat.ends_with("@lid"),
          "the chat is in our own form");
  require(decode_job(encode_job(job)) == job, "the job reads back the same");
}

}  // namespace
}  // namespace posthorn::cloud::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn::cloud::test;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string line(text.substr(0, text.find('\n')));
  const std::string what = line.substr(std::min(line.find(' '), line.size() - 1) + 1);
  const std::string body(text.substr(std::min(line.size() + 1, text.size())));
  Shop shop;
  const auto answer = shop.ask(verb_of(line), path_of(what, shop.identity), body);
  shop.scheduler.advance(posthorn::minutes(2));
  check(*answer);
  for (const auto& view : shop.outbox.views) check(view.job);
  // A template that was made can be listed, and reads back the same after a restart.
  const posthorn::cloud::Templates again(shop.blobs, shop.random);
  posthorn::fuzz::require(again.all().size() == shop.templates.all().size(), "templates are kept");
  return 0;
}
