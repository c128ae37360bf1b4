#include "simulator/node_json.h"

#include <algorithm>
#include <array>

namespace posthorn::simulator {

namespace {

using wire::Node;

constexpr int kMaxDepth = 32;

bool printable(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) {
    const auto c = std::to_integer<unsigned>(b);
    return c >= 0x20 && c < 0x7F;
  });
}

std::variant<std::string, wire::Jid> attribute(const std::string& text) {
  static constexpr std::array kServers{wire::kServerUser, wire::kServerLid, wire::kServerGroup,
                                       wire::kServerBroadcast, wire::kServerNewsletter};
  const auto jid = wire::parse_jid(text);
  if (!jid || std::ranges::find(kServers, jid->server) == kServers.end()) return text;
  if (jid->user.empty() && jid->server != wire::kServerUser) return text;
  return *jid;
}

Result<Node> read_node(const json::Value& value, int depth) {
  if (depth > kMaxDepth) return fail(Errc::malformed, "nodes nested too deeply");
  if (!value.isArray() || value.empty() || value.size() > 3 || !value[0].isString()) {
    return fail(Errc::malformed, "a node is [tag, {attributes}, content]");
  }
  Node node(*json::text_of(value[0]));
  if (value.size() > 1) {
    if (!value[1].isObject()) return fail(Errc::malformed, "attributes are an object");
    for (const auto& key : value[1].getMemberNames()) {
      const auto text = json::text_of(json::at(value[1], key.c_str()));
      if (!text) return fail(Errc::malformed, "attribute " + key + " is not a text");
      node.attrs.emplace_back(key, std::string());
      node.attrs.back().value = attribute(*text);
    }
  }
  if (value.size() < 3 || value[2].isNull()) return node;
  const json::Value& content = value[2];
  if (const auto text = json::text_of(content)) {
    node.content = to_bytes(*text);
  } else if (content.isObject()) {
    const auto bytes = base64_decode(json::string_at(content, "base64").value_or("!"));
    if (!bytes) return fail(Errc::malformed, "content: base64");
    node.content = *bytes;
  } else if (content.isArray()) {
    std::vector<Node> children;
    for (const auto& child : content) {
      TRY(Node one, read_node(child, depth + 1));
      children.push_back(std::move(one));
    }
    node.content = std::move(children);
  }
  return node;
}

}  // namespace

json::Value node_to_json(const Node& node) {
  json::Value out(Json::arrayValue);
  out.append(node.tag);
  json::Value attrs(Json::objectValue);
  for (const auto& attr : node.attrs) attrs[attr.key] = node.text_attr(attr.key);
  out.append(attrs);
  if (const auto* bytes = std::get_if<Bytes>(&node.content)) {
    json::Value content;
    content["base64"] = base64_encode(*bytes);
    if (printable(*bytes)) content["text"] = to_string(ByteView(*bytes));
    out.append(content);
  } else if (!node.children().empty()) {
    json::Value children(Json::arrayValue);
    for (const Node& child : node.children()) children.append(node_to_json(child));
    out.append(children);
  }
  return out;
}

Result<Node> node_from_json(const json::Value& value) { return read_node(value, 0); }

}  // namespace posthorn::simulator
