#include "chat/people/usync.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/crypto.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr std::uint16_t kMaxDevice = 99;
constexpr std::uint16_t kHostedDevice = 99;

Node build_query(std::string sid, const char* context, std::vector<Node> protocols,
                 std::vector<Node> users) {
  Node usync("usync",
             {{"sid", std::move(sid)},
              {"mode", "query"},
              {"context", context},
              {"last", "true"},
              {"index", "0"}},
             {Node("query", {}, std::move(protocols)), Node("list", {}, std::move(users))});
  Node iq(
      "iq",
      {{"to", Jid{"", std::string(wire::kServerUser), 0}}, {"type", "get"}, {"xmlns", "usync"}});
  iq.content = std::vector<Node>{std::move(usync)};
  return iq;
}

std::vector<Node> user_nodes(std::span<const Jid> users) {
  std::vector<Node> nodes;
  nodes.reserve(users.size());
  for (const Jid& user : users) nodes.push_back(Node("user", {{"jid", user.bare()}}));
  return nodes;
}

void parse_device_cell(const Node& devices, UsyncUser& user) {
  const Node* list = devices.child("device-list");
  if (list == nullptr) return;
  user.has_devices = true;
  user.devices = parse_devices(*list);
  if (const Node* signed_list = devices.child("key-index-list")) {
    user.key_index_list = to_bytes(signed_list->bytes());
    user.key_index_ts = signed_list->int_attr("ts").value_or(0);
  }
}

void parse_contact_cell(const Node& contact, UsyncUser& user) {
  using Contact = UsyncUser::Contact;
  const std::string type = contact.text_attr("type");
  user.contact = type == "in" ? Contact::in : type == "out" ? Contact::out : Contact::invalid;
  user.contact_echo = to_string(contact.bytes());
}

UsyncUser parse_user(const Node& node) {
  UsyncUser user;
  // The server writes the word "undefined" for a number that it cannot read.
  if (const auto jid = node.jid_attr("jid"); jid && node.text_attr("jid") != "undefined") {
    user.jid = jid->bare();
  }
  if (const auto pn = node.jid_attr("pn_jid"); pn && pn->is_pn()) user.pn_jid = pn->bare();
  if (const Node* devices = node.child("devices")) parse_device_cell(*devices, user);
  if (const Node* contact = node.child("contact")) parse_contact_cell(*contact, user);
  // code: hidden from us.
  if (const Node* about = node.child("status"); about != nullptr && !about->has_attr("code")) {
    user.about = to_string(about->bytes());
  }
  if (const Node* lid = node.child("lid")) {
    if (const auto value = lid->jid_attr("val"); value && value->is_lid()) user.lid = value->bare();
  }
  return user;
}

Result<void> check_result(const Node& usync) {
  const Node* result = usync.child("result");
  if (result == nullptr) return {};
  for (const Node& protocol : result->children()) {
    const Node* error = protocol.child("error");
    if (error == nullptr) continue;
    return fail(Errc::refused, error->text_attr("code") + " " + error->text_attr("text"));
  }
  return {};
}

std::string hash_form(const Jid& jid) {
  const std::string server =
      jid.server == wire::kServerLegacyUser ? std::string(wire::kServerUser) : jid.server;
  return jid.user + ".0:" + std::to_string(jid.device) + "@" + server;
}

}  // namespace

Node build_device_query(std::span<const Jid> users, std::string sid) {
  return build_query(std::move(sid), "message", {Node("devices", {{"version", "2"}}), Node("lid")},
                     user_nodes(users));
}

Node build_lid_query(std::span<const Jid> users, std::string sid) {
  return build_query(std::move(sid), "background", {Node("lid")}, user_nodes(users));
}

Node build_contact_query(std::span<const std::string> phones, std::string sid) {
  std::vector<Node> users;
  users.reserve(phones.size());
  // Without the plus the server reads a national number of our own country: another person.
  for (const std::string& phone : phones) {
    users.push_back(Node("user", {}, {Node("contact", {}, to_bytes("+" + phone))}));
  }
  return build_query(std::move(sid), "interactive",
                     {Node("contact", {{"addressing_mode", "lid"}}), Node("lid")},
                     std::move(users));
}

Node build_about_query(const Jid& user, const Bytes& token, std::string sid) {
  Node node("user", {{"jid", user.bare()}});
  if (!token.empty()) node.mutable_children().push_back(Node("tctoken", {}, token));
  return build_query(std::move(sid), "interactive", {Node("status")}, {std::move(node)});
}

Result<std::vector<UsyncUser>> parse_usync(const Node& iq) {
  const Node* usync = iq.child("usync");
  if (usync == nullptr) return fail(Errc::malformed, "usync answer without <usync>");
  TRY(check_result(*usync));
  std::vector<UsyncUser> users;
  const Node* list = usync->child("list");
  if (list == nullptr) return users;
  for (const Node& child : list->children()) {
    if (child.tag == "user") users.push_back(parse_user(child));
  }
  return users;
}

void tell_rate_limit(session::Line& line) {
  session::Restriction restriction;
  restriction.kind = session::Restriction::Kind::rate_query;
  restriction.code = 429;
  line.restrict(std::move(restriction));
}

std::vector<DeviceEntry> parse_devices(const Node& list) {
  std::vector<DeviceEntry> devices;
  for (const Node& child : list.children()) {
    if (child.tag != "device") continue;
    DeviceEntry entry;
    if (const auto id = child.int_attr("id")) {
      if (*id < 0 || *id > kMaxDevice) continue;
      entry.id = static_cast<std::uint16_t>(*id);
    } else if (const auto jid = child.jid_attr("jid")) {
      entry.id = jid->device;
    } else {
      continue;
    }
    if (const auto index = child.int_attr("key-index"); index && *index >= 0) {
      entry.key_index = static_cast<std::uint32_t>(*index);
    }
    entry.hosted = child.text_attr("is_hosted") == "true" || entry.id == kHostedDevice;
    devices.push_back(entry);
  }
  return devices;
}

std::string device_hash(std::span<const Jid> devices) {
  std::vector<std::string> forms;
  forms.reserve(devices.size());
  for (const Jid& device : devices) forms.push_back(hash_form(device));
  std::sort(forms.begin(), forms.end());
  std::string all;
  for (const std::string& form : forms) all += form;
  const auto digest = crypto::sha256(as_bytes(all));
  return "2:" + base64_encode(ByteView(digest).first(6));
}

}  // namespace posthorn::chat
