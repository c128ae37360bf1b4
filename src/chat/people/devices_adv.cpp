#include "chat/people/devices_adv.h"

#include <array>

#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {
namespace {

using Prefix = std::array<std::byte, 2>;

// What a signature covers begins with two bytes that say what it is for (chapter 03).
constexpr Prefix kListPrefix{std::byte{6}, std::byte{2}};
constexpr Prefix kHostedListPrefix{std::byte{6}, std::byte{7}};
constexpr Prefix kAccountPrefix{std::byte{6}, std::byte{0}};
constexpr Prefix kHostedAccountPrefix{std::byte{6}, std::byte{5}};

}  // namespace

bool KeyIndexList::allows(const DeviceEntry& device) const {
  if (device.id == 0) return true;
  if (!device.key_index) return false;
  return valid.contains(*device.key_index) || *device.key_index > current_index;
}

Result<KeyIndexList> parse_key_index_list(ByteView signed_list,
                                          const std::optional<signal::PublicKey>& account_key) {
  wa::ADVSignedKeyIndexList outer;
  wa::ADVKeyIndexList details;
  if (!outer.ParseFromArray(signed_list.data(), static_cast<int>(signed_list.size())) ||
      !details.ParseFromString(outer.details())) {
    return fail(Errc::malformed, "key index list");
  }
  if (account_key) {
    const bool hosted = details.accounttype() == wa::HOSTED;
    const Bytes covered =
        concat({hosted ? kHostedListPrefix : kListPrefix, as_bytes(outer.details())});
    if (!signal::verify(*account_key, covered, as_bytes(outer.accountsignature()))) {
      return fail(Errc::crypto, "signature of the key index list");
    }
  }
  KeyIndexList list;
  list.raw_id = details.rawid();
  list.timestamp = static_cast<std::int64_t>(details.timestamp());
  list.current_index = details.currentindex();
  list.valid.insert(details.validindexes().begin(), details.validindexes().end());
  return list;
}

Result<void> check_companion(ByteView signed_identity, const signal::PublicKey& companion,
                             const signal::PublicKey& account_key) {
  wa::ADVSignedDeviceIdentity outer;
  wa::ADVDeviceIdentity details;
  if (!outer.ParseFromArray(signed_identity.data(), static_cast<int>(signed_identity.size())) ||
      !details.ParseFromString(outer.details())) {
    return fail(Errc::malformed, "device identity");
  }
  const bool hosted = details.devicetype() == wa::HOSTED;
  const Bytes covered = concat(
      {hosted ? kHostedAccountPrefix : kAccountPrefix, as_bytes(outer.details()), companion});
  if (!signal::verify(account_key, covered, as_bytes(outer.accountsignature()))) {
    return fail(Errc::crypto, "account signature of a companion");
  }
  return {};
}

}  // namespace posthorn::chat
