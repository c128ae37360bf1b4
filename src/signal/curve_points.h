#pragma once

#include "posthorn/signal/curve.h"
#include "signal/library.h"

namespace posthorn::signal {

/// Any 32 bytes are a point for the library.
[[nodiscard]] Ref<ec_public_key> to_point(const PublicKey& key);
[[nodiscard]] Ref<ec_private_key> to_scalar(const PrivateKey& key);
/// The raw key in a serialized one of 33 bytes.
[[nodiscard]] PublicKey from_point(const ec_public_key* point);

}  // namespace posthorn::signal
