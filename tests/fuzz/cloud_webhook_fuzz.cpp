// Webhooks in both directions: what Meta (or whoever finds the path) posts, and the official form
// of the box's own notifications, which hold what strangers wrote.
//
// Input: the JSON of either; also taken for a wamid and for the answer to a POST of a message.

#include "cloud/graph_error.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/base/utf8.h"
#include "posthorn/cloud/hearing.h"
#include "posthorn/cloud/wamid.h"
#include "posthorn/cloud/way.h"
#include "posthorn/cloud/webhook.h"

using namespace posthorn;

namespace {

const std::string kNumber = "106540352242922";

void check_heard(std::string_view body) {
  fuzz::require(!cloud::signature_fits(body, "sha256=00", "secret"), "nobody guesses the mark");
  const auto heard = cloud::parse_webhook(body, kNumber);
  if (!heard) return;
  for (const auto& one : heard->messages) {
    fuzz::require(!one.message.id.empty(), "a message has an id");
    fuzz::require(!one.message.chat.empty() || !one.user_id.empty(), "somebody wrote it");
    (void)readable_text(one.message.content);
  }
  for (const auto& one : heard->statuses) {
    fuzz::require(!one.wamid.empty(), "a status is about a message");
    fuzz::require(one.chat.empty() || one.chat.ends_with("@c.us"), "and about a number");
  }
}

void check_told(const json::Value& notification) {
  cloud::WebhookContext context;
  context.waba_id = "102290129340398";
  context.phone_number_id = kNumber;
  context.own_phone = "4915550001234";
  const auto told = cloud::webhook_of(notification, context);
  if (!told) return;
  const auto again = json::parse(json::write(*told));
  fuzz::require(again.has_value(), "a webhook is JSON");
  fuzz::require(json::string_at((*again)["entry"][0]["changes"][0], "field").has_value(),
                "and says what it is about");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(fuzz::Input(data, size).rest());
  check_heard(text);
  if (const auto value = json::parse(text, 10'000)) check_told(*value);
  if (const auto wamid = cloud::decode_wamid(text)) {
    fuzz::require(cloud::decode_wamid(cloud::encode_wamid(*wamid)) == *wamid,
                  "a wamid reads back the same");
  }
  if (const auto chat = cloud::chat_of_user_id(text)) {
    fuzz::require(cloud::user_id_of_chat(*chat) == text, "so does a user id");
  }
  return 0;
}
