#pragma once

#include <optional>

#include "posthorn/signal/key_store.h"
#include "signal/library.h"

namespace posthorn::signal {

/// Joins the library's store callbacks to a KeyStore. The library writes in the middle of an
/// operation, for a pkmsg even before it has checked the MAC: writes are collected here and leave
/// together when the operation has succeeded.
class StoreBridge {
 public:
  StoreBridge(KeyStore& store, signal_context* context);
  StoreBridge(const StoreBridge&) = delete;
  StoreBridge& operator=(const StoreBridge&) = delete;
  ~StoreBridge();

  [[nodiscard]] signal_protocol_store_context* context() const { return context_; }

  /// Forgets what a failed operation before left.
  void begin();
  /// Writes what was collected.
  Result<void> finish();
  /// Whether the operation saved another identity than the one known.
  [[nodiscard]] bool identity_changed() const { return identity_changed_; }
  /// What the store answered when it failed during the operation.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  /// The session as the operation sees it; read once per operation.
  Result<const std::optional<Bytes>*> session(const Address& address);

  // What the callbacks do; the return codes are the library's.
  int load_session(signal_buffer** record, const signal_protocol_address* address);
  int contains_session(const signal_protocol_address* address);
  int store_session(const signal_protocol_address* address, ByteView record);
  int load_pre_key(signal_buffer** record, std::uint32_t id);
  int contains_pre_key(std::uint32_t id);
  int remove_pre_key(std::uint32_t id);
  int load_signed_pre_key(signal_buffer** record, std::uint32_t id);
  int contains_signed_pre_key(std::uint32_t id);
  int own_key_pair(signal_buffer** public_key, signal_buffer** private_key);
  int own_registration_id(std::uint32_t* id);
  int save_identity(const signal_protocol_address* address, ByteView key);
  int load_sender_key(signal_buffer** record, const signal_protocol_sender_key_name* name);
  int store_sender_key(const signal_protocol_sender_key_name* name, ByteView record);

 private:
  struct LoadedSession {
    Address address;
    std::optional<Bytes> record;
    bool leapt = false;  ///< it is further than the store's
  };

  int failed(Error error);
  /// With the life that writes it.
  [[nodiscard]] Bytes stamped(Bytes record);

  KeyStore& store_;
  signal_context* library_;
  signal_protocol_store_context* context_ = nullptr;
  KeyChanges changes_;
  std::optional<LoadedSession> loaded_;
  std::optional<SenderKeyName> leapt_sender_key_;  ///< loaded further than the store's
  bool identity_changed_ = false;
  std::optional<Error> error_;
};

}  // namespace posthorn::signal
