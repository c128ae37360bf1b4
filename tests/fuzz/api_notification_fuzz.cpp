// Whatever a message, a receipt or a name holds, it becomes a notification that every receiver can
// read and the smallest inbox can keep.
//
// Input: a byte that says what kind, one for the limit, then the texts: a byte of length times 16
// each, the rest for the last.

#include "api/record.h"
#include "api/utf8.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/api/notification.h"

namespace posthorn::api {
namespace {

using fuzz::Input;
using fuzz::require;

std::string text(Input& input) {
  return posthorn::to_string(input.take(std::size_t{input.byte()} * 16));
}

Settings everything() {
  Settings all;
  all.outgoing_message_webhook = true;
  all.outgoing_api_message_webhook = true;
  all.edited_message_webhook = true;
  all.deleted_message_webhook = true;
  return all;
}

Content content_of(std::uint8_t kind, Input& input) {
  Content content;
  if (kind % 2 == 0)
    content.quote = Quote{text(input), text(input), text(input), text(input), {}, {}};
  switch (kind / 2 % 4) {
    case 0:
      content.what = content::Text{text(input), true, std::nullopt};
      break;
    case 1:
      content.what =
          content::Text{text(input), true, content::Preview{text(input), text(input), text(input)}};
      break;
    case 2:
      content.what = content::Edit{text(input), text(input)};
      break;
    default:
      content.what = content::Deletion{text(input)};
  }
  return content;
}

void check(const std::optional<json::Value>& notification, std::size_t limit) {
  if (!notification) return;
  const std::string record = to_record(*notification, limit);
  require(record.size() <= limit, "it fits the inbox");
  require(!find_bad_utf8(record), "it is UTF-8");
  const auto read = json::parse(record);
  require(read.has_value() && read->isObject(), "it is JSON");
  require(json::string_at(*read, "typeWebhook").has_value(), "it says what it is");
}

}  // namespace
}  // namespace posthorn::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn;
  using namespace posthorn::api;
  fuzz::Input input(data, size);
  const std::uint8_t kind = input.byte();
  const std::size_t limit = 3584 + std::size_t{input.byte()} * 1024;
  const Instance instance{7100000001, "4915550001234@c.us", text(input)};
  chat::Message message;
  message.from_me = (kind & 0x80) != 0;
  message.id = text(input);
  message.chat = text(input);
  message.sender = text(input);
  message.sender_name = text(input);
  message.chat_name = text(input);
  message.content = content_of(kind, input);
  check(to_notification(message, everything(), instance), limit);
  Job job;
  job.id = message.id;
  job.chat = message.chat;
  job.content = message.content;
  check(build_api_message(job, everything(), instance, Wall{}), limit);
  const StatusReport report{message.id, message.chat, MessageStatus::failed, text(input), {}, true};
  check(build_message_status(report, everything(), instance), limit);
  return 0;
}
