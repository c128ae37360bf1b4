#include "posthorn/wire/node.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace posthorn::wire {

namespace {

/// Bytes beyond this many are cut in to_xml.
constexpr std::size_t kShownBytes = 8;
/// Tags whose bytes never reach a log, not even cut.
constexpr std::array<std::string_view, 3> kSecretTags = {"enc", "device-identity", "routing_info"};
constexpr std::string_view kSecretPrefix = "link_code_";

const Attr* find_attr(const Node& node, std::string_view key) {
  for (const Attr& attr : node.attrs) {
    if (attr.key == key) return &attr;
  }
  return nullptr;
}

std::string text_of(const std::variant<std::string, Jid>& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return to_string(std::get<Jid>(value));
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          const std::byte b{static_cast<unsigned char>(c)};
          out += "\\x" + hex_encode(ByteView(&b, 1));
        } else {
          out += c;
        }
    }
  }
}

void append_bytes(std::string& out, std::string_view tag, ByteView bytes) {
  const bool secret = std::find(kSecretTags.begin(), kSecretTags.end(), tag) != kSecretTags.end() ||
                      tag.starts_with(kSecretPrefix);
  if (!secret) out += hex_encode(bytes.first(std::min(bytes.size(), kShownBytes)));
  if (secret || bytes.size() > kShownBytes) {
    out += secret ? "(" : "… (";
    out += std::to_string(bytes.size()) + " bytes)";
  }
}

void append_xml(std::string& out, const Node& node) {
  out += '<';
  append_escaped(out, node.tag);
  for (const Attr& attr : node.attrs) {
    out += ' ';
    append_escaped(out, attr.key);
    out += "=\"";
    append_escaped(out, text_of(attr.value));
    out += '"';
  }
  if (std::holds_alternative<std::monostate>(node.content)) {
    out += "/>";
    return;
  }
  out += '>';
  if (const auto* bytes = std::get_if<Bytes>(&node.content)) append_bytes(out, node.tag, *bytes);
  for (const Node& child : node.children()) append_xml(out, child);
  out += "</";
  append_escaped(out, node.tag);
  out += '>';
}

}  // namespace

std::optional<std::string> Node::attr(std::string_view key) const {
  const Attr* found = find_attr(*this, key);
  if (found == nullptr) return std::nullopt;
  return text_of(found->value);
}

std::string Node::text_attr(std::string_view key) const {
  const Attr* found = find_attr(*this, key);
  return found == nullptr ? std::string() : text_of(found->value);
}

std::optional<Jid> Node::jid_attr(std::string_view key) const {
  const Attr* found = find_attr(*this, key);
  if (found == nullptr) return std::nullopt;
  if (const auto* jid = std::get_if<Jid>(&found->value)) return *jid;
  Result<Jid> parsed = parse_jid(std::get<std::string>(found->value));
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

std::optional<std::int64_t> Node::int_attr(std::string_view key) const {
  const Attr* found = find_attr(*this, key);
  const auto* text = found == nullptr ? nullptr : std::get_if<std::string>(&found->value);
  if (text == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const char* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, number);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

bool Node::has_attr(std::string_view key) const { return find_attr(*this, key) != nullptr; }

void Node::set_attr(std::string_view key, std::variant<std::string, Jid> value) {
  for (Attr& attr : attrs) {
    if (attr.key != key) continue;
    attr.value = std::move(value);
    return;
  }
  attrs.emplace_back(std::string(key), std::string());
  attrs.back().value = std::move(value);
}

void Node::remove_attr(std::string_view key) {
  std::erase_if(attrs, [key](const Attr& attr) { return attr.key == key; });
}

const std::vector<Node>& Node::children() const {
  static const std::vector<Node> kNone;
  const auto* list = std::get_if<std::vector<Node>>(&content);
  return list == nullptr ? kNone : *list;
}

std::vector<Node>& Node::mutable_children() {
  if (!std::holds_alternative<std::vector<Node>>(content)) content = std::vector<Node>();
  return std::get<std::vector<Node>>(content);
}

const Node* Node::child(std::string_view wanted) const {
  for (const Node& node : children()) {
    if (node.tag == wanted) return &node;
  }
  return nullptr;
}

ByteView Node::bytes() const {
  const auto* bytes = std::get_if<Bytes>(&content);
  return bytes == nullptr ? ByteView() : ByteView(*bytes);
}

std::string to_xml(const Node& node) {
  std::string out;
  append_xml(out, node);
  return out;
}

}  // namespace posthorn::wire
