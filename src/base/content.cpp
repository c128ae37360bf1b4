#include "posthorn/base/content.h"

#include <algorithm>
#include <array>

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

const std::string* readable(const content::Undecryptable&) { return nullptr; }
int store(const content::Undecryptable&, json::Value&) { return 0; }

const std::string* readable(const content::Other& kind) { return &kind.text; }
int store(const content::Other&, json::Value&) { return 0; }

/// By the stored number, from 1 on.
constexpr std::array kRestore{&restore_text, &restore_edit, &restore_deletion, &restore_reaction};

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
