#include "cloud/message_request.h"

#include "cloud/fields.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/user_id.h"
#include "posthorn/cloud/wamid.h"

namespace posthorn::cloud {
namespace {

constexpr std::size_t kNumberMax = 200;
constexpr std::size_t kWordMax = 100;
constexpr std::size_t kCallbackMax = 512;

/// A person by user id: of this box's own, or as Meta names them to the official number.
Result<std::string> chat_of_user(const std::string& user, const ChatOfUserId& known) {
  if (auto own = chat_of_user_id(user)) return std::move(*own);
  if (known) {
    if (auto chat = known(user)) return std::move(*chat);
  }
  return fail(Errc::crypto,
              "recipient: this box knows nobody by the user id " + user +
                  " (only those who have written to its official number); send to the phone number "
                  "in to");
}

Result<void> parse_recipient(const json::Value& body, const ChatOfUserId& known,
                             MessageRequest& out) {
  TRY(const std::string to, text_in(body, "to", "", kNumberMax));
  TRY(const std::string user, text_in(body, "recipient", "", kNumberMax));
  TRY(const std::string kind, text_in(body, "recipient_type", "", kWordMax));
  if (!kind.empty() && kind != "individual" && kind != "group") {
    return bad("", "recipient_type", "must be individual or group");
  }
  if (to.empty() && user.empty()) return missing("", "to");
  out.input = to.empty() ? user : to;
  if (to.empty() || is_user_id(to)) {
    TRY(out.chat, chat_of_user(out.input, known));
    return {};
  }
  const bool is_group = kind == "group" && to.find('@') == std::string::npos;
  auto chat = is_group                                        ? api::parse_chat_id(to + "@g.us")
              : to.ends_with("@g.us") || to.ends_with("@lid") ? api::parse_chat_id(to)
                                                              : api::parse_phone(to);
  if (!chat) return bad("", "to", "is no phone number with its country code: " + to);
  out.chat = chat->find('@') == std::string::npos ? *chat + "@c.us" : *chat;
  return {};
}

/// The message that is answered.
Result<void> parse_context(const json::Value& body, MessageRequest& out) {
  const json::Value& context = json::at(body, "context");
  if (context.isNull() || out.type == "reaction") return {};
  TRY(out.answer_to, text_in(context, "message_id", "context", kCallbackMax));
  return {};
}

Result<void> parse_content(const json::Value& body, MessageRequest& out) {
  if (out.type == "contacts") {
    TRY(out.content.what, parse_contacts(body));
    return {};
  }
  const bool known = out.type == "text" || out.type == "location" || out.type == "reaction" ||
                     out.type == "interactive" || out.type == "template" || is_media_type(out.type);
  if (!known) return fail(Errc::unsupported, "type " + out.type + " is not sent by this box");
  TRY(const json::Value* object, required_object_in(body, out.type.c_str(), ""));
  if (out.type == "text") {
    TRY(out.content.what, parse_text(*object));
  } else if (out.type == "location") {
    TRY(out.content.what, parse_location(*object));
  } else if (out.type == "reaction") {
    TRY(auto asked, parse_reaction(*object));
    out.content.what = std::move(asked.reaction);
    out.reaction_to = std::move(asked.target);
  } else if (out.type == "interactive") {
    TRY(auto asked, parse_interactive(*object));
    out.content.what = content::Text{asked.text, true, std::nullopt};
    out.media = std::move(asked.header);
    if (out.media) out.media->caption = asked.text;
  } else if (out.type == "template") {
    out.with_template = true;
  } else {
    TRY(auto media, parse_media(*object, out.type));
    out.media = std::move(media);
  }
  return {};
}

}  // namespace

Result<MessageRequest> parse_message(const json::Value& body, const ChatOfUserId& known) {
  TRY(const std::string product, text_in(body, "messaging_product", "", kWordMax));
  if (product.empty()) return missing("", "messaging_product");
  if (product != "whatsapp") return bad("", "messaging_product", "must be whatsapp");
  MessageRequest out;
  TRY(out.type, text_in(body, "type", "", kWordMax));
  if (out.type.empty()) out.type = "text";
  TRY(parse_recipient(body, known, out));
  TRY(out.callback_data, text_in(body, "biz_opaque_callback_data", "", kCallbackMax));
  TRY(out.transport, text_in(body, "transport", "", kWordMax));
  if (!out.transport.empty() && out.transport != "own" && out.transport != "official" &&
      out.transport != "auto") {
    return bad("", "transport", "must be own, official or auto");
  }
  TRY(parse_context(body, out));
  TRY(parse_content(body, out));
  return out;
}

}  // namespace posthorn::cloud
