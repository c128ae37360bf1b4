#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/wire/app_state.h"
#include "posthorn/wire/node.h"

namespace posthorn::simulator {

class World;
struct Account;
struct Device;

/// One collection as the server has it (patches that it never opens) and as the phone has it, which
/// opens every one.
struct Collection {
  struct Entry {
    Bytes value_mac;
    std::string index;  ///< JSON
    Bytes value;        ///< SyncActionValue
    Bytes sealed;       ///< the value as it travels
  };
  std::uint64_t version = 0;
  std::vector<Bytes> patches;  ///< each with its version filled in
  wire::LtHash hash;
  std::map<Bytes, Entry> entries;  ///< by index MAC
};

/// The app state of accounts: chapter 13 B11, chapter 11.
class AppState {
 public:
  explicit AppState(World& world) : world_(world) {}

  /// What a phone has before the first companion is linked: name and locale.
  void begin(Account& account);
  /// <iq xmlns="w:sync:app:state">: the answer's <sync>, or the code of a refusal.
  struct Refusal {
    int code = 400;
    const char* text = "bad-request";
  };
  tl::expected<wire::Node, Refusal> answer(Device& from, const wire::Node& iq);
  /// The owner changes something on the phone; the companions are told.
  void change(Account& account, const std::string& collection, wire::SyncOperation operation,
              const std::vector<std::string>& index, ByteView value, std::int64_t version);

  /// The one key of an account: derived, so every companion gets the same.
  [[nodiscard]] static Bytes key_id();
  [[nodiscard]] static Bytes key_data(const Account& account);

 private:
  void write(Account& account, const std::string& collection, wire::SyncOperation operation,
             const std::vector<std::string>& index, ByteView value, std::int64_t version);
  /// The whole collection as a file at the media host: what names it.
  Bytes put_snapshot(const Account& account, const std::string& name, const Collection& collection);
  wire::Node answer_one(Device& from, const wire::Node& asked, bool whole);
  bool take(Device& from, const std::string& name, ByteView patch);
  void follow(const Device& from, const std::string& name, Collection& collection,
              const wire::SyncPatch& patch);
  void tell(Account& account, const std::string& name, const Device* except);

  World& world_;
};

}  // namespace posthorn::simulator
