#include "cloud/webhook/message.h"

#include <array>

#include "cloud/content/build.h"
#include "cloud/content/kinds.h"
#include "posthorn/base/bytes.h"
#include "posthorn/cloud/wamid.h"

namespace posthorn::cloud {
namespace {

using Found = std::optional<json::Value>;
using Kind = content::File::Kind;

std::string text_at(const json::Value& object, const char* name) {
  return json::string_at(object, name).value_or("");
}

/// What every kind is made from.
struct Said {
  const json::Value& notification;
  const json::Value& data;  ///< messageData
  const WebhookContext& context;
  std::string chat, id;
  bool from_me = false;
};

json::Value of_type(const char* type) {
  json::Value out(::Json::objectValue);
  out["type"] = type;
  return out;
}

Found show_text(const std::string& body) {
  json::Value out = of_type("text");
  out["text"]["body"] = body;
  return out;
}

Found show_unsupported(const std::string& what) {
  json::Value out = of_type("unsupported");
  json::Value error;
  error["code"] = 131051;
  error["title"] = "Message type unknown";
  error["message"] = "Message type unknown";
  error["error_data"]["details"] = "the box has no form for it: " + what;
  out["errors"].append(std::move(error));
  out["unsupported"]["type"] = "unknown";
  return out;
}

Kind kind_of(const std::string& type_message) {
  if (type_message == "imageMessage") return Kind::image;
  if (type_message == "videoMessage") return Kind::video;
  if (type_message == "audioMessage") return Kind::audio;
  if (type_message == "stickerMessage") return Kind::sticker;
  return Kind::document;
}

Found show_file(const Said& said, const std::string& type_message) {
  const json::Value& data = json::at(said.data, "fileMessageData");
  const std::string link = text_at(data, "downloadUrl");
  std::optional<ShownMedia> media;
  if (said.context.media_of) media = said.context.media_of(said.chat, said.id, link);
  content::File file = media ? media->file : content::File{};
  if (!media) file.kind = kind_of(type_message);
  const std::string type = official_type(file.kind);
  json::Value out = of_type(type.c_str());
  json::Value& shown = out[type];
  shown["id"] = media ? media->id : "";
  shown["mime_type"] = file.mime.empty() ? text_at(data, "mimeType") : file.mime;
  if (const auto digest = hex_decode(file.ref); digest && !digest->empty()) {
    shown["sha256"] = base64_encode(*digest);
  }
  const std::string caption = text_at(data, "caption");
  if (!caption.empty()) shown["caption"] = caption;
  if (type == "document") shown["filename"] = text_at(data, "fileName");
  if (type == "audio") shown["voice"] = file.kind == Kind::voice;
  if (type == "sticker") shown["animated"] = json::bool_at(data, "isAnimated").value_or(false);
  if (!link.empty() && link.find("://") != std::string::npos) shown["url"] = link;
  return out;
}

Found show_location(const Said& said) {
  const json::Value& data = json::at(said.data, "locationMessageData");
  json::Value out = of_type("location");
  json::Value& shown = out["location"];
  shown["latitude"] = json::double_of(json::at(data, "latitude")).value_or(0);
  shown["longitude"] = json::double_of(json::at(data, "longitude")).value_or(0);
  if (const auto name = text_at(data, "nameLocation"); !name.empty()) shown["name"] = name;
  if (const auto address = text_at(data, "address"); !address.empty()) shown["address"] = address;
  return out;
}

Found show_contacts(const Said& said) {
  json::Value out = of_type("contacts");
  const auto add = [&out](const json::Value& card) {
    out["contacts"].append(contact_of_vcard(text_at(card, "displayName"), text_at(card, "vcard")));
  };
  const json::Value& one = json::at(said.data, "contactMessageData");
  if (one.isObject()) {
    add(one);
    return out;
  }
  const json::Value& list = json::at(json::at(said.data, "messageData"), "contacts");
  if (!list.isArray()) return show_unsupported("contacts");
  for (const json::Value& card : list) add(card);
  return out;
}

std::string wamid_of(const Said& said, const std::string& target, bool of_business) {
  return encode_wamid(
      {said.chat, target, of_business ? Direction::from_business : Direction::to_business});
}

/// Whether the message that is referred to is one of ours.
bool is_own(const Said& said, const std::string& participant) {
  if (participant.empty()) return !said.from_me;
  return participant == said.context.own_phone + "@c.us";
}

Found show_reaction(const Said& said) {
  const json::Value& target = json::at(said.data, "quotedMessage");
  json::Value out = of_type("reaction");
  out["reaction"]["message_id"] =
      wamid_of(said, text_at(target, "stanzaId"), is_own(said, text_at(target, "participant")));
  const std::string emoji = text_at(json::at(said.data, "extendedTextMessageData"), "text");
  if (!emoji.empty()) out["reaction"]["emoji"] = emoji;
  return out;
}

Found show_edit(const Said& said) {
  const json::Value& data = json::at(said.data, "editedMessageData");
  json::Value out = of_type("edit");
  out["edit"]["original_message_id"] = wamid_of(said, text_at(data, "stanzaId"), said.from_me);
  json::Value& message = out["edit"]["message"];
  message["type"] = "text";
  message["text"]["body"] = text_at(data, "textMessage");
  return out;
}

Found show_revoke(const Said& said) {
  json::Value out = of_type("revoke");
  out["revoke"]["original_message_id"] =
      wamid_of(said, text_at(json::at(said.data, "deletedMessageData"), "stanzaId"), said.from_me);
  return out;
}

Found show_choice(const Said& said, const std::string& type_message) {
  json::Value out = of_type("interactive");
  if (type_message == "listResponseMessage") {
    const json::Value& data = json::at(said.data, "listResponseMessage");
    out["interactive"]["type"] = "list_reply";
    out["interactive"]["list_reply"]["id"] = text_at(data, "singleSelectReply");
    out["interactive"]["list_reply"]["title"] = text_at(data, "title");
    out["interactive"]["list_reply"]["description"] = "";
    return out;
  }
  const bool plain = type_message == "buttonsResponseMessage";
  const json::Value& data =
      json::at(said.data, plain ? "buttonsResponseMessage" : "templateButtonReplyMessage");
  out["interactive"]["type"] = "button_reply";
  out["interactive"]["button_reply"]["id"] =
      text_at(data, plain ? "selectedButtonId" : "selectedId");
  out["interactive"]["button_reply"]["title"] =
      text_at(data, plain ? "selectedButtonText" : "selectedDisplayText");
  return out;
}

/// A vote in a poll, which stands for a list here: the first option that has a voter.
Found show_vote(const Said& said) {
  const json::Value& votes = json::at(json::at(said.data, "pollMessageData"), "votes");
  json::Value out = of_type("interactive");
  out["interactive"]["type"] = "list_reply";
  json::Value& reply = out["interactive"]["list_reply"];
  reply["id"] = "";
  reply["title"] = "";
  for (::Json::ArrayIndex i = 0; votes.isArray() && i < votes.size(); ++i) {
    const json::Value& voters = json::at(votes[i], "optionVoters");
    if (!voters.isArray() || voters.empty()) continue;
    reply["id"] = std::to_string(i + 1);
    reply["title"] = text_at(votes[i], "optionName");
    break;
  }
  return out;
}

Found show_kind(const Said& said, const std::string& type) {
  const json::Value& text = json::at(said.data, "extendedTextMessageData");
  if (type == "textMessage") {
    const std::string body = text_at(json::at(said.data, "textMessageData"), "textMessage");
    // Green-API's mark for what could not be read.
    return body == "{{SWE003}}" ? show_unsupported("the message could not be read")
                                : show_text(body);
  }
  if (type == "extendedTextMessage" || type == "quotedMessage") {
    return show_text(text_at(text, "text"));
  }
  if (type == "imageMessage" || type == "videoMessage" || type == "audioMessage" ||
      type == "documentMessage" || type == "stickerMessage") {
    return show_file(said, type);
  }
  if (type == "locationMessage") return show_location(said);
  if (type == "contactMessage" || type == "contactsArrayMessage") return show_contacts(said);
  if (type == "reactionMessage") return show_reaction(said);
  if (type == "editedMessage") return show_edit(said);
  if (type == "deletedMessage") return show_revoke(said);
  if (type == "buttonsResponseMessage" || type == "listResponseMessage" ||
      type == "templateButtonsReplyMessage") {
    return show_choice(said, type);
  }
  if (type == "pollUpdateMessage") return show_vote(said);
  return show_unsupported(type);
}

void show_context(const Said& said, const std::string& type, json::Value& out) {
  const bool carries = type != "reactionMessage" && type != "editedMessage";
  const json::Value& quoted = json::at(said.data, "quotedMessage");
  std::string target = text_at(quoted, "stanzaId");
  std::string author = text_at(quoted, "participant");
  if (type == "pollUpdateMessage")
    target = text_at(json::at(said.data, "pollMessageData"), "stanzaId");
  for (const char* choice :
       {"buttonsResponseMessage", "listResponseMessage", "templateButtonReplyMessage"}) {
    const std::string id = text_at(json::at(said.data, choice), "stanzaId");
    if (!id.empty()) target = id;
  }
  if (carries && !target.empty()) {
    const bool own = is_own(said, author);
    if (own) {
      out["context"]["from"] = said.context.own_phone;
    } else if (has_number(author)) {
      out["context"]["from"] = user_of_chat(author);
    } else {
      out["context"]["from_user_id"] = user_id_of_chat(author);
    }
    out["context"]["id"] = wamid_of(said, target, own);
  }
  for (const char* part : {"fileMessageData", "extendedTextMessageData", "locationMessageData"}) {
    const json::Value& data = json::at(said.data, part);
    if (!json::bool_at(data, "isForwarded").value_or(false)) continue;
    constexpr std::int64_t kOften = 5;
    const bool often = json::int_at(data, "forwardingScore").value_or(0) >= kOften;
    out["context"][often ? "frequently_forwarded" : "forwarded"] = true;
  }
}

}  // namespace

Found show_message(const json::Value& notification, const WebhookContext& context) {
  const json::Value& sender = json::at(notification, "senderData");
  const Said said{notification,
                  json::at(notification, "messageData"),
                  context,
                  text_at(sender, "chatId"),
                  text_at(notification, "idMessage"),
                  text_at(notification, "typeWebhook") == "outgoingMessageReceived"};
  const std::string type = text_at(said.data, "typeMessage");
  auto out = show_kind(said, type);
  if (out) show_context(said, type, *out);
  return out;
}

}  // namespace posthorn::cloud
