#include <algorithm>

#include "posthorn/wire/names.h"
#include "simulator/queries.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

/// The key service: what devices upload, and what others fetch. Chapters 05 section 2, 13 B6.
namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr std::size_t kLowStock = 10;

Result<signal::Bundle::OneTime> parse_key(const Node& node) {
  const Node* id = node.child(names::kId);
  const Node* value = node.child(names::kValue);
  if (id == nullptr || value == nullptr) return fail(Errc::malformed, "key without id or value");
  const auto number = read_big_endian(id->bytes(), 3);
  if (!number || *number == 0) return fail(Errc::malformed, "key id");
  if (value->bytes().size() != 32) return fail(Errc::malformed, "key value");
  TRY(auto key, signal::parse_public_key(value->bytes()));
  return signal::Bundle::OneTime{*number, key};
}

Result<ServerKeys::Signed> parse_signed_key(const Node& skey, const signal::PublicKey& identity) {
  TRY(auto key, parse_key(skey));
  const Node* signature = skey.child(names::kSignature);
  if (signature == nullptr || signature->bytes().size() != 64 ||
      !signal::verify(identity, signal::with_type_byte(key.key), signature->bytes())) {
    return fail(Errc::crypto, "signature of the signed prekey");
  }
  return ServerKeys::Signed{key.id, key.key, to_bytes(signature->bytes())};
}

Result<ServerKeys> parse_upload(const Node& iq) {
  ServerKeys keys;
  const Node* registration = iq.child(names::kRegistration);
  const Node* type = iq.child(names::kType);
  const Node* identity = iq.child(names::kIdentity);
  const Node* skey = iq.child(names::kSkey);
  const Node* list = iq.child(names::kList);
  if (registration == nullptr || type == nullptr || identity == nullptr || skey == nullptr ||
      list == nullptr) {
    return fail(Errc::malformed, "a child is missing");
  }
  const auto number = read_big_endian(registration->bytes(), 4);
  if (!number || type->bytes().size() != 1 || type->bytes()[0] != std::byte{5} ||
      identity->bytes().size() != 32) {
    return fail(Errc::malformed, "registration, type or identity");
  }
  keys.registration_id = *number;
  TRY(keys.identity, signal::parse_public_key(identity->bytes()));
  TRY(keys.signed_pre_key, parse_signed_key(*skey, keys.identity));
  for (const Node& node : list->children()) {
    TRY(auto key, parse_key(node));
    keys.one_time.push_back(key);
  }
  return keys;
}

Node key_node(const char* tag, std::uint32_t id, const signal::PublicKey& key) {
  return Node(
      tag, {},
      std::vector{Node(names::kId, {}, big_endian(id, 3)), Node(names::kValue, {}, to_bytes(key))});
}

Node signed_key_node(const ServerKeys::Signed& key) {
  Node node = key_node(names::kSkey, key.id, key.key);
  node.mutable_children().emplace_back(names::kSignature, std::vector<wire::Attr>{}, key.signature);
  return node;
}

}  // namespace

void Queries::upload_keys(Device& from, const Node& iq) {
  auto uploaded = parse_upload(iq);
  if (!uploaded) {
    world_.violation(from, "prekey upload: " + uploaded.error().detail);
    return refuse(from, iq, 406, "not-acceptable");
  }
  if (uploaded->identity != from.keys.identity) {
    world_.violation(from, "prekey upload with another identity than the linked one");
    return refuse(from, iq, 406, "not-acceptable");
  }
  auto stock = std::move(from.keys.one_time);
  for (const auto& key : uploaded->one_time) {
    const bool known =
        std::ranges::any_of(stock, [&](const auto& old) { return old.id == key.id; });
    if (!known) stock.push_back(key);
  }
  from.keys = std::move(*uploaded);
  from.keys.one_time = std::move(stock);
  from.keys.uploaded = true;
  from.keys.low_notice_sent = false;
  reply(from, iq);
}

void Queries::count_keys(Device& from, const Node& iq) {
  reply(from, iq, {Node(names::kCount, {{"value", std::to_string(from.keys.one_time.size())}})});
}

void Queries::digest_keys(Device& from, const Node& iq) {
  const ServerKeys& keys = from.keys;
  if (!keys.uploaded) return refuse(from, iq, 404, "item-not-found");
  Bytes hashed = concat({keys.identity, keys.signed_pre_key.key, keys.signed_pre_key.signature});
  std::vector<Node> ids;
  for (const auto& key : keys.one_time) {
    append(hashed, key.key);
    ids.emplace_back(names::kId, std::vector<wire::Attr>{}, big_endian(key.id, 3));
  }
  reply(from, iq,
        {Node(names::kDigest, {},
              std::vector{Node(names::kRegistration, {}, big_endian(keys.registration_id, 4)),
                          Node(names::kType, {}, Bytes{std::byte{5}}),
                          Node(names::kIdentity, {}, to_bytes(keys.identity)),
                          signed_key_node(keys.signed_pre_key),
                          Node(names::kList, {}, std::move(ids)),
                          Node(names::kHash, {}, to_bytes(crypto::sha1(hashed)))})});
}

void Queries::rotate_key(Device& from, const Node& iq) {
  const Node* skey = iq.child("rotate")->child(names::kSkey);
  auto key = skey == nullptr ? Result<ServerKeys::Signed>(fail(Errc::malformed, "no skey"))
                             : parse_signed_key(*skey, from.keys.identity);
  if (!key) {
    world_.violation(from, "rotate: " + key.error().detail);
    return refuse(from, iq, 406, "not-acceptable");
  }
  from.keys.signed_pre_key = std::move(*key);
  reply(from, iq);
}

std::optional<signal::Bundle> Queries::take_bundle(Device& device) {
  ServerKeys& keys = device.keys;
  if (keys.signed_pre_key.signature.size() != 64) return std::nullopt;
  signal::Bundle bundle;
  bundle.registration_id = keys.registration_id;
  bundle.identity = keys.identity;
  bundle.signed_pre_key_id = keys.signed_pre_key.id;
  bundle.signed_pre_key = keys.signed_pre_key.key;
  std::ranges::copy(keys.signed_pre_key.signature, bundle.signature.begin());
  if (!keys.one_time.empty()) {
    bundle.one_time = keys.one_time.front();
    keys.one_time.pop_front();
  }
  if (device.virtual_device != nullptr) {
    world_.peers.refill(device);
  } else if (keys.one_time.size() < kLowStock && keys.uploaded && !keys.low_notice_sent) {
    keys.low_notice_sent = true;
    world_.relay.deliver(
        device,
        Node(names::kNotification,
             {{"type", names::kEncrypt},
              {"from", server_jid()},
              {"id", world_.next_id()},
              {"t", world_.now_text()}},
             std::vector{Node(names::kCount, {{"value", std::to_string(keys.one_time.size())}})}));
  }
  return bundle;
}

void Queries::fetch_keys(Device& from, const Node& iq) {
  std::vector<Node> users;
  for (const Node& wanted : iq.child(names::kKey)->children()) {
    const auto jid = wanted.jid_attr("jid");
    if (!jid || !jid->is_person()) {
      world_.violation(from, "prekey fetch: <user> without a person's jid");
      return refuse(from, iq, 400, "bad-request");
    }
    Device* device = world_.directory.find_device(*jid);
    const auto bundle = device == nullptr ? std::nullopt : take_bundle(*device);
    if (!bundle) {
      if (!world_.options.omit_unknown_prekeys) {
        users.emplace_back(
            names::kUser, std::vector<wire::Attr>{{"jid", *jid}},
            std::vector{Node(names::kError, {{"code", "404"}, {"text", "item-not-found"}})});
      }
      continue;
    }
    std::vector<Node> parts{Node(names::kRegistration, {}, big_endian(bundle->registration_id, 4)),
                            Node(names::kType, {}, Bytes{std::byte{5}}),
                            Node(names::kIdentity, {}, to_bytes(bundle->identity)),
                            signed_key_node(device->keys.signed_pre_key)};
    if (bundle->one_time) {
      parts.push_back(key_node(names::kKey, bundle->one_time->id, bundle->one_time->key));
    }
    if (!device->device_identity.empty()) {
      parts.emplace_back(names::kDeviceIdentity, std::vector<wire::Attr>{},
                         device->device_identity);
    }
    users.emplace_back(names::kUser,
                       std::vector<wire::Attr>{{"jid", *jid}, {"t", world_.now_text()}},
                       std::move(parts));
  }
  reply(from, iq, {Node(names::kList, {}, std::move(users))});
}

void Queries::fetch_identities(Device& from, const Node& iq) {
  std::vector<Node> users;
  for (const Node& wanted : iq.child(names::kIdentity)->children()) {
    const auto jid = wanted.jid_attr("jid");
    const Device* device = jid ? world_.directory.find_device(*jid) : nullptr;
    if (device == nullptr) continue;
    users.emplace_back(names::kUser, std::vector<wire::Attr>{{"jid", *jid}},
                       std::vector{Node(names::kIdentity, {}, to_bytes(device->keys.identity)),
                                   Node(names::kType, {}, Bytes{std::byte{5}})});
  }
  reply(from, iq, {Node(names::kList, {}, std::move(users))});
}

}  // namespace posthorn::simulator
