#include "api/journal_form.h"

#include <array>

#include "api/notification/kinds.h"
#include "api/record.h"
#include "api/status_style.h"
#include "api/utf8.h"
#include "posthorn/api/notification.h"

namespace posthorn::api {

namespace {

using journal::Direction;
using journal::Entry;
using journal::Status;

/// In the order of journal::Status.
constexpr std::array<std::string_view, 9> kStatusNames{
    "", "pending", "sent", "delivered", "read", "failed", "noAccount", "notInGroup", "yellowCard"};
/// In the order of chat::Call::Status. A call that nobody took is one that ended.
constexpr std::array<const char*, 5> kCallNames{"offer", "pickUp", "hungUp", "hungUp", "declined"};

json::Value file_form(const content::File& file) {
  json::Value out(::Json::objectValue);
  out["ref"] = file.ref;
  out["name"] = shown_text(file.name);
  out["mime"] = shown_text(file.mime);
  return out;
}

std::string write_kept(json::Value data, const Content* content) {
  json::Value out(::Json::objectValue);
  const auto* file = content == nullptr ? nullptr : std::get_if<content::File>(&content->what);
  if (file != nullptr && !file->ref.empty()) out["file"] = file_form(*file);
  for (const char* member : {"sender", "name"}) {
    if (data.isMember(member)) {
      out[member] = data[member];
      data.removeMember(member);
    }
  }
  out["data"] = std::move(data);
  return to_record(out, journal::Journal::kBodyMost);
}

/// Of a text status how it looks, and who sees it.
void add_style(const std::string& chat, const Content& content,
               const std::vector<std::string>& audience, json::Value& data) {
  const auto* text = std::get_if<content::Text>(&content.what);
  if (chat != kStoryChat || text == nullptr || !text->style) return;
  if (data.isMember("extendedTextMessageData")) show_style(*text->style, audience, data);
}

/// textMessage where the text is, and what it is called in an item.
void show_text(const json::Value& data, json::Value& out) {
  const json::Value& plain = json::at(data, "textMessageData");
  const json::Value& extended = json::at(data, "extendedTextMessageData");
  if (plain.isObject()) {
    out["textMessage"] = json::string_at(plain, "textMessage").value_or("");
    if (plain.isMember("isTemplateMessage")) out["isTemplateMessage"] = plain["isTemplateMessage"];
    return;
  }
  out["textMessage"] = json::string_at(extended, "text").value_or("");
  out["extendedTextMessage"] = extended;
}

void show_file_of(const json::Value& kept, const json::Value& data, const FileLinks* links,
                  const std::string& host, json::Value& out) {
  const json::Value& file = json::at(data, "fileMessageData");
  for (const char* member :
       {"downloadUrl", "caption", "fileName", "jpegThumbnail", "mimeType", "isAnimated"}) {
    out[member] = json::at(file, member);
  }
  const json::Value& place = json::at(kept, "file");
  const auto ref = json::string_at(place, "ref");
  if (links == nullptr || !ref) return;
  content::File named;
  named.ref = *ref;
  named.name = json::string_at(place, "name").value_or("");
  named.mime = json::string_at(place, "mime").value_or("");
  out["downloadUrl"] = links->link_to(named, host);
}

/// What an edit or a deletion points at, or the data of its kind.
void show_rest(const json::Value& data, json::Value& out) {
  const std::string type = json::string_at(data, "typeMessage").value_or("");
  if (type == "editedMessage") {
    const json::Value& edit = json::at(data, "editedMessageData");
    out["textMessage"] = edited_text(edit).value_or("");
    out["editedMessageId"] = json::string_at(edit, "stanzaId").value_or("");
    return;
  }
  if (type == "deletedMessage") {
    const json::Value& deletion = json::at(data, "deletedMessageData");
    out["deletedMessageId"] = json::string_at(deletion, "stanzaId").value_or("");
    return;
  }
  show_data(data, out);
}

void show_content(const json::Value& kept, const FileLinks* links, const std::string& host,
                  json::Value& out) {
  const json::Value& data = json::at(kept, "data");
  if (!data.isObject()) return;
  const std::string type = json::string_at(data, "typeMessage").value_or("");
  if (json::at(data, "fileMessageData").isObject()) {
    show_file_of(kept, data, links, host, out);
  } else if (type == "textMessage" || type == "extendedTextMessage" || type == "quotedMessage") {
    show_text(data, out);
  } else {
    show_rest(data, out);
  }
  if (data.isMember("quotedMessage")) out["quotedMessage"] = data["quotedMessage"];
  for (const std::string& name : data.getMemberNames()) {
    const json::Value& part = data[name];
    if (!part.isObject() || !part.isMember("isForwarded")) continue;
    out["isForwarded"] = part["isForwarded"];
    out["forwardingScore"] = json::at(part, "forwardingScore");
  }
}

/// Where the reader looks for the text of that kind.
void show_edited(const std::string& text, json::Value& out) {
  if (out.isMember("caption")) {
    out["caption"] = text;
    return;
  }
  out["textMessage"] = text;
  if (out.isMember("extendedTextMessage")) out["extendedTextMessage"]["text"] = text;
}

}  // namespace

std::string shown(const std::string& text) { return find_bad_utf8(text) ? clean_utf8(text) : text; }

std::optional<std::string> edited_text(const json::Value& edit) {
  auto text = json::string_at(edit, "textMessage");
  return text ? text : json::string_at(edit, "caption");
}

std::string_view status_name(Status status) {
  return kStatusNames.at(static_cast<std::size_t>(status));
}

std::optional<std::string> kept_form(const chat::Message& message) {
  auto data = build_message_data(message.content);
  if (!data) return std::nullopt;
  add_style(message.chat, message.content, {}, *data);
  if (!message.from_me) {
    (*data)["sender"] = shown_text(message.sender);
    (*data)["name"] = shown_text(message.sender_name);
  }
  return write_kept(std::move(*data), &message.content);
}

std::optional<std::string> kept_form(const Job& job) {
  auto data = build_job_data(job);
  if (!data) return std::nullopt;
  add_style(job.chat, job.content, job.audience, *data);
  return write_kept(std::move(*data), &job.content);
}

std::string kept_form(const chat::Call& call) {
  json::Value out(::Json::objectValue);
  out["video"] = call.video;
  out["status"] = kCallNames.at(static_cast<std::size_t>(call.status));
  return json::write(out);
}

std::string kept_form(const json::Value& sender, const json::Value& data) {
  json::Value all = data.isObject() ? data : json::Value(::Json::objectValue);
  all["sender"] = json::string_at(sender, "sender").value_or("");
  all["name"] = json::string_at(sender, "senderName").value_or("");
  return write_kept(std::move(all), nullptr);
}

std::string deleted_form(const std::string& kept) {
  const auto before = json::parse(kept);
  json::Value out(::Json::objectValue);
  if (!before) return json::write(out);
  for (const char* member : {"sender", "name"}) {
    if (const auto text = json::string_at(*before, member)) out[member] = *text;
  }
  out["data"]["typeMessage"] =
      json::string_at(json::at(*before, "data"), "typeMessage").value_or("");
  return json::write(out);
}

std::string kept_sender(const std::string& kept) {
  const auto read = json::parse(kept);
  return read ? json::string_at(*read, "sender").value_or("") : "";
}

json::Value journal_item(const Entry& entry, const std::string& chat, const FileLinks* links,
                         const std::string& host) {
  const auto parsed = json::parse(entry.body);
  const json::Value kept = parsed ? *parsed : json::Value(::Json::objectValue);
  const bool incoming = entry.direction == Direction::incoming;
  json::Value out(::Json::objectValue);
  out["type"] = incoming ? "incoming" : "outgoing";
  out["idMessage"] = shown_text(entry.id);
  out["timestamp"] = static_cast<::Json::Int64>(entry.at.unix_seconds());
  out["typeMessage"] = json::string_at(json::at(kept, "data"), "typeMessage").value_or("");
  out["chatId"] = chat;
  if (incoming) {
    out["senderId"] = json::string_at(kept, "sender").value_or("");
    out["senderName"] = json::string_at(kept, "name").value_or("");
    out["senderContactName"] = "";
  } else {
    out["statusMessage"] = std::string(status_name(entry.status));
    out["sendByApi"] = entry.by_api;
  }
  out["isEdited"] = entry.edited.has_value();
  out["isDeleted"] = entry.deleted;
  out["editedMessageId"] = "";
  out["deletedMessageId"] = "";
  if (!entry.external_id.empty()) out["externalId"] = entry.external_id;
  if (!entry.deleted) show_content(kept, links, host, out);
  if (entry.edited) show_edited(*entry.edited, out);
  return out;
}

json::Value call_item(const Entry& entry, const std::string& chat) {
  const auto parsed = json::parse(entry.body);
  const json::Value kept = parsed ? *parsed : json::Value(::Json::objectValue);
  const bool incoming = entry.direction == Direction::incoming;
  json::Value out(::Json::objectValue);
  out["type"] = incoming ? "incoming" : "outgoing";
  out["idMessage"] = shown_text(entry.id);
  out["timestamp"] = static_cast<::Json::Int64>(entry.at.unix_seconds());
  out["typeMessage"] = incoming ? "incomingCall" : "outgoingCall";
  out["chatId"] = chat;
  out["isVideo"] = json::bool_at(kept, "video").value_or(false);
  out["status"] = json::string_at(kept, "status").value_or("");
  out["isGroup"] = chat.ends_with("@g.us");
  return out;
}

}  // namespace posthorn::api
