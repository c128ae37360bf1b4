#include "powercut_store/shop.h"

#include <utility>

#include "posthorn/signal/padding.h"

namespace posthorn::store {

namespace {

const signal::Address kCustomer{"2@lid", 0};
const signal::Address kShop{"1@lid", 7};
const Wall kNow = Wall::from_unix(1'790'000'000);
constexpr const char* kPath = "posthorn.db";
constexpr const char* kGroup = "120363000000000001@g.us";

std::string name(const char* kind, std::size_t number) { return kind + std::to_string(number); }
/// Rows are used again after a while, so that long campaigns do not fill the disk.
std::string seen_name(std::size_t number) { return name("seen", number % 64); }

/// The value of a length-delimited or number field of a protobuf; enough for Signal's messages.
ByteView field(ByteView message, unsigned wanted) {
  std::size_t at = 0;
  const auto varint = [&message, &at] {
    std::uint64_t value = 0;
    for (unsigned shift = 0; at < message.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned>(message[at++]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < message.size()) {
    const auto tag = varint();
    const std::size_t begin = at;
    const auto value = varint();
    const bool is_bytes = (tag & 7) == 2;
    const std::size_t end =
        is_bytes ? static_cast<std::size_t>(std::min<std::uint64_t>(message.size(), at + value))
                 : at;
    if (tag >> 3 == wanted)
      return message.subspan(is_bytes ? at : begin, end - (is_bytes ? at : begin));
    at = end;
  }
  return {};
}

/// Names the message key that a ciphertext was made with.
std::string key_of(const signal::Encrypted& message) {
  ByteView body(message.bytes);
  if (message.type == signal::MessageType::pkmsg) body = field(body.subspan(1), 4);
  const ByteView proto = body.subspan(1, body.size() - 9);  // version in front, MAC behind
  return hex_encode(field(proto, 1)) + "/" + hex_encode(field(proto, 2));
}

signal::DecryptResult decrypt(signal::Protocol& protocol, const signal::Address& from,
                              const signal::Encrypted& message) {
  return message.type == signal::MessageType::pkmsg ? protocol.decrypt_pkmsg(from, message.bytes)
                                                    : protocol.decrypt_msg(from, message.bytes);
}

signal::Bundle bundle_of(signal::Protocol& protocol, const signal::PreKey& one_time) {
  const auto own = protocol.own_identity(kNow);
  const auto signed_key = protocol.current_signed_pre_key();
  signal::Bundle bundle;
  bundle.registration_id = own->registration_id;
  bundle.identity = own->key.public_key;
  bundle.signed_pre_key_id = signed_key->id;
  bundle.signed_pre_key = signed_key->key.public_key;
  bundle.signature = signed_key->signature;
  bundle.one_time = signal::Bundle::OneTime{one_time.id, one_time.key.public_key};
  return bundle;
}

}  // namespace

World::World(int messages) : left(static_cast<std::size_t>(messages)) {}

signal::Bundle World::customer_bundle() {
  signal::Protocol protocol(customer, random);
  static_cast<void>(protocol.own_identity(kNow));
  return bundle_of(protocol, *protocol.pre_key_for_retry());
}

void World::customer_writes(int count) {
  signal::Protocol protocol(customer, random);
  static_cast<void>(protocol.own_identity(kNow));
  if (!*protocol.has_session(kShop) && !protocol.process_bundle(kShop, *shop_bundle)) {
    problems.push_back("the published bundle is wrong");
  }
  for (int i = 0; i < count; ++i) {
    const Bytes text = to_bytes(name("question ", taken + to_shop.size()));
    to_shop.push_back({*protocol.encrypt(kShop, signal::pad(text, random)), false});
  }
}

void World::customer_writes_again(std::size_t number, const signal::Bundle& bundle) {
  signal::Protocol protocol(customer, random);
  static_cast<void>(protocol.own_identity(kNow));
  if (!protocol.process_bundle(kShop, bundle)) problems.push_back("the bundle of a retry is wrong");
  const Bytes text = to_bytes(name("question ", taken + number));
  to_shop[number].message = *protocol.encrypt(kShop, signal::pad(text, random));
}

void World::leave(int number, const signal::Encrypted& message) {
  const std::string key = key_of(message);
  const auto earlier = keys_seen_before.find(key);
  const auto [known, is_new] = keys_seen.emplace(key, message.bytes);
  if ((!is_new && known->second != message.bytes) ||
      (earlier != keys_seen_before.end() && earlier->second != message.bytes)) {
    problems.push_back("a key was used twice");
  }
  if (keys_seen.size() > 100'000) keys_seen_before = std::exchange(keys_seen, {});
  signal::Protocol protocol(customer, random);
  static_cast<void>(protocol.own_identity(kNow));
  const auto read = decrypt(protocol, kShop, message);
  if (!read) problems.push_back("customer cannot read: " + to_string(read.error().error));
  left[static_cast<std::size_t>(number)] = true;
}

void World::leave_group(ByteView distribution, const Bytes& sealed) {
  const ByteView proto = ByteView(sealed).subspan(1, sealed.size() - 65);  // version, signature
  const std::string key =
      "group " + hex_encode(field(proto, 1)) + "/" + hex_encode(field(proto, 2));
  const auto [known, is_new] = keys_seen.emplace(key, sealed);
  if (!is_new && known->second != sealed)
    problems.push_back("a sender key's number was used twice");
  signal::Protocol protocol(customer, random);
  static_cast<void>(protocol.own_identity(kNow));
  const signal::SenderKeyName name_of_shop{kGroup, kShop};
  if (!protocol.process_distribution(name_of_shop, distribution))
    problems.push_back("a sender key is refused");
  const auto read = protocol.decrypt_group(name_of_shop, sealed);
  if (!read) problems.push_back("group cannot read: " + to_string(read.error().error));
}

void World::forget_acknowledged() {
  while (!to_shop.empty() && to_shop.front().acknowledged) {
    to_shop.erase(to_shop.begin());
    ++taken;
  }
}

bool World::all_done() const {
  for (const bool done : left) {
    if (!done) return false;
  }
  for (const Queued& queued : to_shop) {
    if (!queued.acknowledged) return false;
  }
  return true;
}

void ObservedWorker::run(Task work, Task done) {
  inline_.run(
      [this, work = std::move(work)]() mutable {
        busy_ = true;
        work();
        busy_ = false;
      },
      std::move(done));
}

Shop::Shop(PowerDisk& disk, World& world, int checkpoint_pages)
    : disk_(disk),
      world_(world),
      checkpoint_pages_(checkpoint_pages),
      // Another boot draws other numbers.
      random_(world.random.next_u64()) {}

Shop::~Shop() { close(); }

void Shop::close() {
  protocol_.reset();
  store_.reset();
  scheduler_.run_posted();
}

bool Shop::failed(const std::string& what, const Error& error) {
  const bool fault = error.code == Errc::io || error.code == Errc::full;
  if (disk_.powered() && !(fault && expects_faults_)) {
    world_.problems.push_back(what + ": " + to_string(error));
  }
  return false;
}

bool Shop::open() {
  Store::Options options;
  options.database.vfs = disk_.name();
  options.checkpoint_pages = checkpoint_pages_;
  options.vital = {"link"};
  auto opened = Store::open(kPath, worker_, options);
  if (!opened) return failed("open", opened.error());
  if (!opened->set_aside.empty()) {
    world_.problems.push_back("set aside: " + opened->damage);
    return false;
  }
  stepped_back_ = opened->stepped_back;
  if (stepped_back_ && !world_.bits_flip) world_.problems.push_back("stepped back by a cut");
  store_ = std::move(opened->store);
  protocol_ = std::make_unique<signal::Protocol>(*store_, random_);

  Statement integrity(store_->database(), "PRAGMA integrity_check");
  Query answer = integrity.query();
  const auto row = answer.next();
  if (!row) return failed("integrity check", row.error());
  if (answer.text(0) != "ok") world_.problems.push_back(std::string(answer.text(0)));

  const auto expect = [this](const std::string& what) {
    const auto value = store_->load(what);
    if (!value) return failed("load", value.error());
    if (!*value) world_.problems.push_back("reported durable and gone: " + what);
    return true;
  };
  if (world_.shop_bundle) {
    const auto own = protocol_->own_identity(kNow);
    if (!own) return failed("identity", own.error());
    if (own->key.public_key != world_.shop_bundle->identity) {
      world_.problems.push_back("another identity than the published one");
    }
    if (!expect("link")) return false;
  }
  if (stepped_back_) return true;  // told; the rest may be gone
  for (std::size_t i = 0; i < world_.to_shop.size(); ++i) {
    if (world_.to_shop[i].acknowledged && !expect(seen_name(world_.taken + i))) return false;
  }
  return true;
}

bool Shop::durable() {
  std::optional<Result<void>> answer;
  store_->durable([&answer](Result<void> result) { answer = std::move(result); });
  scheduler_.run_posted();
  if (!answer) return failed("durable", {Errc::timeout, "no answer"});
  return *answer ? true : failed("durable", answer->error());
}

bool Shop::may_leave() {
  std::optional<Result<void>> answer;
  store_->leave([&answer](Result<void> result) { answer = std::move(result); });
  scheduler_.run_posted();
  if (!answer) return failed("leave", {Errc::timeout, "no answer"});
  return *answer ? true : failed("leave", answer->error());
}

bool Shop::publish() {
  if (world_.shop_bundle) return true;
  const auto own = protocol_->own_identity(kNow);
  if (!own) return failed("identity", own.error());
  const auto linked = store_->save("link", to_bytes("noise key"));
  if (!linked) return failed("link", linked.error());
  std::optional<Result<std::vector<signal::PreKey>>> keys;
  protocol_->pre_keys_to_offer(3, worker_, [&keys](auto made) { keys = std::move(made); });
  scheduler_.run_posted();
  if (!keys) return failed("prekeys", {Errc::timeout, "no answer"});
  if (!*keys) return failed("prekeys", keys->error());
  const auto current = protocol_->current_signed_pre_key();
  if (!current) return failed("signed prekey", current.error());
  world_.shop_bundle = bundle_of(*protocol_, (*keys)->front());
  std::vector<std::uint32_t> ids;
  for (const auto& key : **keys) ids.push_back(key.id);
  const auto marked = store_->mark_offered(ids);
  return marked ? true : failed("mark offered", marked.error());
}

bool Shop::send(int number) {
  auto transaction = store_->begin(WrittenBy::the_next);
  if (!transaction) return failed("begin", transaction.error());
  const auto known = protocol_->has_session(kCustomer);
  if (!known) return failed("has session", known.error());
  if (!*known) {
    const auto built = protocol_->process_bundle(kCustomer, world_.customer_bundle());
    if (!built) return failed("bundle", built.error());
  }
  const Bytes text = to_bytes(name("answer ", static_cast<std::size_t>(number)));
  const auto message = protocol_->encrypt(kCustomer, signal::pad(text, random_));
  if (!message) return failed("encrypt", message.error());
  const auto distribution = protocol_->create_distribution({kGroup, kShop});
  if (!distribution) return failed("sender key", distribution.error());
  const auto sealed = protocol_->encrypt_group({kGroup, kShop}, signal::pad(text, random_));
  if (!sealed) return failed("seal", sealed.error());
  const auto noted = store_->save(name("sent", static_cast<std::size_t>(number)), text);
  if (!noted) return failed("save", noted.error());
  const auto committed = transaction->commit();
  if (!committed) return failed("commit", committed.error());
  if (!may_leave()) return false;
  world_.leave(number, *message);
  world_.leave_group(*distribution, *sealed);
  return true;
}

bool Shop::receive(std::size_t number) {
  const std::string row = seen_name(world_.taken + number);
  const std::string text = name("question ", world_.taken + number);
  const auto seen = store_->load(row);
  if (!seen) return failed("load", seen.error());
  if (!*seen || **seen != to_bytes(text)) {
    auto transaction = store_->begin();
    if (!transaction) return failed("begin", transaction.error());
    auto message = decrypt(*protocol_, kCustomer, world_.to_shop[number].message);
    // A session that a bundle began may be gone with the power; the customer hears that.
    if (!message) {
      ++world_.written_again;
      const auto one_time = protocol_->pre_key_for_retry();
      if (!one_time) return failed("retry key", one_time.error());
      world_.customer_writes_again(number, bundle_of(*protocol_, *one_time));
      message = decrypt(*protocol_, kCustomer, world_.to_shop[number].message);
    }
    if (!message) {
      return failed(name("undecryptable ", number), message.error().error);
    }
    const auto read = signal::unpad(message->plaintext);
    if (!read || to_bytes(*read) != to_bytes(text))
      world_.problems.push_back("not what was written");
    const auto noted = store_->save(row, to_bytes(text));
    if (!noted) return failed("save", noted.error());
    const auto committed = transaction->commit();
    if (!committed) return failed("commit", committed.error());
  }
  if (!durable()) return false;
  world_.to_shop[number].acknowledged = true;
  return true;
}

bool Shop::work() {
  if (!publish()) return false;
  if (world_.to_shop.empty()) world_.customer_writes(3);
  for (std::size_t i = 0; i < std::max(world_.left.size(), world_.to_shop.size()); ++i) {
    if (i < world_.to_shop.size() && !world_.to_shop[i].acknowledged && !receive(i)) return false;
    if (i < world_.left.size() && !world_.left[i] && !send(static_cast<int>(i))) return false;
    // The customer answers: the ratchet turns.
    if (i == 1 && world_.to_shop.size() == 3) world_.customer_writes(3);
  }
  return true;
}

bool Shop::log_in() {
  const auto saved = store_->save("login", random_.bytes(8));
  return saved ? durable() : failed("login", saved.error());
}

bool Shop::send_more(int count) {
  for (int i = 0; i < count; ++i) {
    world_.left.push_back(false);
    if (!send(static_cast<int>(world_.left.size()) - 1)) return false;
  }
  return true;
}

bool Shop::receive_all() {
  for (std::size_t i = 0; i < world_.to_shop.size(); ++i) {
    if (!world_.to_shop[i].acknowledged && !receive(i)) return false;
  }
  return true;
}

void Shop::scribble_beside_worker() {
  if (store_ != nullptr && worker_.busy() && !store_->database().in_transaction()) scribble();
}

void Shop::scribble() {
  const Bytes value(100, static_cast<std::byte>(scribbles_));
  const auto saved =
      store_->save(name("scribble", static_cast<std::size_t>(scribbles_++ % 7)), value);
  if (!saved) failed("scribble", saved.error());
}

}  // namespace posthorn::store
