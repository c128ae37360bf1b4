#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/wire/jid.h"

namespace posthorn::wire {

/// One attribute. JID-typed values are kept apart from text, because they have their own form on
/// the wire (chapter 02).
struct Attr {
  std::string key;
  std::variant<std::string, Jid> value;

  Attr(std::string k, std::string v) : key(std::move(k)), value(std::move(v)) {}
  Attr(std::string k, std::string_view v) : key(std::move(k)), value(std::string(v)) {}
  Attr(std::string k, const char* v) : key(std::move(k)), value(std::string(v)) {}
  Attr(std::string k, Jid v) : key(std::move(k)), value(std::move(v)) {}
  bool operator==(const Attr&) const = default;
};

/// One binary XML element: a tag, attributes in order, and either bytes, children or nothing.
/// Source: protocol chapter 02.
struct Node {
  std::string tag;
  std::vector<Attr> attrs;
  std::variant<std::monostate, Bytes, std::vector<Node>> content;

  Node() = default;
  explicit Node(std::string t, std::vector<Attr> a = {}) : tag(std::move(t)), attrs(std::move(a)) {}
  Node(std::string t, std::vector<Attr> a, std::vector<Node> children)
      : tag(std::move(t)), attrs(std::move(a)), content(std::move(children)) {}
  Node(std::string t, std::vector<Attr> a, Bytes bytes)
      : tag(std::move(t)), attrs(std::move(a)), content(std::move(bytes)) {}

  /// The attribute as text (a JID is written out); nullopt when absent.
  [[nodiscard]] std::optional<std::string> attr(std::string_view key) const;
  /// The attribute as text, or the empty string.
  [[nodiscard]] std::string text_attr(std::string_view key) const;
  /// The attribute as a JID, also when it came as text; nullopt when absent or not one.
  [[nodiscard]] std::optional<Jid> jid_attr(std::string_view key) const;
  /// The attribute as a decimal number; nullopt when absent or not one.
  [[nodiscard]] std::optional<std::int64_t> int_attr(std::string_view key) const;
  [[nodiscard]] bool has_attr(std::string_view key) const;
  /// Replaces or adds.
  void set_attr(std::string_view key, std::variant<std::string, Jid> value);
  void remove_attr(std::string_view key);

  /// Children, or none when the content is bytes or nothing.
  [[nodiscard]] const std::vector<Node>& children() const;
  [[nodiscard]] std::vector<Node>& mutable_children();
  /// The first child with that tag, or nullptr.
  [[nodiscard]] const Node* child(std::string_view tag) const;
  /// The content bytes, or an empty view.
  [[nodiscard]] ByteView bytes() const;

  bool operator==(const Node&) const = default;
};

/// <iq id="7" type="get"><ping/></iq>, bytes in hex, for logs and tests; long bytes are cut.
[[nodiscard]] std::string to_xml(const Node& node);

}  // namespace posthorn::wire
