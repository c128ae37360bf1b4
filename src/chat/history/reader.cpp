#include "chat/history/reader.h"

#include <algorithm>
#include <array>

#include "posthorn/base/utf8.h"

namespace posthorn::chat {
namespace {

using wire::Field;
using wire::FieldReader;
using Want = wire::FieldStream::Want;

constexpr std::size_t kMostWhole = 4096;
constexpr std::size_t kMostName = 200;
constexpr std::size_t kMostToken = 1024;
constexpr std::size_t kMostSalt = 256;
/// More messages without an answer are as many as these.
constexpr std::size_t kMostUnanswered = 255;

// Fields of HistorySync, Conversation and WebMessageInfo that are read.
constexpr std::uint32_t kConversations = 2;
constexpr std::uint32_t kPushNames = 7;
constexpr std::uint32_t kSettings = 8;
constexpr std::uint32_t kSameAccount = 15;
constexpr std::uint32_t kSalt = 19;
constexpr std::uint32_t kContacts = 20;
constexpr std::uint32_t kMessages = 2;
constexpr std::uint32_t kWebMessage = 1;

bool is_path(wire::FieldStream::Path path, std::initializer_list<std::uint32_t> wanted) {
  return std::equal(path.begin(), path.end(), wanted.begin(), wanted.end());
}

/// Seconds; the phone writes some of its times in milliseconds.
std::int64_t to_seconds(std::int64_t time) {
  constexpr std::int64_t kSurelyMs = 100'000'000'000;
  return time > kSurelyMs ? time / 1000 : std::max<std::int64_t>(time, 0);
}

std::string name_of(std::string_view text) { return cut_utf8(std::string(text), kMostName); }

std::string id_of(std::string_view text) {
  constexpr std::size_t kMostId = 80;
  return text.size() > kMostId ? std::string() : std::string(text);
}

/// The texts of fields 1, 2 … of a small message.
std::array<std::string, 6> texts_of(ByteView message) {
  std::array<std::string, 6> texts;
  FieldReader fields(message);
  for (Field field; fields.next(field);) {
    if (field.number < texts.size() && field.type == Field::Type::bytes)
      texts[field.number] = std::string(field.text());
  }
  return texts;
}

}  // namespace

HistoryReader::HistoryReader() : fields_(*this, kMostWhole) {}

Result<void> HistoryReader::add(ByteView compressed) {
  return inflater_.add(compressed, kMostInflated,
                       [this](ByteView piece) { return fields_.add(piece); });
}

Result<HistoryDigest> HistoryReader::finish() {
  if (!inflater_.ended()) return fail(Errc::malformed, "history: the data ends too early");
  TRY(fields_.finish());
  return std::move(out_);
}

Want HistoryReader::want(Path path, std::uint32_t number, std::uint64_t) {
  if (path.empty()) {
    if (number == kConversations) {
      chat_ = {};
      ours_.clear();
      return Want::open;
    }
    const bool read = number == kPushNames || number == kSettings || number == kSameAccount ||
                      number == kSalt || number == kContacts;
    return read ? Want::whole : Want::skip;
  }
  if (is_path(path, {kConversations})) return number == kMessages ? Want::open : Want::whole;
  if (is_path(path, {kConversations, kMessages})) {
    message_ = {};
    return number == kWebMessage ? Want::open : Want::skip;
  }
  // Of a message only its key: what it says is nobody's business here.
  return number == 1 ? Want::whole : Want::skip;
}

Result<void> HistoryReader::field(Path path, const Field& field) {
  if (path.empty()) {
    top_field(field);
  } else if (is_path(path, {kConversations})) {
    chat_field(field);
  } else if (is_path(path, {kConversations, kMessages, kWebMessage})) {
    message_field(field);
  }
  return {};
}

Result<void> HistoryReader::closed(Path path) {
  if (is_path(path, {kConversations, kMessages, kWebMessage})) end_message();
  if (is_path(path, {kConversations})) end_chat();
  return {};
}

bool HistoryReader::has_room(std::size_t more) {
  out_.bytes += more;
  if (out_.bytes <= kMostKept) return true;
  out_.bytes -= more;
  out_.cut = true;
  return false;
}

void HistoryReader::top_field(const Field& field) {
  const auto texts = texts_of(field.bytes);
  switch (field.number) {
    case kPushNames:
      if (texts[2] != "-" && has_room(200 + texts[2].size()))
        out_.names.push_back({id_of(texts[1]), name_of(texts[2]), "", false});
      return;
    case kSettings: {
      constexpr std::uint32_t kMigratedAt = 20;
      FieldReader fields(field.bytes);
      for (Field one; fields.next(one);) {
        if (one.number == kMigratedAt && one.value != 0) out_.lid_migrated = true;
      }
      return;
    }
    case kSameAccount:
      if (has_room(128)) out_.same.emplace_back(id_of(texts[1]), id_of(texts[2]));
      return;
    case kSalt:
      if (field.bytes.size() <= kMostSalt) out_.salt = to_bytes(field.bytes);
      return;
    case kContacts:
      if (!texts[1].empty() && !texts[2].empty() && has_room(128))
        out_.same.emplace_back(id_of(texts[1]), id_of(texts[2]));
      if (!texts[3].empty() && has_room(200 + texts[3].size()))
        out_.names.push_back({id_of(texts[1].empty() ? texts[2] : texts[1]), name_of(texts[3]),
                              name_of(texts[4]), true});
      return;
    default:
      return;
  }
}

void HistoryReader::chat_field(const Field& field) {
  auto& chat = chat_;
  switch (field.number) {
    case 1:
      chat.id = id_of(field.text());
      return;
    case 5:
    case 12:
      chat.settings.last_at = std::max(chat.settings.last_at, to_seconds(field.integer()));
      return;
    case 9:
      chat.timer = static_cast<std::int64_t>(static_cast<std::uint32_t>(field.value));
      return;
    case 10:
      chat.timer_set_at = to_seconds(field.integer());
      return;
    case 13:
      chat.settings.name = name_of(field.text());
      return;
    case 38:
      if (chat.settings.name.empty()) chat.settings.name = name_of(field.text());
      return;
    case 16:
      chat.settings.archived = field.flag();
      return;
    case 19:
      chat.settings.marked_unread = field.flag();
      return;
    case 24:
      chat.settings.pinned = field.flag();
      return;
    case 25:
      chat.settings.muted_until = field.integer() < 0 ? -1 : to_seconds(field.integer());
      return;
    case 21:
      if (field.bytes.size() <= kMostToken) chat.token = to_bytes(field.bytes);
      return;
    case 22:
      chat.token_at = to_seconds(field.integer());
      return;
    case 28:
      chat.token_issued_at = to_seconds(field.integer());
      return;
    case 31:
      chat.since = to_seconds(field.integer());
      return;
    case 39:
      chat.pn = id_of(field.text());
      return;
    case 42:
      chat.lid = id_of(field.text());
      return;
    default:
      return;
  }
}

void HistoryReader::message_field(const Field& field) {
  constexpr std::uint32_t kKey = 1, kTimestamp = 3, kStub = 24, kFromMe = 2;
  if (field.number == kTimestamp) message_.at = to_seconds(field.integer());
  if (field.number == kStub) message_.stub = field.flag();
  if (field.number != kKey) return;
  FieldReader key(field.bytes);
  for (Field one; key.next(one);) {
    if (one.number == kFromMe) message_.from_us = one.flag();
  }
}

void HistoryReader::end_message() {
  ++out_.messages;
  if (message_.at == 0) return;
  chat_.since = chat_.since == 0 ? message_.at : std::min(chat_.since, message_.at);
  if (message_.stub) return;
  chat_.settings.last_at = std::max(chat_.settings.last_at, message_.at);
  if (!message_.from_us) {
    chat_.heard_at = std::max(chat_.heard_at, message_.at);
    return;
  }
  chat_.written_at = std::max(chat_.written_at, message_.at);
  ours_.push_back(message_.at);
  if (ours_.size() <= 2 * kMostUnanswered) return;
  std::nth_element(ours_.begin(), ours_.begin() + kMostUnanswered, ours_.end(), std::greater<>());
  ours_.resize(kMostUnanswered);
}

void HistoryReader::end_chat() {
  const auto unanswered = std::count_if(ours_.begin(), ours_.end(),
                                        [this](std::int64_t at) { return at > chat_.heard_at; });
  chat_.unanswered = static_cast<std::uint32_t>(
      std::min<std::ptrdiff_t>(unanswered, static_cast<std::ptrdiff_t>(kMostUnanswered)));
  const std::size_t size = sizeof chat_ + chat_.settings.name.size() + chat_.token.size() + 96;
  if (!chat_.id.empty() && has_room(size)) out_.conversations.push_back(std::move(chat_));
  chat_ = {};
}

}  // namespace posthorn::chat
