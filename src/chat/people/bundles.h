#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// A device's public keys as they travel in stanzas (chapter 05 section 1.1).
struct KeyBundle {
  signal::Bundle keys;    ///< the signature is not verified yet
  Bytes device_identity;  ///< ADVSignedDeviceIdentity of a companion; may be empty
};

/// The answer for one device: a bundle, or why there is none.
struct FetchedBundle {
  wire::Jid device;
  Result<KeyBundle> bundle;
};

enum class FetchReason : std::uint8_t { ordinary, identity_changed };

/// <iq> that asks for the bundles of devices. Source: chapter 05 section 2.3.
[[nodiscard]] wire::Node build_bundle_query(std::span<const wire::Jid> devices, FetchReason reason);
/// Errors: malformed (no <list>). Per device: refused (detail holds the code), malformed.
[[nodiscard]] Result<std::vector<FetchedBundle>> parse_bundles(const wire::Node& iq);
/// The keys of one <user> or of a retry receipt (they sit in a <keys> child or directly below).
/// Errors: malformed, unsupported (key type other than 5).
[[nodiscard]] Result<KeyBundle> parse_bundle(const wire::Node& parent);

/// Big-endian, `size` bytes, as key nodes carry integers.
[[nodiscard]] Bytes encode_be(std::uint32_t value, std::size_t size);
/// nullopt: empty or longer than 4 bytes.
[[nodiscard]] std::optional<std::uint32_t> decode_be(ByteView bytes);

}  // namespace posthorn::chat
