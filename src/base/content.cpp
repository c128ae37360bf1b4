#include "posthorn/base/content.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/content_kinds.h"
#include "base/content_stored.h"

namespace posthorn {
namespace {

using stored::text_at;

// What each kind says to a reader, and how it is stored.

const std::string* readable(const content::Text& kind) { return &kind.body; }
int store(const content::Text& kind, json::Value& out) {
  out["text"] = kind.body;
  if (!kind.link_preview) out["preview"] = false;
  if (kind.large_preview) out["large_preview"] = true;
  if (kind.style) {
    out["style"]["background"] = kind.style->background;
    out["style"]["font"] = kind.style->font;
  }
  if (!kind.preview) return 1;
  json::Value& card = out["card"];
  card["title"] = kind.preview->title;
  card["description"] = kind.preview->description;
  card["url"] = kind.preview->url;
  if (!kind.preview->picture.empty()) card["picture"] = kind.preview->picture;
  if (!kind.preview->thumbnail.empty()) {
    card["thumbnail"] = base64_encode(kind.preview->thumbnail);
  }
  return 1;
}
Bytes bytes_at(const json::Value& in, const char* name) {
  return base64_decode(text_at(in, name)).value_or(Bytes{});
}

template <class Number>
Number number_at(const json::Value& in, const char* name) {
  const auto number = json::int_at(in, name).value_or(0);
  return std::in_range<Number>(number) ? static_cast<Number>(number) : Number{};
}

Content::What restore_text(const json::Value& in) {
  content::Text kind;
  kind.body = text_at(in, "text");
  kind.link_preview = json::bool_at(in, "preview").value_or(true);
  kind.large_preview = json::bool_at(in, "large_preview").value_or(false);
  if (const json::Value& style = json::at(in, "style"); style.isObject()) {
    kind.style = {number_at<std::uint32_t>(style, "background"),
                  number_at<std::int32_t>(style, "font")};
  }
  const json::Value& card = json::at(in, "card");
  if (!card.isObject()) return kind;
  kind.preview.emplace();
  kind.preview->title = text_at(card, "title");
  kind.preview->description = text_at(card, "description");
  kind.preview->url = text_at(card, "url");
  kind.preview->picture = text_at(card, "picture");
  kind.preview->thumbnail = bytes_at(card, "thumbnail");
  return kind;
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
  put("background", kind.background, kind.background != 0);
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
  kind.background = number_at<std::uint32_t>(file, "background");
  return kind;
}

using stored::readable;
using stored::store;

const std::string* readable(const content::Undecryptable&) { return nullptr; }
int store(const content::Undecryptable&, json::Value&) { return 0; }

const std::string* readable(const content::Other& kind) { return &kind.text; }
int store(const content::Other&, json::Value&) { return 0; }

struct Restore {
  int number;
  Content::What (*from)(const json::Value& in);
};
constexpr std::array kRestore{
    Restore{1, &restore_text},
    Restore{2, &restore_edit},
    Restore{3, &restore_deletion},
    Restore{4, &restore_reaction},
    Restore{5, &restore_file},
    Restore{stored::kLocation, &stored::restore_location},
    Restore{stored::kContacts, &stored::restore_contacts},
    Restore{stored::kPoll, &stored::restore_poll},
    Restore{stored::kGroupInvite, &stored::restore_group_invite},
    Restore{stored::kTimer, &stored::restore_timer},
};

}  // namespace

std::string readable_text(const Content& content) {
  const std::string* text =
      std::visit([](const auto& kind) { return readable(kind); }, content.what);
  return text == nullptr ? std::string() : *text;
}

void store_content(const Content& content, json::Value& out) {
  out["kind"] = std::visit([&](const auto& kind) { return store(kind, out); }, content.what);
  if (content.quote) out["quoted"] = content.quote->id;
  for (const std::string& chat : content.mentions) out["mentions"].append(chat);
  if (content.forwarded) out["forwarded"] = content.forwarding_score;
  if (!content.original.empty()) out["original"] = base64_encode(content.original);
}

bool is_kept(const Content& content) {
  json::Value none(::Json::objectValue);
  return std::visit([&](const auto& kind) { return store(kind, none); }, content.what) != 0;
}

Result<Content> restore_content(const json::Value& in) {
  const auto number = json::int_at(in, "kind");
  if (!number) return fail(Errc::malformed, "no kind");
  const auto* known = std::find_if(kRestore.begin(), kRestore.end(),
                                   [&](const Restore& one) { return one.number == *number; });
  if (known == kRestore.end()) {
    return fail(Errc::unsupported, "kind " + std::to_string(*number) + " is not known here");
  }
  Content content;
  content.what = known->from(in);
  if (auto quoted = text_at(in, "quoted"); !quoted.empty()) {
    content.quote.emplace().id = std::move(quoted);
  }
  for (const json::Value& chat : json::at(in, "mentions")) {
    content.mentions.push_back(json::text_of(chat).value_or(""));
  }
  if (const auto score = json::int_at(in, "forwarded")) {
    content.forwarded = true;
    content.forwarding_score = static_cast<int>(std::clamp<std::int64_t>(*score, 0, 127));
  }
  content.original = base64_decode(text_at(in, "original")).value_or(Bytes());
  return content;
}

bool Quote::operator==(const Quote& other) const {
  return id == other.id && participant == other.participant && text == other.text &&
         type_message == other.type_message && file == other.file && original == other.original;
}

}  // namespace posthorn
