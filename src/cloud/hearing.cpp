#include "posthorn/cloud/hearing.h"

#include "cloud/content/kinds.h"
#include "cloud/fields.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/user_id.h"

namespace posthorn::cloud {
namespace {

constexpr std::size_t kValuesMax = 50'000;
constexpr std::size_t kEventMax = 100;

std::string text_at(const json::Value& object, const char* name) {
  return json::text_of(json::at(object, name)).value_or("");
}

std::string chat_of(const std::string& digits) {
  const bool fine = digits.size() >= 5 && digits.size() <= 20 &&
                    digits.find_first_not_of("0123456789") == std::string::npos;
  return fine ? digits + "@c.us" : "";
}

content::File::Kind kind_of(const std::string& type, const json::Value& media) {
  using Kind = content::File::Kind;
  if (type == "image") return Kind::image;
  if (type == "video") return Kind::video;
  if (type == "sticker") return Kind::sticker;
  if (type != "audio") return Kind::document;
  return json::bool_at(media, "voice").value_or(false) ? Kind::voice : Kind::audio;
}

Content::What choice_of(const json::Value& message) {
  content::Choice kind;
  kind.form = content::Buttons::Form::template_;
  const json::Value& interactive = json::at(message, "interactive");
  const bool list = text_at(interactive, "type") == "list_reply";
  const json::Value& reply = json::at(interactive, list ? "list_reply" : "button_reply");
  if (list) kind.form = content::Buttons::Form::list;
  kind.id = text_at(reply, "id");
  kind.text = text_at(reply, "title");
  // A quick reply of a template.
  const json::Value& button = json::at(message, "button");
  if (button.isObject()) {
    kind.id = text_at(button, "payload");
    kind.text = text_at(button, "text");
  }
  return kind;
}

Content::What cards_of(const json::Value& message) {
  content::Contacts kind;
  const json::Value& list = json::at(message, "contacts");
  for (::Json::ArrayIndex i = 0; list.isArray() && i < list.size(); ++i) {
    if (auto card = parse_card(list[i], "contacts")) kind.cards.push_back(std::move(*card));
  }
  kind.list = kind.cards.size() > 1;
  return kind;
}

Content::What place_of(const json::Value& place) {
  content::Location kind;
  kind.latitude = json::double_of(json::at(place, "latitude")).value_or(0);
  kind.longitude = json::double_of(json::at(place, "longitude")).value_or(0);
  kind.name = text_at(place, "name");
  kind.address = text_at(place, "address");
  return kind;
}

/// {"original_message_id", "message": {"type": "text", "text": {"body"}}}
Content::What edit_of(const json::Value& edit) {
  const json::Value& message = json::at(edit, "message");
  const std::string type = text_at(message, "type");
  const json::Value& part = json::at(message, type.c_str());
  return content::Edit{text_at(edit, "original_message_id"),
                       text_at(part, type == "text" ? "body" : "caption")};
}

/// The content of a message; media_id: of its file.
Content content_of(const json::Value& message, std::string& media_id) {
  const std::string type = text_at(message, "type");
  Content out;
  const std::string quoted = text_at(json::at(message, "context"), "id");
  if (!quoted.empty()) out.quote.emplace().id = quoted;
  if (type == "text") {
    out.what = content::Text{text_at(json::at(message, "text"), "body"), true, std::nullopt};
  } else if (type == "reaction") {
    const json::Value& reaction = json::at(message, "reaction");
    out.what = content::Reaction{text_at(reaction, "emoji")};
    out.quote.emplace().id = text_at(reaction, "message_id");
  } else if (type == "button" || type == "interactive") {
    out.what = choice_of(message);
  } else if (type == "location") {
    out.what = place_of(json::at(message, "location"));
  } else if (type == "contacts") {
    out.what = cards_of(message);
  } else if (type == "revoke") {
    out.what = content::Deletion{text_at(json::at(message, "revoke"), "original_message_id")};
  } else if (type == "edit") {
    out.what = edit_of(json::at(message, "edit"));
  } else if (is_media_type(type)) {
    const json::Value& media = json::at(message, type.c_str());
    content::File file;
    file.kind = kind_of(type, media);
    file.mime = text_at(media, "mime_type");
    file.caption = text_at(media, "caption");
    file.name = text_at(media, "filename");
    media_id = text_at(media, "id");
    out.what = std::move(file);
  } else {
    out.what = content::Other{type, ""};
  }
  return out;
}

HeardStatus status_of(const json::Value& one) {
  HeardStatus out;
  out.wamid = text_at(one, "id");
  out.chat = chat_of(text_at(one, "recipient_id"));
  out.user_id = text_at(one, "recipient_user_id");
  out.status = text_at(one, "status");
  out.job_id = text_at(one, "biz_opaque_callback_data");
  out.at = whole_number(json::at(one, "timestamp")).value_or(0);
  out.pricing = json::at(one, "pricing");
  const json::Value& errors = json::at(one, "errors");
  if (errors.isArray() && !errors.empty()) {
    out.code = static_cast<int>(json::int_at(errors[0], "code").value_or(0));
    out.details = text_at(json::at(errors[0], "error_data"), "details");
    if (out.details.empty()) out.details = text_at(errors[0], "title");
  }
  return out;
}

/// The contact that a message is from; messages and contacts need not stand in one order.
const json::Value& contact_of(const json::Value& contacts, const std::string& number,
                              const std::string& user_id) {
  static const json::Value kNone;
  for (const json::Value& one : contacts.isArray() ? contacts : kNone) {
    const bool same_number = !number.empty() && text_at(one, "wa_id") == number;
    const bool same_id = !user_id.empty() && text_at(one, "user_id") == user_id;
    if (same_number || same_id) return one;
  }
  return kNone;
}

std::string checked_id(std::string id) { return is_user_id(id) ? id : std::string(); }

/// {"type": "user_changed_user_id", "previous_user_id", "user_id"}; the new one may stand outside.
void take_change(const json::Value& system, const std::string& user_id, Heard& heard) {
  const std::string said = text_at(system, "user_id");
  HeardChange change{text_at(system, "previous_user_id"), said.empty() ? user_id : said};
  if (!change.old_id.empty() && !change.new_id.empty()) heard.changes.push_back(std::move(change));
}

/// own: typed on the phone of the official number ("echoes"), to somebody.
void take_message(const json::Value& one, const json::Value& contacts, bool own, Heard& heard) {
  HeardMessage out;
  const std::string number = text_at(one, own ? "to" : "from");
  out.user_id = checked_id(text_at(one, own ? "to_user_id" : "from_user_id"));
  const json::Value& contact = contact_of(contacts, number, out.user_id);
  if (out.user_id.empty()) out.user_id = checked_id(text_at(contact, "user_id"));
  chat::Message& message = out.message;
  message.id = text_at(one, "id");
  message.chat = chat_of(number);
  message.from_me = own;
  if (message.id.empty() || (message.chat.empty() && out.user_id.empty())) return;
  if (text_at(one, "type") == "system") {  // Meta's word, not theirs
    return take_change(json::at(one, "system"), out.user_id, heard);
  }
  if (!own) message.sender_name = text_at(json::at(contact, "profile"), "name");
  message.chat_name = message.sender_name;
  message.timestamp = Wall::from_unix(whole_number(json::at(one, "timestamp")).value_or(0));
  message.content = content_of(one, out.media_id);
  heard.messages.push_back(std::move(out));
}

void take_messages(const json::Value& value, Heard& heard) {
  const json::Value& contacts = json::at(value, "contacts");
  for (const char* list : {"messages", "message_echoes"}) {
    const json::Value& messages = json::at(value, list);
    const bool own = std::string_view(list) == "message_echoes";
    for (::Json::ArrayIndex i = 0; messages.isArray() && i < messages.size(); ++i) {
      take_message(messages[i], contacts, own, heard);
    }
  }
  const json::Value& statuses = json::at(value, "statuses");
  for (::Json::ArrayIndex i = 0; statuses.isArray() && i < statuses.size(); ++i) {
    HeardStatus status = status_of(statuses[i]);
    if (!status.wamid.empty()) heard.statuses.push_back(std::move(status));
  }
}

}  // namespace

Result<Heard> parse_webhook(std::string_view body, const std::string& phone_number_id) {
  if (!is_utf8(body)) return fail(Errc::malformed, "webhook: not UTF-8");
  TRY(const json::Value in, json::parse(body, kValuesMax));
  const json::Value& entries = json::at(in, "entry");
  if (!entries.isArray()) return fail(Errc::malformed, "webhook: no entry");
  Heard heard;
  for (const json::Value& entry : entries) {
    const json::Value& changes = json::at(entry, "changes");
    for (::Json::ArrayIndex i = 0; changes.isArray() && i < changes.size(); ++i) {
      const std::string field = json::string_at(changes[i], "field").value_or("");
      const json::Value& value = json::at(changes[i], "value");
      const std::string number = text_at(json::at(value, "metadata"), "phone_number_id");
      if (!number.empty() && number != phone_number_id) continue;
      if (field == "messages" || field == "smb_message_echoes") {
        take_messages(value, heard);
      } else if (!field.empty() && field.size() <= kEventMax) {
        const std::string event = text_at(value, "event");
        heard.account.push_back(field + (event.size() <= kEventMax ? " " + event : ""));
      }
    }
  }
  return heard;
}

bool signature_fits(std::string_view body, std::string_view signature,
                    const std::string& app_secret) {
  constexpr std::string_view kAlgorithm = "sha256=";
  if (app_secret.empty() || !signature.starts_with(kAlgorithm)) return false;
  const auto given = hex_decode(signature.substr(kAlgorithm.size()));
  if (!given) return false;
  const auto right = crypto::hmac_sha256(as_bytes(app_secret), as_bytes(body));
  return equal_constant_time(*given, right);
}

}  // namespace posthorn::cloud
