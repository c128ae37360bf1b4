#include "chat/files/carrier.h"

#include <utility>

#include "chat/content/parse.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"

namespace posthorn::chat {

bool FileCarrier::is_uploaded(const content::File& file) {
  const auto place = uploads_.find(file);
  return place && *place;
}

void FileCarrier::upload(const content::File& file, Wall until, Once<void(Result<void>)> done) {
  uploads_.get(file, until, [done = std::move(done)](Result<content::MediaPlace> place) mutable {
    if (!place) return done(tl::unexpected(std::move(place.error())));
    done({});
  });
}

void FileCarrier::find_preview(const content::Text& text, Once<void()> done) {
  previews_.get(text, [done = std::move(done)](const content::Text&) mutable { done(); });
}

Result<std::optional<content::File>> FileCarrier::received(const std::string& ref) {
  TRY(auto messages, context_.media.received(ref));
  if (messages.empty()) return std::optional<content::File>();
  return std::optional(std::move(messages.front().file));
}

Result<std::optional<content::File>> FileCarrier::in_message(const std::string& chat,
                                                             const std::string& message_id) {
  TRY(const wire::Jid named, parse_chat_id(chat));
  TRY(const wire::Jid peer, context_.context.names.preferred(named));
  TRY(const auto received, context_.context.messages.received(to_string(peer), message_id));
  Bytes bytes;
  if (received) {
    bytes = received->message;
  } else {
    TRY(const auto sent, context_.context.messages.sent(message_id));
    if (sent && (sent->chat == to_string(peer) || sent->posted == chat)) bytes = sent->message;
  }
  wa::Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::optional<content::File>();
  }
  const auto opened = open_wrappers(message);
  if (!opened) return std::optional<content::File>();
  Parsed parsed = parse_content(*opened->message);
  if (!parsed.content) return std::optional<content::File>();
  auto* file = std::get_if<content::File>(&parsed.content->what);
  return file == nullptr ? std::optional<content::File>() : std::optional(std::move(*file));
}

void FileCarrier::fetch(const std::string& ref, Once<void(Result<files::File>)> done) {
  downloads_.get(ref, std::move(done));
}

void FileCarrier::on_logged_out() {
  downloads_.forget();
  uploads_.forget();
}

}  // namespace posthorn::chat
