#include "posthorn/base/content.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/content_stored.h"

namespace posthorn {
namespace {

std::string text_at(const json::Value& in, const char* name) {
  return json::string_at(in, name).value_or("");
}

// What each kind says to a reader, and how it is stored.

const std::string* readable(const content::Text& kind) { return &kind.body; }
int store(const content::Text& kind, json::Value& out) {
  out["text"] = kind.body;
  if (!kind.link_preview) out["preview"] = false;
  return 1;
}
Content::What restore_text(const json::Value& in) {
  return content::Text{text_at(in, "text"), json::bool_at(in, "preview").value_or(true),
                       std::nullopt};
}

const std::string* readable(const content::Edit& kind) { return &kind.text; }
int store(const content::Edit& kind, json::Value& out) {
  out["target"] = kind.target_id;
  out["text"] = kind.text;
  return 2;
}
Content::What restore_edit(const json::Value& in) {
  return content::Edit{text_at(in, "target"), text_at(in, "text")};
}

const std::string* readable(const content::Deletion&) { return nullptr; }
int store(const content::Deletion& kind, json::Value& out) {
  out["target"] = kind.target_id;
  return 3;
}
Content::What restore_deletion(const json::Value& in) {
  return content::Deletion{text_at(in, "target")};
}

const std::string* readable(const content::Reaction& kind) { return &kind.emoji; }
int store(const content::Reaction& kind, json::Value& out) {
  out["text"] = kind.emoji;
  return 4;
}
Content::What restore_reaction(const json::Value& in) {
  return content::Reaction{text_at(in, "text")};
}

Bytes bytes_at(const json::Value& in, const char* name) {
  return base64_decode(text_at(in, name)).value_or(Bytes{});
}

template <class Number>
Number number_at(const json::Value& in, const char* name) {
  const auto number = json::int_at(in, name).value_or(0);
  return std::in_range<Number>(number) ? static_cast<Number>(number) : Number{};
}

/// Members that say nothing are left out: a receipt in PDF has neither pixels nor seconds.
const std::string* readable(const content::File& kind) { return &kind.caption; }
int store(const content::File& kind, json::Value& out) {
  json::Value& file = out["file"];
  const auto put = [&file](const char* name, const json::Value& value, bool said) {
    if (said) file[name] = value;
  };
  file["kind"] = static_cast<int>(kind.kind);
  file["ref"] = kind.ref;
  put("mime", kind.mime, !kind.mime.empty());
  put("name", kind.name, !kind.name.empty());
  put("caption", kind.caption, !kind.caption.empty());
  put("size", json::Value::UInt64(kind.size), kind.size != 0);
  put("seconds", kind.seconds, kind.seconds != 0);
  put("width", kind.width, kind.width != 0);
  put("height", kind.height, kind.height != 0);
  put("animated", true, kind.animated);
  put("waveform", base64_encode(kind.waveform), !kind.waveform.empty());
  put("thumbnail", base64_encode(kind.thumbnail), !kind.thumbnail.empty());
  put("link", kind.link, !kind.link.empty());
  return 5;
}
Content::What restore_file(const json::Value& in) {
  const json::Value& file = json::at(in, "file");
  content::File kind;
  const auto stored = json::int_at(file, "kind").value_or(-1);
  const bool known = stored >= 0 && stored <= static_cast<int>(content::File::Kind::sticker);
  if (known) kind.kind = static_cast<content::File::Kind>(stored);
  kind.ref = text_at(file, "ref");
  kind.mime = text_at(file, "mime");
  kind.name = text_at(file, "name");
  kind.caption = text_at(file, "caption");
  kind.size = number_at<std::uint64_t>(file, "size");
  kind.seconds = number_at<std::uint32_t>(file, "seconds");
  kind.width = number_at<std::uint32_t>(file, "width");
  kind.height = number_at<std::uint32_t>(file, "height");
  kind.animated = json::bool_at(file, "animated").value_or(false);
  kind.waveform = bytes_at(file, "waveform");
  kind.thumbnail = bytes_at(file, "thumbnail");
  kind.link = text_at(file, "link");
  return kind;
}

const std::string* readable(const content::Undecryptable&) { return nullptr; }
int store(const content::Undecryptable&, json::Value&) { return 0; }

const std::string* readable(const content::Other& kind) { return &kind.text; }
int store(const content::Other&, json::Value&) { return 0; }

/// By the stored number, from 1 on.
constexpr std::array kRestore{&restore_text, &restore_edit, &restore_deletion, &restore_reaction,
                              &restore_file};

}  // namespace

std::string readable_text(const Content& content) {
  const std::string* text =
      std::visit([](const auto& kind) { return readable(kind); }, content.what);
  return text == nullptr ? std::string() : *text;
}

void store_content(const Content& content, json::Value& out) {
  out["kind"] = std::visit([&](const auto& kind) { return store(kind, out); }, content.what);
  if (content.quote) out["quoted"] = content.quote->id;
}

Result<Content> restore_content(const json::Value& in) {
  const auto number = json::int_at(in, "kind");
  if (!number) return fail(Errc::malformed, "no kind");
  if (*number < 1 || *number > static_cast<std::int64_t>(kRestore.size())) {
    return fail(Errc::unsupported, "kind " + std::to_string(*number) + " is not known here");
  }
  Content content;
  content.what = kRestore.at(static_cast<std::size_t>(*number - 1))(in);
  if (auto quoted = text_at(in, "quoted"); !quoted.empty()) {
    content.quote.emplace().id = std::move(quoted);
  }
  return content;
}

}  // namespace posthorn
