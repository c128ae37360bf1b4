#include "signal/store_bridge.h"

#include <cassert>
#include <cstdlib>

#include "signal/curve_points.h"
#include "signal/record_bounds.h"
#include "signal/record_life.h"

namespace posthorn::signal {

namespace {

/// Outside the library's own codes (they end at SG_ERR_MINIMUM).
constexpr int kStoreFailed = SG_ERR_MINIMUM - 1;

StoreBridge& self(void* user_data) { return *static_cast<StoreBridge*>(user_data); }
ByteView bytes(const std::uint8_t* data, std::size_t length) {
  return {reinterpret_cast<const std::byte*>(data), length};
}
std::string_view name_of(const signal_protocol_address& address) {
  return {address.name, address.name_len};
}
Address to_address(const signal_protocol_address& address) {
  return {std::string(name_of(address)), static_cast<std::uint16_t>(address.device_id)};
}
SenderKeyName to_name(const signal_protocol_sender_key_name& name) {
  return {std::string(name.group_id, name.group_id_len), to_address(name.sender)};
}

int give(signal_buffer** out, ByteView data, int found) {
  *out = make_buffer(data);
  return *out == nullptr ? SG_ERR_NOMEM : found;
}

void must(int status) {
  assert(status == 0);
  if (status != 0) std::abort();
}

void set_session_store(signal_protocol_store_context* context, StoreBridge* bridge) {
  const signal_protocol_session_store callbacks{
      .load_session_func = [](signal_buffer** record, signal_buffer**,
                              const signal_protocol_address* address,
                              void* data) { return self(data).load_session(record, address); },
      // Asked for by no operation of ours.
      .get_sub_device_sessions_func = [](signal_int_list**, const char*, std::size_t,
                                         void*) { return SG_ERR_INVAL; },
      .store_session_func =
          [](const signal_protocol_address* address, std::uint8_t* record, std::size_t length,
             std::uint8_t*, std::size_t,
             void* data) { return self(data).store_session(address, bytes(record, length)); },
      .contains_session_func = [](const signal_protocol_address* address,
                                  void* data) { return self(data).contains_session(address); },
      .delete_session_func = [](const signal_protocol_address*, void*) { return SG_ERR_INVAL; },
      .delete_all_sessions_func = [](const char*, std::size_t, void*) { return SG_ERR_INVAL; },
      .destroy_func = nullptr,
      .user_data = bridge,
  };
  must(signal_protocol_store_context_set_session_store(context, &callbacks));
}

void set_pre_key_store(signal_protocol_store_context* context, StoreBridge* bridge) {
  const signal_protocol_pre_key_store callbacks{
      .load_pre_key = [](signal_buffer** record, std::uint32_t id,
                         void* data) { return self(data).load_pre_key(record, id); },
      .store_pre_key = [](std::uint32_t, std::uint8_t*, std::size_t,
                          void*) { return SG_ERR_INVAL; },
      .contains_pre_key = [](std::uint32_t id,
                             void* data) { return self(data).contains_pre_key(id); },
      .remove_pre_key = [](std::uint32_t id, void* data) { return self(data).remove_pre_key(id); },
      .destroy_func = nullptr,
      .user_data = bridge,
  };
  must(signal_protocol_store_context_set_pre_key_store(context, &callbacks));
}

void set_signed_pre_key_store(signal_protocol_store_context* context, StoreBridge* bridge) {
  const signal_protocol_signed_pre_key_store callbacks{
      .load_signed_pre_key = [](signal_buffer** record, std::uint32_t id,
                                void* data) { return self(data).load_signed_pre_key(record, id); },
      .store_signed_pre_key = [](std::uint32_t, std::uint8_t*, std::size_t,
                                 void*) { return SG_ERR_INVAL; },
      .contains_signed_pre_key = [](std::uint32_t id,
                                    void* data) { return self(data).contains_signed_pre_key(id); },
      .remove_signed_pre_key = [](std::uint32_t, void*) { return SG_ERR_INVAL; },
      .destroy_func = nullptr,
      .user_data = bridge,
  };
  must(signal_protocol_store_context_set_signed_pre_key_store(context, &callbacks));
}

void set_identity_store(signal_protocol_store_context* context, StoreBridge* bridge) {
  const signal_protocol_identity_key_store callbacks{
      .get_identity_key_pair =
          [](signal_buffer** public_key, signal_buffer** private_key, void* data) {
            return self(data).own_key_pair(public_key, private_key);
          },
      .get_local_registration_id =
          [](void* data, std::uint32_t* id) { return self(data).own_registration_id(id); },
      .save_identity =
          [](const signal_protocol_address* address, std::uint8_t* key, std::size_t length,
             void* data) { return self(data).save_identity(address, bytes(key, length)); },
      // Trust on first use and after: nothing in WhatsApp blocks on identity (chapter 05, 5.4).
      .is_trusted_identity = [](const signal_protocol_address*, std::uint8_t*, std::size_t,
                                void*) { return 1; },
      .destroy_func = nullptr,
      .user_data = bridge,
  };
  must(signal_protocol_store_context_set_identity_key_store(context, &callbacks));
}

void set_sender_key_store(signal_protocol_store_context* context, StoreBridge* bridge) {
  const signal_protocol_sender_key_store callbacks{
      .store_sender_key =
          [](const signal_protocol_sender_key_name* name, std::uint8_t* record, std::size_t length,
             std::uint8_t*, std::size_t,
             void* data) { return self(data).store_sender_key(name, bytes(record, length)); },
      .load_sender_key = [](signal_buffer** record, signal_buffer**,
                            const signal_protocol_sender_key_name* name,
                            void* data) { return self(data).load_sender_key(record, name); },
      .destroy_func = nullptr,
      .user_data = bridge,
  };
  must(signal_protocol_store_context_set_sender_key_store(context, &callbacks));
}

}  // namespace

StoreBridge::StoreBridge(KeyStore& store, signal_context* context)
    : store_(store), library_(context) {
  must(signal_protocol_store_context_create(&context_, context));
  set_session_store(context_, this);
  set_pre_key_store(context_, this);
  set_signed_pre_key_store(context_, this);
  set_identity_store(context_, this);
  set_sender_key_store(context_, this);
}

StoreBridge::~StoreBridge() { signal_protocol_store_context_destroy(context_); }

void StoreBridge::begin() {
  changes_ = {};
  loaded_.reset();
  leapt_sender_key_.reset();
  identity_changed_ = false;
  error_.reset();
}

Result<void> StoreBridge::finish() {
  if (changes_.empty()) return {};
  return store_.apply(changes_);
}

Bytes StoreBridge::stamped(Bytes record) {
  const std::uint64_t life = store_.life();
  return life == 0 ? std::move(record) : with_life(std::move(record), life);
}

int StoreBridge::failed(Error error) {
  error_ = std::move(error);
  return kStoreFailed;
}

Result<const std::optional<Bytes>*> StoreBridge::session(const Address& address) {
  if (!loaded_ || loaded_->address != address) {
    TRY(auto record, store_.session(address));
    std::optional<Bytes> leapt;
    if (record && life_of(*record) < store_.exact_since()) {
      // What cannot be read stays as it is: whoever tries to is told.
      leapt = skip_ahead_session(*record, library_);
    }
    loaded_ = LoadedSession{address, leapt ? leapt : std::move(record), leapt.has_value()};
  }
  return &loaded_->record;
}

int StoreBridge::load_session(signal_buffer** record, const signal_protocol_address* address) {
  auto found = session(to_address(*address));
  if (!found) return failed(std::move(found.error()));
  const std::optional<Bytes>& bytes = **found;
  return bytes ? give(record, *bytes, 1) : 0;
}

int StoreBridge::contains_session(const signal_protocol_address* address) {
  auto found = session(to_address(*address));
  if (!found) return failed(std::move(found.error()));
  return (*found)->has_value() ? 1 : 0;
}

int StoreBridge::store_session(const signal_protocol_address* address, ByteView record) {
  Address owner = to_address(*address);
  assert(!changes_.session || changes_.session->address == owner);
  auto cut = bounded_session(record);
  Bytes kept = stamped(cut ? std::move(*cut) : to_bytes(record));
  const bool leapt = loaded_ && loaded_->address == owner && loaded_->leapt;
  loaded_ = LoadedSession{owner, kept, leapt};
  changes_.session = KeyChanges::Session{std::move(owner), std::move(kept), leapt};
  return 0;
}

int StoreBridge::load_pre_key(signal_buffer** record, std::uint32_t id) {
  auto found = store_.pre_key(id);
  if (!found) return failed(std::move(found.error()));
  if (!*found) return SG_ERR_INVALID_KEY_ID;
  const KeyPair& key = (*found)->key;
  const auto point = to_point(key.public_key);
  const auto scalar = to_scalar(key.private_key);
  Ref<ec_key_pair> pair;
  Ref<session_pre_key> pre_key;
  if (ec_key_pair_create(pair.out(), point.get(), scalar.get()) < 0 ||
      session_pre_key_create(pre_key.out(), id, pair.get()) < 0) {
    return SG_ERR_NOMEM;
  }
  return session_pre_key_serialize(record, pre_key.get());
}

int StoreBridge::contains_pre_key(std::uint32_t id) {
  auto found = store_.pre_key(id);
  if (!found) return failed(std::move(found.error()));
  return found->has_value() ? 1 : 0;
}

int StoreBridge::remove_pre_key(std::uint32_t id) {
  changes_.used_pre_key = id;
  return 0;
}

int StoreBridge::load_signed_pre_key(signal_buffer** record, std::uint32_t id) {
  auto found = store_.signed_pre_key(id);
  if (!found) return failed(std::move(found.error()));
  if (!*found) return SG_ERR_INVALID_KEY_ID;
  const SignedPreKey& key = **found;
  const auto point = to_point(key.key.public_key);
  const auto scalar = to_scalar(key.key.private_key);
  Ref<ec_key_pair> pair;
  Ref<session_signed_pre_key> pre_key;
  if (ec_key_pair_create(pair.out(), point.get(), scalar.get()) < 0 ||
      session_signed_pre_key_create(pre_key.out(), id,
                                    static_cast<std::uint64_t>(key.made.since_epoch.count()),
                                    pair.get(), raw(key.signature), key.signature.size()) < 0) {
    return SG_ERR_NOMEM;
  }
  return session_signed_pre_key_serialize(record, pre_key.get());
}

int StoreBridge::contains_signed_pre_key(std::uint32_t id) {
  auto found = store_.signed_pre_key(id);
  if (!found) return failed(std::move(found.error()));
  return found->has_value() ? 1 : 0;
}

int StoreBridge::own_key_pair(signal_buffer** public_key, signal_buffer** private_key) {
  auto own = store_.own_identity();
  if (!own) return failed(std::move(own.error()));
  if (!*own) return failed({Errc::not_found, "no identity yet"});
  const KeyPair& key = (*own)->key;
  const int status = give(public_key, with_type_byte(key.public_key), 0);
  return status < 0 ? status : give(private_key, key.private_key, 0);
}

int StoreBridge::own_registration_id(std::uint32_t* id) {
  auto own = store_.own_identity();
  if (!own) return failed(std::move(own.error()));
  if (!*own) return failed({Errc::not_found, "no identity yet"});
  *id = (*own)->registration_id;
  return 0;
}

int StoreBridge::save_identity(const signal_protocol_address* address, ByteView key) {
  auto parsed = parse_public_key(key);
  if (!parsed) return SG_ERR_INVALID_KEY;
  Address owner = to_address(*address);
  auto known = store_.peer_identity(owner);
  if (!known) return failed(std::move(known.error()));
  if (*known && **known == *parsed) return 0;
  identity_changed_ = known->has_value();
  changes_.peer_identity = KeyChanges::PeerIdentity{std::move(owner), *parsed};
  return 0;
}

int StoreBridge::load_sender_key(signal_buffer** record,
                                 const signal_protocol_sender_key_name* name) {
  SenderKeyName key = to_name(*name);
  if (changes_.sender_key && changes_.sender_key->name == key) {
    return give(record, changes_.sender_key->record, 1);
  }
  auto found = store_.sender_key(key);
  if (!found) return failed(std::move(found.error()));
  if (*found && life_of(**found) < store_.exact_since()) {
    if (auto ahead = skip_ahead_sender_key(**found, library_)) {
      *found = std::move(*ahead);
      leapt_sender_key_ = key;
    }
  }
  return *found ? give(record, **found, 1) : 0;
}

int StoreBridge::store_sender_key(const signal_protocol_sender_key_name* name, ByteView record) {
  auto cut = bounded_sender_key(record);
  SenderKeyName key = to_name(*name);
  const bool leapt = leapt_sender_key_ == key;
  changes_.sender_key = KeyChanges::SenderKey{
      std::move(key), stamped(cut ? std::move(*cut) : to_bytes(record)), leapt};
  return 0;
}

}  // namespace posthorn::signal
