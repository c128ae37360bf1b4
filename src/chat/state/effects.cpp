#include "chat/state/effects.h"

#include <algorithm>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/json.h"
#include "posthorn/base/utf8.h"
#include "posthorn/wire/fields.h"

namespace posthorn::chat {
namespace {

using wire::Field;
using wire::FieldReader;
using wire::Jid;
using Chat = store::PeopleStore::Chat;

constexpr std::size_t kMaxIndex = 2048;
constexpr std::size_t kMaxName = 400;
constexpr std::size_t kMaxSalt = 256;
constexpr std::size_t kMaxLabelId = 64;

// Fields of SyncActionValue that have an effect here. Section 10.
constexpr std::uint32_t kContact = 3;
constexpr std::uint32_t kMute = 4;
constexpr std::uint32_t kPin = 5;
constexpr std::uint32_t kLabelEdit = 14;
constexpr std::uint32_t kLabelled = 15;
constexpr std::uint32_t kArchive = 17;
constexpr std::uint32_t kRead = 20;
constexpr std::uint32_t kPnForLid = 37;
constexpr std::uint32_t kLidContact = 61;
constexpr std::uint32_t kSalt = 80;

/// One field of a message: of SyncActionValue the action.
Field field_of(ByteView message, std::uint32_t number) {
  FieldReader fields(message);
  Field found;
  for (Field field; fields.next(field);) {
    if (field.number == number) found = field;
  }
  return found;
}

std::string name_of(std::string_view text) { return cut_utf8(std::string(text), kMaxName); }

std::optional<Jid> jid_of(std::string_view text) {
  auto jid = wire::parse_jid(std::string(text));
  if (!jid || jid->user.empty() || jid->user.size() > 64) return std::nullopt;
  return from_hosted(jid->bare());
}

}  // namespace

std::vector<std::string> parse_sync_index(std::string_view index) {
  std::vector<std::string> texts;
  if (index.size() > kMaxIndex) return texts;
  const auto array = json::parse(index);
  if (!array || !array->isArray()) return texts;
  for (const auto& text : *array) {
    const auto said = text.isString() ? json::text_of(text) : std::nullopt;
    if (!said) return {};
    texts.push_back(*said);
  }
  return texts;
}

std::string write_sync_index(const std::vector<std::string>& index) {
  json::Value array(::Json::arrayValue);
  for (const std::string& text : index) array.append(text);
  return json::write(array);
}

Result<void> Effects::apply(wire::SyncOperation operation, const wire::SyncEntry& entry) {
  const Index index = parse_sync_index(entry.index);
  if (index.empty()) return {};
  return operation == wire::SyncOperation::set ? set(index, entry.value) : remove(index);
}

Result<void> Effects::set(const Index& index, ByteView value) {
  const auto is = [&](std::string_view name, std::size_t size) {
    return index.front() == name && index.size() >= size;
  };
  if (is("contact", 2)) return set_contact(index, field_of(value, kContact).bytes);
  if (is("lid_contact", 2)) return set_contact(index, field_of(value, kLidContact).bytes);
  if (is("label_edit", 2) || is("label_jid", 3)) return set_label(index, value);
  if (is("archive", 2)) return set_chat(index, kArchive, field_of(value, kArchive).bytes);
  if (is("pin_v1", 2)) return set_chat(index, kPin, field_of(value, kPin).bytes);
  if (is("mute", 2)) return set_chat(index, kMute, field_of(value, kMute).bytes);
  if (is("markChatAsRead", 2)) return set_chat(index, kRead, field_of(value, kRead).bytes);
  if (is("deleteChat", 2)) return forget_chat(index[1]);
  if (is("nct_salt_sync", 1)) {
    const ByteView salt = field_of(field_of(value, kSalt).bytes, 1).bytes;
    return salt.size() > kMaxSalt ? Result<void>() : on_salt_(salt);
  }
  if (is("pnForLidChat", 2)) {
    const auto lid = jid_of(index[1]);
    const auto pn = jid_of(field_of(field_of(value, kPnForLid).bytes, 1).text());
    return lid && pn ? context_.names.learn(*pn, *lid) : Result<void>();
  }
  return {};
}

Result<void> Effects::remove(const Index& index) {
  if (index.front() == "nct_salt_sync") return on_salt_({});
  if (index.size() < 2) return {};
  if (index.front() == "label_edit") return people_.drop_label(index[1]);
  if (index.front() == "label_jid" && index.size() >= 3) {
    const auto chat = jid_of(index[2]);
    return chat ? people_.set_labelled(index[1], to_string(*chat), false) : Result<void>();
  }
  if (index.front() != "contact" && index.front() != "lid_contact") return {};
  const auto jid = jid_of(index[1]);
  if (!jid) return {};
  TRY(people_.drop_contact(to_string(*jid)));
  TRY(const auto other, context_.names.other(*jid));
  return other ? people_.drop_contact(to_string(*other)) : Result<void>();
}

Result<void> Effects::set_contact(const Index& index, ByteView action) {
  const auto jid = jid_of(index[1]);
  if (!jid || !jid->is_person()) return {};
  store::PeopleStore::Contact contact;
  std::optional<Jid> other;
  FieldReader fields(action);
  for (Field field; fields.next(field);) {
    if (field.number == 1) contact.full_name = name_of(field.text());
    if (field.number == 2) contact.first_name = name_of(field.text());
    if (index.front() == "contact" && (field.number == 3 || field.number == 5))
      other = jid_of(field.text());
  }
  if (other) {
    TRY(context_.names.learn(*jid, *other));
  }
  TRY(const Jid named, context_.names.preferred(*jid));
  return people_.save_contact(to_string(named), contact);
}

Result<void> Effects::set_label(const Index& index, ByteView value) {
  if (index[1].size() > kMaxLabelId) return {};
  if (index.front() == "label_edit") {
    const ByteView action = field_of(value, kLabelEdit).bytes;
    if (field_of(action, 4).flag()) return people_.drop_label(index[1]);
    return people_.save_label(index[1], name_of(field_of(action, 1).text()));
  }
  const auto chat = jid_of(index[2]);
  if (!chat) return {};
  TRY(const Jid named, context_.names.preferred(*chat));
  return people_.set_labelled(index[1], to_string(named),
                              field_of(field_of(value, kLabelled).bytes, 1).flag());
}

Result<void> Effects::set_chat(const Index& index, std::uint32_t kind, ByteView action) {
  const bool on = field_of(action, 1).flag();
  if (kind == kRead && on) {
    if (const auto chat = jid_of(index[1])) {
      const ByteView range = field_of(action, 2).bytes;
      TRY(mark_read(*chat, field_of(range, 1).integer()));
    }
  }
  return change(index[1], [&](Chat& chat) {
    if (kind == kArchive) chat.archived = on;
    if (kind == kPin) chat.pinned = on;
    if (kind == kRead) chat.marked_unread = !on;
    if (kind != kMute) return;
    const std::int64_t until_ms = field_of(action, 2).integer();
    chat.muted_until = !on ? 0 : until_ms <= 0 ? -1 : until_ms / 1000;
  });
}

/// Unix seconds; 0: none is known.
Result<std::int64_t> Effects::newest_of(const Jid& chat) {
  TRY(const auto other, context_.names.other(chat));
  std::int64_t newest = 0;
  for (const Jid& name : {chat, other.value_or(chat)}) {
    TRY(const std::int64_t last_at, people_.last_at(to_string(name)));
    newest = std::max(newest, last_at);
  }
  return newest;
}

/// Read on the phone: it needs no read receipt of ours any more. Unread messages are kept without
/// their time, so a newer one in the chat leaves all of them unread: nobody notices a second
/// receipt, but a customer waits for one that never comes.
Result<void> Effects::mark_read(const Jid& chat, std::int64_t until) {
  TRY(const std::int64_t newest, newest_of(chat));
  if (until != 0 && newest > until) return {};
  TRY(const Jid named, context_.names.preferred(chat));
  TRY(const auto rows, context_.messages.unread(to_string(named)));
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(row.id);
  return ids.empty() ? Result<void>() : context_.messages.mark_read(to_string(named), ids);
}

Result<void> Effects::change(const std::string& chat, const std::function<void(Chat&)>& change) {
  const auto jid = jid_of(chat);
  if (!jid) return {};
  TRY(const Jid named, context_.names.preferred(*jid));
  TRY(auto row, people_.chat(to_string(named)));
  if (!row && named != *jid) {
    TRY(row, people_.chat(to_string(*jid)));
    TRY(people_.drop_chat(to_string(*jid)));
  }
  Chat changed = row.value_or(Chat{});
  change(changed);
  return people_.save_chat(to_string(named), changed);
}

Result<void> Effects::forget_chat(const std::string& chat) {
  const auto jid = jid_of(chat);
  if (!jid) return {};
  TRY(people_.drop_chat(to_string(*jid)));
  TRY(const auto other, context_.names.other(*jid));
  return other ? people_.drop_chat(to_string(*other)) : Result<void>();
}

}  // namespace posthorn::chat
