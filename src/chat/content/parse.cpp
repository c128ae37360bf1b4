#include "chat/content/parse.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "chat/content/context.h"
#include "chat/content/kinds.h"

namespace posthorn::chat {
namespace {

constexpr int kMaxDepth = 8;

using Wrapped = const wa::Message::FutureProofMessage* (*)(const wa::Message&);

enum class Flag : std::uint8_t { none, view_once, ephemeral, edited, group_status };

struct Wrapper {
  Wrapped get;
  Flag flag;
};

#define POSTHORN_WRAPPER(field, flag)                                    \
  Wrapper {                                                              \
    [](const wa::Message& m) -> const wa::Message::FutureProofMessage* { \
      return m.has_##field() ? &m.field() : nullptr;                     \
    },                                                                   \
        flag                                                             \
  }

constexpr std::array kWrappers = {
    POSTHORN_WRAPPER(ephemeralmessage, Flag::ephemeral),
    POSTHORN_WRAPPER(viewoncemessage, Flag::view_once),
    POSTHORN_WRAPPER(viewoncemessagev2, Flag::view_once),
    POSTHORN_WRAPPER(viewoncemessagev2extension, Flag::view_once),
    POSTHORN_WRAPPER(documentwithcaptionmessage, Flag::none),
    POSTHORN_WRAPPER(editedmessage, Flag::edited),
    POSTHORN_WRAPPER(groupmentionedmessage, Flag::none),
    POSTHORN_WRAPPER(botinvokemessage, Flag::none),
    POSTHORN_WRAPPER(lottiestickermessage, Flag::none),
    POSTHORN_WRAPPER(associatedchildmessage, Flag::none),
    POSTHORN_WRAPPER(spoilermessage, Flag::none),
    POSTHORN_WRAPPER(botforwardedmessage, Flag::none),
    POSTHORN_WRAPPER(questionmessage, Flag::none),
    POSTHORN_WRAPPER(questionreplymessage, Flag::none),
    POSTHORN_WRAPPER(limitsharingmessage, Flag::none),
    POSTHORN_WRAPPER(eventcoverimage, Flag::none),
    POSTHORN_WRAPPER(pollcreationoptionimagemessage, Flag::none),
    POSTHORN_WRAPPER(pollcreationmessagev4, Flag::none),
    POSTHORN_WRAPPER(groupstatusmessage, Flag::group_status),
    POSTHORN_WRAPPER(groupstatusmessagev2, Flag::group_status),
    POSTHORN_WRAPPER(statusmentionmessage, Flag::group_status),
    POSTHORN_WRAPPER(groupstatusmentionmessage, Flag::group_status),
};
#undef POSTHORN_WRAPPER

struct Field {
  std::string_view name;
  bool (*has)(const wa::Message&);
};

#define POSTHORN_FIELD(name, lower)                            \
  Field {                                                      \
    name, [](const wa::Message& m) { return m.has_##lower(); } \
  }

// In the order of chapter 07: when a message has several, the first one counts.
constexpr std::array kFields = {
    POSTHORN_FIELD("conversation", conversation),
    POSTHORN_FIELD("extendedTextMessage", extendedtextmessage),
    POSTHORN_FIELD("protocolMessage", protocolmessage),
    POSTHORN_FIELD("imageMessage", imagemessage),
    POSTHORN_FIELD("videoMessage", videomessage),
    POSTHORN_FIELD("ptvMessage", ptvmessage),
    POSTHORN_FIELD("audioMessage", audiomessage),
    POSTHORN_FIELD("documentMessage", documentmessage),
    POSTHORN_FIELD("stickerMessage", stickermessage),
    POSTHORN_FIELD("albumMessage", albummessage),
    POSTHORN_FIELD("stickerPackMessage", stickerpackmessage),
    POSTHORN_FIELD("locationMessage", locationmessage),
    POSTHORN_FIELD("liveLocationMessage", livelocationmessage),
    POSTHORN_FIELD("contactMessage", contactmessage),
    POSTHORN_FIELD("contactsArrayMessage", contactsarraymessage),
    POSTHORN_FIELD("reactionMessage", reactionmessage),
    POSTHORN_FIELD("encReactionMessage", encreactionmessage),
    POSTHORN_FIELD("pinInChatMessage", pininchatmessage),
    POSTHORN_FIELD("keepInChatMessage", keepinchatmessage),
    POSTHORN_FIELD("pollCreationMessage", pollcreationmessage),
    POSTHORN_FIELD("pollCreationMessageV2", pollcreationmessagev2),
    POSTHORN_FIELD("pollCreationMessageV3", pollcreationmessagev3),
    POSTHORN_FIELD("pollCreationMessageV5", pollcreationmessagev5),
    POSTHORN_FIELD("pollCreationMessageV6", pollcreationmessagev6),
    POSTHORN_FIELD("pollUpdateMessage", pollupdatemessage),
    POSTHORN_FIELD("eventMessage", eventmessage),
    POSTHORN_FIELD("encEventResponseMessage", enceventresponsemessage),
    POSTHORN_FIELD("interactiveMessage", interactivemessage),
    POSTHORN_FIELD("interactiveResponseMessage", interactiveresponsemessage),
    POSTHORN_FIELD("buttonsMessage", buttonsmessage),
    POSTHORN_FIELD("buttonsResponseMessage", buttonsresponsemessage),
    POSTHORN_FIELD("templateMessage", templatemessage),
    POSTHORN_FIELD("templateButtonReplyMessage", templatebuttonreplymessage),
    POSTHORN_FIELD("listMessage", listmessage),
    POSTHORN_FIELD("listResponseMessage", listresponsemessage),
    POSTHORN_FIELD("groupInviteMessage", groupinvitemessage),
    POSTHORN_FIELD("secretEncryptedMessage", secretencryptedmessage),
    POSTHORN_FIELD("encCommentMessage", enccommentmessage),
    POSTHORN_FIELD("commentMessage", commentmessage),
    POSTHORN_FIELD("productMessage", productmessage),
    POSTHORN_FIELD("orderMessage", ordermessage),
    POSTHORN_FIELD("requestPhoneNumberMessage", requestphonenumbermessage),
    POSTHORN_FIELD("callLogMesssage", calllogmesssage),
    POSTHORN_FIELD("call", call),
};
#undef POSTHORN_FIELD

void set_flag(Unwrapped& out, Flag flag) {
  switch (flag) {
    case Flag::none:
      break;
    case Flag::view_once:
      out.view_once = true;
      break;
    case Flag::ephemeral:
      out.ephemeral = true;
      break;
    case Flag::edited:
      out.edited = true;
      break;
    case Flag::group_status:
      out.group_status = true;
      break;
  }
}

/// One step inwards, or nullptr at the content itself.
const wa::Message* step_in(const wa::Message& message, Unwrapped& out) {
  if (message.has_devicesentmessage() && message.devicesentmessage().has_message()) {
    if (out.device_sent == nullptr) out.device_sent = &message.devicesentmessage();
    return &message.devicesentmessage().message();
  }
  for (const Wrapper& wrapper : kWrappers) {
    const auto* wrapped = wrapper.get(message);
    if (wrapped == nullptr || !wrapped->has_message()) continue;
    set_flag(out, wrapper.flag);
    return &wrapped->message();
  }
  return nullptr;
}

template <class Kind>
bool is_of(const wa::Message& message, Parsed& out) {
  Kind kind;
  Beside beside;
  if (!read(message, kind, beside)) return false;
  const wa::ContextInfo* context = context_in(message);
  if (context != nullptr) read_context(*context, beside);
  out.target_from_me = beside.target_from_me;
  out.content = Content{std::move(kind), std::move(beside.quote), beside.forwarded,
                        beside.forwarding_score, std::move(beside.mentions)};
  return true;
}

}  // namespace

Result<Unwrapped> open_wrappers(const wa::Message& message) {
  Unwrapped out;
  out.message = &message;
  for (int depth = 0; depth <= kMaxDepth; ++depth) {
    const wa::Message* inner = step_in(*out.message, out);
    if (inner == nullptr) return out;
    out.message = inner;
  }
  return fail(Errc::malformed, "message wrapped too deeply");
}

std::string content_field(const wa::Message& message) {
  for (const Field& field : kFields) {
    if (field.has(message)) return std::string(field.name);
  }
  return {};
}

std::string text_of(const wa::Message& message) {
  if (message.has_conversation()) return message.conversation();
  if (message.has_extendedtextmessage()) return message.extendedtextmessage().text();
  if (message.has_imagemessage()) return message.imagemessage().caption();
  if (message.has_videomessage()) return message.videomessage().caption();
  if (message.has_documentmessage()) return message.documentmessage().caption();
  return {};
}

Parsed parse_content(const wa::Message& message) {
  Parsed out;
#define POSTHORN_TRY_(Kind) || is_of<content::Kind>(message, out)
  const bool told = false POSTHORN_CONTENT_KINDS(POSTHORN_TRY_);
#undef POSTHORN_TRY_
  // An unknown type reads as REVOKE, the enum's zero: without the presence test a future type would
  // pass for it.
  const bool housekeeping = message.has_protocolmessage() && message.protocolmessage().has_type();
  if (!told && housekeeping) out.protocol = &message.protocolmessage();
  return out;
}

}  // namespace posthorn::chat
