#include "chat/people/profiles.h"

/// Questions about pictures and profiles and what comes back. Source: chapter 09 section 7.
namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr std::size_t kMaxText = 2048;

Jid server() { return {"", std::string(wire::kServerUser), 0}; }

std::string text_in(const Node& node, const char* tag) {
  const Node* child = node.child(tag);
  std::string text = child == nullptr ? std::string() : to_string(child->bytes());
  if (text.size() > kMaxText) text.clear();
  return text;
}

/// The detail of a refusal begins with its code.
bool refused_with(const Error& error, const char* code) {
  return error.code == Errc::refused && error.detail.starts_with(code);
}

}  // namespace

Node build_picture_query(const Jid& whose, const Bytes& token) {
  Node iq("iq", {{"to", server()},
                 {"type", "get"},
                 {"xmlns", "w:profile:picture"},
                 {"target", whose.bare()}});
  Node picture("picture", {{"type", "image"}, {"query", "url"}});
  if (!token.empty()) picture.content = std::vector<Node>{Node("tctoken", {}, token)};
  iq.content = std::vector<Node>{std::move(picture)};
  return iq;
}

Result<Picture> parse_picture(const Result<Node>& reply) {
  Picture picture;
  if (!reply) {
    picture.hidden = refused_with(reply.error(), "401");
    if (picture.hidden || refused_with(reply.error(), "404")) return picture;
    return fail(reply.error(), "picture");
  }
  const Node* found = reply->child("picture");
  if (found == nullptr) return picture;
  picture.url = found->text_attr("url");
  if (picture.url.size() > kMaxText || !picture.url.starts_with("https://")) picture.url.clear();
  return picture;
}

Node build_business_query(const Jid& whose) {
  Node iq("iq", {{"to", server()}, {"type", "get"}, {"xmlns", "w:biz"}});
  iq.content = std::vector<Node>{
      Node("business_profile", {{"v", "244"}}, {Node("profile", {{"jid", whose.bare()}})})};
  return iq;
}

std::optional<BusinessProfile> parse_business(const Node& reply) {
  const Node* outer = reply.child("business_profile");
  const Node* profile = outer == nullptr ? nullptr : outer->child("profile");
  if (profile == nullptr) return std::nullopt;
  BusinessProfile business;
  business.description = text_in(*profile, "description");
  business.email = text_in(*profile, "email");
  if (const Node* categories = profile->child("categories")) {
    business.category = text_in(*categories, "category");
  }
  return business;
}

}  // namespace posthorn::chat
