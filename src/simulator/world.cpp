#include "simulator/world.h"

#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "posthorn/wire/wa.pb.h"
#include "simulator/stanzas.h"
#include "simulator/virtual_device.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr std::int64_t kDay = 86400;

}  // namespace

World::World(Scheduler& scheduler_in, Random& random_in, const Options& options_in)
    : scheduler(scheduler_in),
      random(random_in),
      options(options_in),
      journal(options_in.journal_limit),
      directory(random_in, options_in.seed),
      groups(*this),
      faults(random_in, directory),
      media(random_in),
      pairing(*this),
      queries(*this),
      relay(*this),
      peers(*this),
      calls(*this) {
  stanza_prefix_ = std::to_string(random.between(1000, 65535)) + "-";
  wire::ChainRecipe recipe;
  recipe.root = wire::make_key_pair(random);
  recipe.intermediate = wire::make_key_pair(random);
  identity_.noise = wire::make_key_pair(random);
  recipe.server_static = identity_.noise.public_key;
  recipe.not_before = now().unix_seconds() - kDay;
  recipe.not_after = now().unix_seconds() + 3650 * kDay;
  recipe.flaw = options.chain_flaw;
  identity_.certificate_chain =
      wire::build_certificate_chain(recipe, [this](const wire::Key32& key, ByteView message) {
        return to_bytes(signal::sign(key, message, random));
      });
  identity_.allow_resume = options.allow_resume;
  root_key_ = recipe.root.public_key;
}

World::~World() {
  alive_.reset();
  journal.on_entry({});
  peers.on_received({});
}

std::string World::next_id() { return stanza_prefix_ + std::to_string(next_stanza_++); }

void World::later(milliseconds after, Task task) {
  scheduler.call_at(scheduler.now() + after,
                    [alive = std::weak_ptr(alive_), task = std::move(task)]() mutable {
                      if (alive.lock()) task();
                    });
}

void World::post(Task task) {
  scheduler.post([alive = std::weak_ptr(alive_), task = std::move(task)]() mutable {
    if (alive.lock()) task();
  });
}

// Connections
// ---------------------------------------------------------------------------------------

void World::accept(std::unique_ptr<Stream> stream) {
  const std::uint64_t id = next_connection_++;
  connections_[id] = std::make_unique<Connection>(*this, id, std::move(stream));
}

Connection* World::connection(std::uint64_t id) const {
  const auto it = connections_.find(id);
  return it == connections_.end() ? nullptr : it->second.get();
}

void World::retire(std::uint64_t id) {
  post([this, id] { connections_.erase(id); });
}

void World::refuse(Connection& from, int reason, int code, std::int64_t expire) {
  Node failure(names::kFailure, {{"reason", std::to_string(reason)}, {"location", "sim"}});
  if (code != 0) failure.set_attr("code", std::to_string(code));
  if (expire != 0) failure.set_attr(names::kExpire, std::to_string(expire));
  from.end(failure);
}

void World::on_payload(Connection& from, ByteView bytes) {
  wa::ClientPayload payload;
  if (!payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    violation(from, "client payload is no protobuf");
    return refuse(from, 400, 0, 0);
  }
  const auto& version = payload.useragent().appversion();
  const std::array<std::uint32_t, 3> triple{version.primary(), version.secondary(),
                                            version.tertiary()};
  if (triple < options.minimum_version) return refuse(from, 405, 0, 0);
  if (payload.has_devicepairingdata() == payload.has_username()) {
    violation(from, "client payload is neither a registration nor a login");
    return refuse(from, 400, 0, 0);
  }
  if (payload.has_username()) {
    return log_in(from, payload.username(), static_cast<std::uint16_t>(payload.device()),
                  payload.passive());
  }
  from.begin_registration();
  pairing.begin(from, payload);
}

void World::log_in(Connection& from, std::uint64_t username, std::uint16_t device_id,
                   bool passive) {
  Account* account = directory.find(std::to_string(username));
  Device* device = account == nullptr ? nullptr : account->device(device_id);
  if (device == nullptr || device->virtual_device != nullptr ||
      device->noise_key != from.client_key()) {
    return refuse(from, 401, 0, 0);
  }
  const Node login("login", {{"username", std::to_string(username)}});
  if (const auto fault = faults.match(Fault::Where::login, device, login)) {
    if (fault->action == Fault::Action::failure) {
      return refuse(from, fault->code, fault->sub_code, fault->expire);
    }
    if (fault->action == Fault::Action::close) return from.abort();
    if (fault->action == Fault::Action::deaf) return from.go_deaf();
  }
  if (account->failure.reason != 0) {
    return refuse(from, account->failure.reason, account->failure.code, account->failure.expire);
  }
  if (device->connection != nullptr) {
    device->connection->end(
        Node(names::kStreamError, {}, std::vector{Node(names::kConflict, {{"type", "replaced"}})}));
  }
  from.begin_login(*device);
  device->connection = &from;
  device->endpoint = &from;
  from.deliver(Node(names::kSuccess, {{"t", now_text()},
                                      {"props", "27"},
                                      {"companion_enc_static", "NULL"},
                                      {"lid", device->lid()},
                                      {"display_name", account->name},
                                      {"abprops", "1"},
                                      {"group_abprops", "1"},
                                      {"location", "sim"},
                                      {"creation", std::to_string(account->created)}}));
  if (device->endpoint != nullptr) relay.on_login(*device, passive);
}

void World::on_gone(Connection& from) {
  pairing.on_gone(from);
  Device* device = from.device();
  if (device == nullptr) return;
  from.forget_device();
  if (device->connection != &from) return;
  device->connection = nullptr;
  device->endpoint = nullptr;
  relay.on_gone(*device);
}

// Stanzas
// -------------------------------------------------------------------------------------------

void World::on_stanza(Connection& from, const Node& stanza) {
  switch (from.phase()) {
    case Connection::Phase::registering:
      return pairing.on_stanza(from, stanza);
    case Connection::Phase::logged_in:
      return on_device_stanza(*from.device(), stanza);
    case Connection::Phase::handshake:
    case Connection::Phase::ended:
      return;
  }
}

void World::on_device_stanza(Device& from, const Node& stanza) {
  if (from.virtual_device != nullptr) note(JournalEntry::Direction::in, 0, &from, stanza);
  if (stanza.tag == names::kIq) return queries.on_iq(from, stanza);
  if (stanza.tag == names::kMessage) return relay.on_message(from, stanza);
  if (stanza.tag == names::kReceipt) return relay.on_receipt(from, stanza);
  if (stanza.tag == names::kAck) return relay.on_ack(from, stanza);
  if (stanza.tag == names::kIb) return relay.on_ib(from, stanza);
  if (stanza.tag == names::kPresence) return relay.on_presence(from, stanza);
  if (stanza.tag == names::kChatstate) return relay.on_chatstate(from, stanza);
  if (stanza.tag == names::kCall) return relay.on_call(from, stanza);
  violation(from, "unknown stanza <" + stanza.tag + ">");
}

void World::note(JournalEntry::Direction direction, std::uint64_t connection, const Device* device,
                 const Node& node) {
  if (options.journal_limit == 0) return;
  journal.add({0, direction, connection,
               device == nullptr ? std::string() : to_string(device->pn()), now(), node});
}

void World::violation(const Connection& connection, std::string what) {
  const Device* device = connection.device();
  log::warn("simulator", "violation", {{"what", what}});
  journal.add_violation({connection.id(),
                         device == nullptr ? std::string() : to_string(device->pn()),
                         std::move(what), now()});
}

void World::remark(const Connection& connection, std::string what) {
  journal.add_remark({connection.id(), {}, std::move(what), now()});
}

void World::violation(const Device& device, std::string what) {
  log::warn("simulator", "violation", {{"what", what}});
  journal.add_violation({device.connection == nullptr ? 0 : device.connection->id(),
                         to_string(device.pn()), std::move(what), now()});
}

// Device lists
// --------------------------------------------------------------------------------------

void World::announce_devices(Account& account, const char* operation, std::uint16_t device,
                             std::uint32_t key_index) {
  std::vector<wire::Jid> pns, lids;
  std::vector<Node> listed;
  for (const auto& [id, one] : account.devices) {
    pns.push_back(one->pn());
    lids.push_back(one->lid());
    Node node(names::kDevice, {{"jid", one->pn()}, {"lid", one->lid()}});
    if (id != 0) node.set_attr(names::kKeyIndex, std::to_string(one->key_index));
    listed.push_back(std::move(node));
  }
  const Node list(names::kKeyIndexList, {{"ts", std::to_string(account.list_time)}},
                  account.key_index_list);
  listed.push_back(list);
  for (const auto& [id, one] : account.devices) {
    if (id == device) continue;
    relay.deliver(*one,
                  Node(names::kNotification,
                       {{"type", "account_sync"},
                        {"from", account.pn()},
                        {"id", next_id()},
                        {"t", now_text()}},
                       std::vector{Node(names::kDevices, {{"dhash", device_hash(pns)}}, listed)}));
  }
  Node changed(names::kDevice, {{"jid", account.pn().with_device(device)},
                                {"lid", account.lid().with_device(device)},
                                {names::kKeyIndex, std::to_string(key_index)}});
  for (const auto& phone : account.talked_with) {
    const Account* contact = directory.find(phone);
    if (contact == nullptr) continue;
    for (const auto& [id, one] : contact->devices) {
      relay.deliver(*one, Node(names::kNotification,
                               {{"type", names::kDevices},
                                {"from", account.pn()},
                                {"lid", account.lid()},
                                {"id", next_id()},
                                {"t", now_text()}},
                               std::vector{Node(operation,
                                                {{"device_hash", device_hash(pns)},
                                                 {"device_lid_hash", device_hash(lids)}},
                                                std::vector{changed, list})}));
    }
  }
}

void World::announce_block_list(const Account& account, std::optional<std::uint16_t> but) {
  for (const auto& [id, one] : account.devices) {
    if (id == but) continue;
    relay.deliver(
        *one, Node(names::kNotification,
                   {{"type", "account_sync"},
                    {"from", account.pn()},
                    {"id", next_id()},
                    {"t", now_text()}},
                   std::vector{Node(names::kBlocklist, {{"dhash", block_list_hash(account)}})}));
  }
}

void World::unlink(Device& device) {
  Account& account = device.account;
  const std::uint16_t id = device.id;
  const std::uint32_t key_index = device.key_index;
  if (Connection* connection = device.connection) {
    connection->end(Node(names::kStreamError, {{"code", "401"}},
                         std::vector{Node(names::kConflict, {{"type", "device_removed"}})}));
  }
  relay.on_gone(device);
  directory.remove_device(account, id, now());
  announce_devices(account, names::kRemove, id, key_index);
}

}  // namespace posthorn::simulator
