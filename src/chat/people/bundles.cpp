#include "chat/people/bundles.h"

#include <algorithm>

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr std::byte kKeyType{5};

Result<signal::PublicKey> parse_key(const Node* node, const char* what) {
  if (node == nullptr) return fail(Errc::malformed, std::string("bundle without ") + what);
  return signal::parse_public_key(node->bytes());
}

Result<std::uint32_t> parse_id(const Node& node, const char* what) {
  const Node* id_node = node.child("id");
  const auto id = id_node ? decode_be(id_node->bytes()) : std::nullopt;
  if (!id) return fail(Errc::malformed, std::string(what) + " without id");
  return *id;
}

Result<KeyBundle> parse_user(const Node& user) {
  if (const Node* error = user.child("error")) {
    return fail(Errc::refused, error->text_attr("code"));
  }
  return parse_bundle(user);
}

}  // namespace

Bytes encode_be(std::uint32_t value, std::size_t size) {
  Bytes out(size);
  for (std::size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<std::byte>(value & 0xffU);
  return out;
}

std::optional<std::uint32_t> decode_be(ByteView bytes) {
  if (bytes.empty() || bytes.size() > 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const std::byte b : bytes) value = value << 8 | std::to_integer<std::uint32_t>(b);
  return value;
}

Node build_bundle_query(std::span<const Jid> devices, FetchReason reason) {
  std::vector<Node> users;
  users.reserve(devices.size());
  for (const Jid& device : devices) {
    Node user("user", {{"jid", device}});
    if (reason == FetchReason::identity_changed) user.set_attr("reason", std::string("identity"));
    users.push_back(std::move(user));
  }
  Node iq(
      "iq",
      {{"to", Jid{"", std::string(wire::kServerUser), 0}}, {"type", "get"}, {"xmlns", "encrypt"}});
  iq.content = std::vector<Node>{Node("key", {}, std::move(users))};
  return iq;
}

Result<std::vector<FetchedBundle>> parse_bundles(const Node& iq) {
  const Node* list = iq.child("list");
  if (list == nullptr) return fail(Errc::malformed, "prekey answer without <list>");
  std::vector<FetchedBundle> fetched;
  for (const Node& user : list->children()) {
    if (user.tag != "user") continue;
    const auto jid = user.jid_attr("jid");
    if (!jid) continue;
    fetched.push_back({*jid, parse_user(user)});
  }
  return fetched;
}

Result<KeyBundle> parse_bundle(const Node& parent) {
  const Node* wrapper = parent.child("keys");
  const Node& keys = wrapper ? *wrapper : parent;
  KeyBundle bundle;
  if (const Node* type = keys.child("type")) {
    if (type->bytes().size() != 1 || type->bytes()[0] != kKeyType) {
      return fail(Errc::unsupported, "key type");
    }
  }
  // In a retry receipt the registration stands beside <keys>, in a fetched bundle with the keys.
  const Node* registration = keys.child("registration");
  if (registration == nullptr) registration = parent.child("registration");
  const auto id = registration ? decode_be(registration->bytes()) : std::nullopt;
  if (!id) return fail(Errc::malformed, "bundle without registration");
  bundle.keys.registration_id = *id;
  TRY(bundle.keys.identity, parse_key(keys.child("identity"), "identity"));
  const Node* skey = keys.child("skey");
  if (skey == nullptr) return fail(Errc::malformed, "bundle without skey");
  TRY(bundle.keys.signed_pre_key_id, parse_id(*skey, "skey"));
  TRY(bundle.keys.signed_pre_key, parse_key(skey->child("value"), "skey"));
  const Node* signature = skey->child("signature");
  if (signature == nullptr || signature->bytes().size() != bundle.keys.signature.size()) {
    return fail(Errc::malformed, "skey signature length");
  }
  std::copy_n(signature->bytes().begin(), bundle.keys.signature.size(),
              bundle.keys.signature.begin());
  if (const Node* key = keys.child("key")) {
    signal::Bundle::OneTime one_time;
    TRY(one_time.id, parse_id(*key, "key"));
    TRY(one_time.key, parse_key(key->child("value"), "key"));
    bundle.keys.one_time = one_time;
  }
  if (const Node* adv = keys.child("device-identity")) {
    bundle.device_identity = to_bytes(adv->bytes());
  }
  return bundle;
}

}  // namespace posthorn::chat
