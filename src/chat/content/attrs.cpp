#include "chat/content/attrs.h"

#include <array>
#include <string_view>

#include "chat/content/parse.h"

namespace posthorn::chat {
namespace {

using Protocol = wa::Message::ProtocolMessage;

struct MediaRow {
  std::string_view field;
  std::string_view mediatype;
};

// Fields that make a stanza `media`, with the type on each <enc> that goes along.
constexpr std::array kMedia = {
    MediaRow{"imageMessage", "image"},
    MediaRow{"stickerMessage", "sticker"},
    MediaRow{"stickerPackMessage", "sticker_pack"},
    MediaRow{"ptvMessage", "ptv"},
    MediaRow{"documentMessage", "document"},
    MediaRow{"locationMessage", "location"},
    MediaRow{"liveLocationMessage", "livelocation"},
    MediaRow{"contactMessage", "vcard"},
    MediaRow{"contactsArrayMessage", "contact_array"},
    MediaRow{"groupInviteMessage", "url"},
    MediaRow{"listMessage", "list"},
    MediaRow{"listResponseMessage", "list_response"},
    MediaRow{"buttonsMessage", "button"},
    MediaRow{"buttonsResponseMessage", "buttons_response"},
    MediaRow{"productMessage", "product"},
    MediaRow{"orderMessage", "order"},
    MediaRow{"interactiveResponseMessage", "native_flow_response"},
};

void describe_protocol(const Protocol& protocol, StanzaAttrs& attrs) {
  if (!protocol.has_type()) return;
  switch (protocol.type()) {
    case Protocol::REVOKE:
      attrs.edit = protocol.key().fromme() ? "7" : "8";
      break;
    case Protocol::MESSAGE_EDIT:
      attrs.edit = "1";
      attrs.hide_failure = true;
      break;
    case Protocol::EPHEMERAL_SYNC_RESPONSE:
    case Protocol::REQUEST_WELCOME_MESSAGE:
      attrs.hide_failure = true;
      break;
    default:  // not a state machine: every other type is plain text
      break;
  }
}

void describe_reaction(const wa::Message& message, StanzaAttrs& attrs) {
  attrs.type = "reaction";
  attrs.hide_failure = true;
  if (message.has_reactionmessage() && message.reactionmessage().text().empty()) attrs.edit = "7";
}

void describe_poll(const wa::Message& message, StanzaAttrs& attrs) {
  attrs.type = "poll";
  const bool vote = message.has_pollupdatemessage();
  attrs.hide_failure = vote;
  attrs.meta.emplace_back("polltype", vote ? "vote" : "creation");
}

void describe_event(const wa::Message& message, StanzaAttrs& attrs) {
  attrs.type = "event";
  const bool response = message.has_enceventresponsemessage();
  attrs.hide_failure = response;
  attrs.meta.emplace_back("event_type", response ? "response" : "creation");
}

void describe_secret_edit(const wa::Message::SecretEncryptedMessage& secret, StanzaAttrs& attrs) {
  using Secret = wa::Message::SecretEncryptedMessage;
  attrs.edit = "1";
  attrs.hide_failure = true;
  if (secret.secretenctype() == Secret::EVENT_EDIT) {
    attrs.type = "event";
    attrs.meta.emplace_back("event_type", "edit");
  }
  if (secret.secretenctype() == Secret::POLL_EDIT ||
      secret.secretenctype() == Secret::POLL_ADD_OPTION) {
    attrs.type = "poll";
    attrs.meta.emplace_back("polltype", "edit");
  }
}

void set_media(StanzaAttrs& attrs, std::string_view mediatype) {
  attrs.type = "media";
  attrs.mediatype = std::string(mediatype);
}

void describe_media(const wa::Message& message, const std::string& field, StanzaAttrs& attrs) {
  if (message.has_videomessage()) {
    set_media(attrs, message.videomessage().gifplayback() ? "gif" : "video");
    return;
  }
  if (message.has_audiomessage()) {
    set_media(attrs, message.audiomessage().ptt() ? "ptt" : "audio");
    return;
  }
  for (const MediaRow& row : kMedia) {
    if (row.field == field) set_media(attrs, row.mediatype);
  }
}

void describe_pin_or_keep(const wa::Message& message, StanzaAttrs& attrs) {
  attrs.hide_failure = true;
  if (message.has_pininchatmessage()) attrs.edit = "2";
  if (!message.has_keepinchatmessage()) return;
  const auto& keep = message.keepinchatmessage();
  if (keep.keeptype() == wa::UNDO_KEEP_FOR_ALL && keep.key().fromme()) attrs.edit = "7";
}

bool is_poll(const wa::Message& m) {
  return m.has_pollcreationmessage() || m.has_pollcreationmessagev2() ||
         m.has_pollcreationmessagev3() || m.has_pollcreationmessagev5() ||
         m.has_pollcreationmessagev6() || m.has_pollupdatemessage();
}

bool is_view_once(const Unwrapped& opened) {
  const wa::Message& m = *opened.message;
  return opened.view_once || m.imagemessage().viewonce() || m.videomessage().viewonce() ||
         m.audiomessage().viewonce() || m.extendedtextmessage().viewonce();
}

void describe_kind(const wa::Message& message, StanzaAttrs& attrs) {
  if (message.has_reactionmessage() || message.has_encreactionmessage()) {
    return describe_reaction(message, attrs);
  }
  if (message.has_eventmessage() || message.has_enceventresponsemessage()) {
    return describe_event(message, attrs);
  }
  if (is_poll(message)) return describe_poll(message, attrs);
  if (message.has_secretencryptedmessage()) {
    return describe_secret_edit(message.secretencryptedmessage(), attrs);
  }
  if (message.has_extendedtextmessage()) {
    if (!message.extendedtextmessage().matchedtext().empty()) set_media(attrs, "url");
    return;
  }
  if (message.has_protocolmessage()) return describe_protocol(message.protocolmessage(), attrs);
  if (message.has_pininchatmessage() || message.has_keepinchatmessage()) {
    return describe_pin_or_keep(message, attrs);
  }
  if (message.has_enccommentmessage()) {
    attrs.hide_failure = true;
    return;
  }
  describe_media(message, content_field(message), attrs);
}

}  // namespace

StanzaAttrs describe_content(const wa::Message& message) {
  StanzaAttrs attrs;
  const auto opened = open_wrappers(message);
  if (!opened) return attrs;
  describe_kind(*opened->message, attrs);
  if (is_view_once(*opened)) attrs.meta.emplace_back("view_once", "true");
  return attrs;
}

}  // namespace posthorn::chat
