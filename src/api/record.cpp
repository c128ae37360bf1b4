#include "api/record.h"

#include <algorithm>
#include <utility>

#include "api/utf8.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kLeastText = 64;  ///< bytes; shorter ones are ids and names
constexpr const char* kThumbnail = "jpegThumbnail";

std::string write_clean(const json::Value& value) {
  std::string text = json::write(value);
  return find_bad_utf8(text) ? clean_utf8(text) : text;
}

/// Every text and every list of `value`, however deep; json::parse bounds the depth of what came in
/// and we build no deeper.
template <class Visit>
void for_each(json::Value& value, const Visit& visit) {
  visit(value);
  if (value.isObject()) {
    for (const std::string& name : value.getMemberNames()) for_each(value[name], visit);
  } else if (value.isArray()) {
    for (json::Value& item : value) for_each(item, visit);
  }
}

void drop_thumbnails(json::Value& root) {
  for_each(root, [](json::Value& value) {
    if (value.isObject() && value.isMember(kThumbnail)) value[kThumbnail] = "";
  });
}

/// The largest value that `wanted` takes, by what it takes in the record. nullptr: none does.
template <class Wanted>
json::Value* largest(json::Value& root, const Wanted& wanted) {
  json::Value* found = nullptr;
  std::size_t most = 0;
  for_each(root, [&](json::Value& value) {
    if (!wanted(value)) return;
    const std::size_t size = write_clean(value).size();
    if (size <= most) return;
    most = size;
    found = &value;
  });
  return found;
}

/// What a byte of a text takes in the record.
std::size_t written_size(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '\b':
    case '\f':
    case '\n':
    case '\r':
    case '\t':
      return 2;
    default:
      return static_cast<unsigned char>(c) < 0x20 ? 6 : 1;
  }
}

/// Takes at least `excess` bytes out of the record, as far as the text goes; keeps its beginning.
void cut_text(json::Value& text, std::size_t excess) {
  std::string kept = clean_utf8(json::text_of(text).value_or(""));
  if (kept.ends_with(kCutMark)) kept.resize(kept.size() - kCutMark.size());
  const std::size_t gone = excess + kCutMark.size();
  std::size_t length = kept.size();
  for (std::size_t taken = 0; taken < gone && length > kLeastText / 2;) {
    taken += written_size(kept[--length]);
  }
  while (length > 0 && (static_cast<unsigned char>(kept[length]) & 0xC0U) == 0x80U) --length;
  kept.resize(length);
  text = kept + std::string(kCutMark);
}

bool is_long_text(const json::Value& value) {
  return value.isString() &&
         json::text_of(value).value_or("").size() > kLeastText + kCutMark.size();
}

bool is_list(const json::Value& value) { return value.isArray() && value.size() > 1; }

}  // namespace

std::string to_record(const json::Value& notification, std::size_t limit_bytes) {
  std::string text = write_clean(notification);
  if (text.size() <= limit_bytes) return text;
  json::Value smaller = notification;
  drop_thumbnails(smaller);
  while ((text = write_clean(smaller)).size() > limit_bytes) {
    if (json::Value* longest = largest(smaller, is_long_text)) {
      cut_text(*longest, text.size() - limit_bytes);
    } else if (json::Value* list = largest(smaller, is_list)) {
      list->resize(list->size() / 2);
    } else {
      break;
    }
  }
  return text;
}

}  // namespace posthorn::api
