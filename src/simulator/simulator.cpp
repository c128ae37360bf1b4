#include "posthorn/simulator/simulator.h"

#include "posthorn/base/job.h"
#include "posthorn/wire/names.h"
#include "simulator/control.h"
#include "simulator/virtual_device.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace {

tl::unexpected<Error> unknown(std::string_view account) {
  return fail(Errc::not_found, "no account " + std::string(account));
}

}  // namespace

Simulator::Simulator(Scheduler& scheduler, Random& random, Options options)
    : world_(std::make_unique<World>(scheduler, random, options)),
      control_(std::make_unique<Control>(*this, *world_)) {}
Simulator::~Simulator() = default;

void Simulator::accept(std::unique_ptr<Stream> stream) { world_->accept(std::move(stream)); }
const crypto::Key32& Simulator::root_key() const { return world_->root_key(); }
Wall Simulator::now() const { return world_->now(); }

AccountInfo Simulator::add_account(const NewAccount& wish) {
  const Account& account = world_->peers.add_account(wish);
  return {account.pn(), account.lid(), account.name};
}

std::optional<AccountInfo> Simulator::account(std::string_view phone_or_jid) const {
  const Account* account = world_->directory.find(phone_or_jid);
  if (account == nullptr) return std::nullopt;
  return AccountInfo{account->pn(), account->lid(), account->name};
}

void Simulator::scan(std::string_view qr, std::string_view account,
                     Once<void(Result<wire::Jid>)> done, LinkFlaw flaw) {
  world_->pairing.scan(qr, account, std::move(done), flaw);
}

Result<void> Simulator::set_passkey(std::string_view name, std::optional<PasskeyFlaw> flaw) {
  Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  auto& passkey = account->passkey;
  passkey.flaw = flaw.value_or(PasskeyFlaw::none);
  if (!flaw) {
    passkey.credential.reset();
  } else if (!passkey.credential) {
    passkey.credential = make_passkey(world_->random);
  }
  return {};
}

Result<json::Value> Simulator::passkey_answer(std::string_view name, const json::Value& options,
                                              AssertionFlaw flaw) {
  Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  if (!account->passkey.credential) return fail(Errc::not_found, "this account has no passkey");
  return sign_assertion(*account->passkey.credential, options, flaw, world_->random);
}

Result<Simulator::PasskeySeen> Simulator::passkey_seen(std::string_view name) const {
  const Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  return account->passkey.seen;
}

void Simulator::type_link_code(std::string_view account, std::string_view code,
                               Once<void(Result<wire::Jid>)> done) {
  world_->pairing.type_link_code(account, code, std::move(done));
}

Result<void> Simulator::unlink(const wire::Jid& jid) {
  Device* device = world_->directory.find_device(jid);
  if (device == nullptr || device->id == 0) return fail(Errc::not_found, "no such companion");
  world_->unlink(*device);
  return {};
}

Result<void> Simulator::drop(const wire::Jid& jid) {
  Device* device = world_->directory.find_device(jid);
  if (device == nullptr) return fail(Errc::not_found, "no such device");
  if (device->connection == nullptr) return fail(Errc::disconnected, "not connected");
  device->connection->abort();
  return {};
}

bool Simulator::connected(const wire::Jid& jid) const {
  const Device* device = world_->directory.find_device(jid);
  return device != nullptr && device->connection != nullptr;
}

Result<std::string> Simulator::peer_send(std::string_view account, const PeerText& text) {
  return world_->peers.send(account, text);
}
Result<std::string> Simulator::peer_send(std::string_view account, const PeerFile& file) {
  return world_->peers.send(account, file);
}
Result<void> Simulator::peer_read(std::string_view account, std::string_view message_id) {
  return world_->peers.read(account, message_id);
}
Result<void> Simulator::peer_script(std::string_view account, const PeerScript& script) {
  return world_->peers.set_script(account, script);
}
Result<void> Simulator::peer_lose_session(std::string_view account) {
  return world_->peers.lose_session(account);
}
Result<void> Simulator::peer_reregister(std::string_view account) {
  return world_->peers.reregister(account);
}
Result<std::uint16_t> Simulator::peer_add_companion(std::string_view account) {
  return world_->peers.add_companion(account);
}
Result<void> Simulator::peer_remove_companion(std::string_view account, std::uint16_t device) {
  return world_->peers.remove_companion(account, device);
}
Result<void> Simulator::peer_drain_prekeys(std::string_view account) {
  return world_->peers.drain_prekeys(account);
}
Result<void> Simulator::peer_online(std::string_view account, bool online) {
  return world_->peers.set_online(account, online);
}

std::vector<Received> Simulator::inbox(std::string_view name, std::uint64_t after) const {
  const Account* account = world_->directory.find(name);
  return account == nullptr ? std::vector<Received>{} : world_->peers.inbox(*account, after);
}

Result<void> Simulator::set_timelock(std::string_view name, const Timelock& lock) {
  Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  account->timelock = lock;
  world_->queries.push_timelock(*account);
  return {};
}

Result<void> Simulator::set_cap(std::string_view name, const Cap& cap) {
  Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  account->cap = cap;
  world_->queries.push_cap(*account);
  return {};
}

Result<void> Simulator::set_restricted(std::string_view name, bool restricted) {
  Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  account->restricted = restricted;
  return {};
}

Result<void> Simulator::set_failure(std::string_view name, int reason, int code,
                                    std::int64_t expire_seconds) {
  Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  account->failure = {reason, code, expire_seconds};
  if (reason == 0) return {};
  for (const auto& [id, device] : account->devices) {
    if (device->connection != nullptr) device->connection->end();
  }
  return {};
}

void Simulator::set_media_host(std::string host) { world_->media.host = std::move(host); }
MediaAnswer Simulator::media(std::string_view method, std::string_view target, Bytes body) {
  const std::size_t mark = target.find('?');
  const std::string path(target.substr(0, mark));
  if (method == "GET") return world_->media.download(path);
  const auto query = mark == std::string_view::npos ? std::map<std::string, std::string>()
                                                    : split_query(target.substr(mark + 1));
  return world_->media.upload(path, query, std::move(body));
}
void Simulator::add_media_rule(const MediaRule& rule) { world_->media.add_rule(rule); }
void Simulator::expire_media() { world_->media.expire_all(); }
Result<void> Simulator::set_media_retry(std::string_view account, std::string_view answer) {
  Account* found = world_->directory.find(account);
  if (found == nullptr) return fail(Errc::not_found, "no account " + std::string(account));
  found->media_retry = answer;
  return {};
}

Result<void> Simulator::keep_old_messages(std::string_view name, std::vector<OldMessage> messages) {
  Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  for (OldMessage& one : messages) {
    if (one.id.empty()) one.id = make_message_id(world_->random, world_->now(), account->phone);
    account->old_messages.push_back(std::move(one));
  }
  return {};
}

Result<void> Simulator::set_history_answers(std::string_view name, std::string_view how) {
  Account* account = world_->directory.find(name);
  if (account == nullptr) return unknown(name);
  if (how != "inline" && how != "file" && how != "silence") {
    return fail(Errc::malformed, "history_answers: inline, file or silence");
  }
  account->history_answers = how;
  return {};
}

Result<std::string> Simulator::peer_call(std::string_view name, std::string_view to, bool video) {
  Account* caller = world_->directory.find(name);
  Account* called = world_->directory.find(to);
  if (caller == nullptr) return unknown(name);
  if (called == nullptr) return unknown(to);
  return world_->calls.ring(*caller, *called, video);
}

Result<void> Simulator::end_call(std::string_view call_id, CallEnd end) {
  return world_->calls.end(call_id, end);
}

std::uint64_t Simulator::add_fault(Fault fault) { return world_->faults.add(std::move(fault)); }
bool Simulator::remove_fault(std::uint64_t id) { return world_->faults.remove(id); }
void Simulator::clear_faults() { world_->faults.clear(); }

Result<void> Simulator::push(const wire::Jid& jid, wire::Node node) {
  Device* device = world_->directory.find_device(jid);
  if (device == nullptr) return fail(Errc::not_found, "no such device");
  if (device->endpoint == nullptr) return fail(Errc::disconnected, "not connected");
  device->endpoint->deliver(node);
  return {};
}

Result<void> Simulator::push_to_connection(std::uint64_t id, const wire::Node& node) {
  Connection* connection = world_->connection(id);
  if (connection == nullptr) return fail(Errc::not_found, "no such connection");
  connection->deliver(node);
  return {};
}

void Simulator::set_clock_offset(milliseconds offset) { world_->set_clock_offset(offset); }

std::vector<JournalEntry> Simulator::journal(std::uint64_t after) const {
  return world_->journal.after(after);
}
const std::vector<Violation>& Simulator::violations() const { return world_->journal.violations(); }

const std::vector<Violation>& Simulator::remarks() const { return world_->journal.remarks(); }

void Simulator::control(std::string_view method, std::string_view path, std::string_view body,
                        Once<void(Response)> done) {
  control_->handle(method, path, body, std::move(done));
}

}  // namespace posthorn::simulator
