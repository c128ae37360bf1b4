#include "chat/send/earlier.h"

#include <utility>

#include "chat/content/parse.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"

namespace posthorn::chat {
namespace {

using wire::Jid;

std::optional<Content> content_of(const Bytes& message) {
  wa::Message parsed;
  if (message.empty() || !parsed.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return std::nullopt;
  }
  const auto opened = open_wrappers(parsed);
  if (!opened) return std::nullopt;
  auto content = parse_content(*opened->message).content;
  if (!content) return std::nullopt;
  content->quote.reset();
  content->mentions.clear();
  content->original = message;
  return content;
}

}  // namespace

Result<std::optional<EarlierMessage>> EarlierFinder::find(const std::string& chat,
                                                          const std::string& message_id) {
  TRY(const Jid named, context_.names.addressed(chat));
  TRY(const Jid peer, context_.names.preferred(named));
  EarlierMessage found;
  TRY(const auto received, context_.messages.received(to_string(peer), message_id));
  if (received) {
    const auto author = wire::parse_jid(received->sender);
    found.from_me = author && is_own_user(context_.line.identity(), *author);
    found.content = content_of(received->message);
    return std::optional(std::move(found));
  }
  TRY(const auto outline, context_.messages.sent_outline(message_id));
  const auto addressed = outline ? wire::parse_jid(outline->chat) : fail(Errc::not_found, "");
  if (!addressed) return std::optional<EarlierMessage>();
  TRY(const Jid to, context_.names.preferred(addressed->bare()));
  if (to != peer) return std::optional<EarlierMessage>();
  found.from_me = true;
  found.sent_at = outline->at;
  TRY(const auto sent, context_.messages.sent(message_id));
  if (sent) found.content = content_of(sent->message);
  return std::optional(std::move(found));
}

}  // namespace posthorn::chat
