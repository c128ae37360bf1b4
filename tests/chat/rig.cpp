#include "chat/rig.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "chat/people/bundles.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat::chat_test {
namespace {

using wire::Jid;
using wire::Node;

Node bytes_node(const char* tag, ByteView bytes) { return Node(tag, {}, to_bytes(bytes)); }

Node key_node(const char* tag, std::uint32_t id, const signal::PublicKey& key) {
  return Node(tag, {}, {bytes_node("id", encode_be(id, 3)), bytes_node("value", key)});
}

Wall now() { return Wall::from_unix(1'790'000'000, true); }

}  // namespace

wa::Message text_message(const std::string& text) {
  wa::Message message;
  message.set_conversation(text);
  return message;
}

PeerDevice::PeerDevice(Jid j, std::uint64_t seed)
    : jid(std::move(j)), random(seed), protocol(keys, random) {}

Node PeerDevice::bundle_entry() {
  const auto own = protocol.own_identity(now());
  const auto one_time = protocol.pre_key_for_retry();
  const auto signed_key = protocol.current_signed_pre_key();
  Node skey = key_node("skey", signed_key->id, signed_key->key.public_key);
  skey.mutable_children().push_back(bytes_node("signature", signed_key->signature));
  return Node("user", {{"jid", jid}},
              {bytes_node("registration", encode_be(own->registration_id, 4)),
               bytes_node("identity", own->key.public_key), std::move(skey),
               key_node("key", one_time->id, one_time->key.public_key)});
}

Bytes PeerDevice::vouch_for(PeerDevice& companion) {
  const auto own = protocol.own_identity(now());
  const auto its = companion.protocol.own_identity(now());
  wa::ADVDeviceIdentity details;
  details.set_rawid(1);
  details.set_keyindex(1);
  wa::ADVSignedDeviceIdentity outer;
  outer.set_details(details.SerializeAsString());
  constexpr std::array kPrefix{std::byte{6}, std::byte{0}};
  const Bytes covered = concat({kPrefix, as_bytes(outer.details()), its->key.public_key});
  outer.set_accountsignature(
      posthorn::to_string(ByteView(signal::sign(own->key.private_key, covered, random))));
  return to_bytes(outer.SerializeAsString());
}

void PeerDevice::learn(const signal::Bundle& box, const Jid& box_device) {
  ASSERT_TRUE(protocol.own_identity(now()));
  ASSERT_TRUE(protocol.process_bundle(address_of(box_device), box));
}

Node PeerDevice::encrypt(const wa::Message& message, const Jid& box_device) {
  return encrypt_bytes(signal::pad(as_bytes(message.SerializeAsString()), random), box_device);
}

Node PeerDevice::encrypt_bytes(ByteView plain, const Jid& box_device) {
  auto encrypted = protocol.encrypt(address_of(box_device), plain);
  EXPECT_TRUE(encrypted);
  return Node("enc", {{"v", "2"}, {"type", to_string(encrypted->type)}}, encrypted->bytes);
}

std::optional<wa::Message> PeerDevice::decrypt(const Node& enc, const Jid& box_device) {
  const signal::Address address = address_of(box_device);
  auto plain = enc.text_attr("type") == "pkmsg" ? protocol.decrypt_pkmsg(address, enc.bytes())
                                                : protocol.decrypt_msg(address, enc.bytes());
  if (!plain) return std::nullopt;
  const auto content = signal::unpad(plain->plaintext);
  wa::Message message;
  if (!content || !message.ParseFromString(posthorn::to_string(*content))) return std::nullopt;
  return message;
}

FakeLine::~FakeLine() { fail_acks(Errc::cancelled); }

void FakeLine::write(Node stanza) { written.push_back(std::move(stanza)); }

void FakeLine::ask(Node iq, milliseconds, Once<void(Result<Node>)> done) {
  asked.push_back(iq);
  Result<Node> reply = answer(iq);
  scheduler_.post(
      [reply = std::move(reply), done = std::move(done)]() mutable { done(std::move(reply)); });
}

void FakeLine::await_ack(const std::string& id, milliseconds, Once<void(Result<Node>)> done) {
  acks_.emplace(id, std::move(done));
}

void FakeLine::restrict(session::Restriction restriction) {
  restrictions.push_back(std::move(restriction));
}

void FakeLine::take(Event event, Once<void(Result<void>)> stored) {
  events.push_back(std::move(event));
  switch (sink) {
    case Sink::stores:
      return stored({});
    case Sink::holds:
      held.push_back(std::move(stored));
      return;
    case Sink::fails:
      return stored(fail(Errc::full, "inbox full"));
  }
}

void FakeLine::drop(Error why) { dropped.push_back(std::move(why)); }

std::vector<Node> FakeLine::take_written() { return std::exchange(written, {}); }

void FakeLine::ack(const std::string& id, std::vector<wire::Attr> extra) {
  const auto at = acks_.find(id);
  ASSERT_NE(at, acks_.end()) << "nobody waits for the ack of " << id;
  auto done = std::move(at->second);
  acks_.erase(at);
  Node ack("ack", {{"class", "message"}, {"id", id}});
  for (auto& attr : extra) ack.attrs.push_back(std::move(attr));
  done(std::move(ack));
}

void FakeLine::fail_acks(Errc code) {
  auto acks = std::exchange(acks_, {});
  for (auto& [id, done] : acks) done(fail(code, "no ack"));
}

Rig::Rig(std::uint64_t seed) : random(seed) {
  std::string pattern = (std::filesystem::temp_directory_path() / "posthorn-XXXXXX").string();
  folder = ::mkdtemp(pattern.data());
  line.self.pn = {"4915550001111", "s.whatsapp.net", 7};
  line.self.lid = box_jid;
  line.self.device_identity = to_bytes("our-device-identity");
  line.answer = [this](const Node& iq) { return answer(iq); };
  laptop.proof = customer.vouch_for(laptop);
  start();
}

Rig::~Rig() {
  box.reset();
  line.fail_acks(Errc::cancelled);
  turn();
  store.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

void Rig::start() {
  auto opened = store::Store::open((folder / "posthorn.db").string(), worker);
  ASSERT_TRUE(opened);
  store = std::move(opened->store);
  protocol = std::make_unique<signal::Protocol>(*store, random);
  ASSERT_TRUE(protocol->own_identity(now()));  // core has it made before linking
  auto chat = Chat::open(line, Chat::Outside{scheduler, clock, random, *store, told, unsure, files},
                         [this](Event event, Once<void(Result<void>)> stored) {
                           line.take(std::move(event), std::move(stored));
                         });
  ASSERT_TRUE(chat);
  box = std::move(*chat);
  listener().on_online();
  turn();
}

void Rig::restart() {
  box.reset();
  turn();
  protocol.reset();
  store.reset();
  start();
}

signal::Bundle Rig::box_bundle() {
  const auto own = protocol->own_identity(now());
  const auto one_time = protocol->pre_key_for_retry();
  const auto signed_key = protocol->current_signed_pre_key();
  signal::Bundle bundle;
  bundle.registration_id = own->registration_id;
  bundle.identity = own->key.public_key;
  bundle.signed_pre_key_id = signed_key->id;
  bundle.signed_pre_key = signed_key->key.public_key;
  bundle.signature = signed_key->signature;
  bundle.one_time = signal::Bundle::OneTime{one_time->id, one_time->key.public_key};
  return bundle;
}

void Rig::introduce(PeerDevice& device) { device.learn(box_bundle(), box_jid); }

Node Rig::stanza_from(PeerDevice& device, const std::string& id, Node enc) {
  Node stanza(
      "message",
      {{"from", device.jid}, {"id", id}, {"t", "1790000100"}, {"type", "text"}, {"notify", "Ann"}});
  if (device.jid.user == customer_lid.user) stanza.set_attr("sender_pn", customer_pn);
  stanza.content = std::vector<Node>{std::move(enc)};
  return stanza;
}

Node Rig::text_from(PeerDevice& device, const std::string& id, const std::string& text) {
  return stanza_from(device, id, device.encrypt(text_message(text), box_jid));
}

std::vector<PeerDevice*> Rig::devices_of(const Jid& user) {
  if (user.user == customer_pn.user || user.user == customer_lid.user) return customer_devices;
  if (user.user == line.self.pn.user || user.user == box_jid.user) return {&phone};
  for (PeerDevice* other : others) {
    if (other->jid.user == user.user) return {other};
  }
  return {};
}

Result<Node> Rig::answer(const Node& iq) {
  const std::string xmlns = iq.text_attr("xmlns");
  std::vector<Node> users;
  if (xmlns == "usync") {
    for (const Node& user : iq.child("usync")->child("list")->children()) {
      const Node* contact = user.child("contact");
      const auto jid = contact ? std::optional(customer_pn) : user.jid_attr("jid");
      const bool ours = jid->user == line.self.pn.user || jid->user == box_jid.user;
      const auto devices = devices_of(*jid);
      if (contact != nullptr) {
        const std::string number = posthorn::to_string(contact->bytes()).substr(1);
        const bool exists = number == customer_pn.user || leads_to.contains(number);
        Node reply(
            "user", {},
            {Node("contact", {{"type", exists ? "in" : "out"}}, to_bytes(contact->bytes()))});
        if (exists)
          reply.set_attr("jid", leads_to.contains(number) ? leads_to[number] : customer_pn);
        users.push_back(std::move(reply));
        continue;
      }
      if (devices.empty()) continue;
      std::vector<Node> entries;
      for (const PeerDevice* device : devices) {
        entries.push_back(Node("device", {{"id", std::to_string(device->jid.device)}}));
      }
      if (lists_under_lids_only && jid->is_pn()) entries.clear();
      if (ours) entries.push_back(Node("device", {{"id", "7"}, {"key-index", "1"}}));
      Node reply("user", {{"jid", *jid}},
                 {Node("devices", {}, {Node("device-list", {}, std::move(entries))})});
      if (give_lids && jid->is_pn()) {
        reply.mutable_children().push_back(
            Node("lid", {{"val", ours ? box_jid.bare() : customer_lid}}));
      }
      users.push_back(std::move(reply));
    }
    return Node("iq", {{"type", "result"}},
                {Node("usync", {}, {Node("list", {}, std::move(users))})});
  }
  if (xmlns == "encrypt") {
    for (const Node& user : iq.child("key")->children()) {
      const auto jid = user.jid_attr("jid");
      for (PeerDevice* device : devices_of(*jid)) {
        if (device->jid.device != jid->device) continue;
        Node entry = device->bundle_entry();
        entry.set_attr("jid", *jid);
        if (!device->proof.empty()) {
          entry.mutable_children().push_back(bytes_node("device-identity", device->proof));
        }
        users.push_back(std::move(entry));
      }
    }
    return Node("iq", {{"type", "result"}}, {Node("list", {}, std::move(users))});
  }
  if (xmlns == "blocklist") {
    return Node("iq", {{"type", "result"}}, {Node("list", {{"dhash", "d"}}, blocked)});
  }
  if (xmlns == "privacy") {
    users.push_back(Node("category", {{"name", "readreceipts"}, {"value", "all"}}));
    return Node("iq", {{"type", "result"}}, {Node("privacy", {}, std::move(users))});
  }
  return Node("iq", {{"type", "result"}});
}

void Rig::set_blocked(std::vector<Node> items) {
  blocked = std::move(items);
  listener().on_notification(
      Node("notification", {{"type", "account_sync"}, {"from", line.self.pn}, {"id", "N1"}},
           {Node("blocklist", {{"dhash", "d"}})}),
      [] {});
  turn();
  turn();
}

Job Rig::job(const std::string& id, const std::string& text) const {
  Job job;
  job.id = id;
  job.chat = customer_pn.user + "@c.us";
  job.content.what = content::Text{text, true, std::nullopt};
  return job;
}

void Rig::start_send(Job job) {
  outcome.reset();
  box->sender().send(job, [this](throttle::SendOutcome result) { outcome = std::move(result); });
  turn();
}

throttle::SendOutcome Rig::send(Job job) {
  start_send(job);
  if (!outcome) line.ack(job.id, {{"t", "1790000200"}});
  turn();
  EXPECT_TRUE(outcome);
  return outcome.value_or(throttle::SendOutcome{});
}

const Node* Rig::enc_for(const Node& message, const Jid& device) {
  const Node* participants = message.child("participants");
  if (participants == nullptr) return nullptr;
  for (const Node& to : participants->children()) {
    if (to.jid_attr("jid") == device) return to.child("enc");
  }
  return nullptr;
}

std::vector<Message> Rig::messages() const {
  std::vector<Message> list;
  for (const Event& event : line.events) {
    if (const auto* message = std::get_if<Message>(&event)) list.push_back(*message);
  }
  return list;
}

std::vector<Receipt> Rig::receipts() const {
  std::vector<Receipt> list;
  for (const Event& event : line.events) {
    if (const auto* receipt = std::get_if<Receipt>(&event)) list.push_back(*receipt);
  }
  return list;
}

std::vector<Node> Rig::written_of(std::string_view tag) {
  std::vector<Node> list;
  for (Node& node : line.written) {
    if (node.tag == tag) list.push_back(node);
  }
  return list;
}

}  // namespace posthorn::chat::chat_test
