#pragma once

#include <cstddef>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/node.h"

/// Binary nodes: the bytes inside one decrypted frame. Pure; protocol chapter 02.
namespace posthorn::wire {

inline constexpr std::size_t kMaxInflatedBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxNodeDepth = 64;
inline constexpr std::size_t kMaxChildren = 65535;

/// Decodes one stanza. plaintext: flag byte, then the root node, zlib-compressed when bit 1 of the
/// flag is set. Returns a node that owns its bytes. An empty child list decodes as no content.
/// left_over: when given, receives how many bytes stood behind the root node (they are ignored, as
/// chapter 02 section 2 says; worth a log line).
/// Errors: malformed (empty, truncated, unknown tag byte, packed symbol, bad zlib, inflates over
/// kMaxInflatedBytes, nesting over kMaxNodeDepth). The connection can go on after an error.
[[nodiscard]] Result<Node> decode_frame(ByteView plaintext, std::size_t* left_over = nullptr);

/// Decodes one uncompressed node without flag byte; bytes behind it are ignored and counted.
/// Errors: as above.
[[nodiscard]] Result<Node> decode_node(ByteView encoded, std::size_t* left_over = nullptr);

/// Clients never compress; the simulator does, to exercise decoders.
enum class Compression : bool { none, zlib };

/// The inverse of decode_frame. Attributes with an empty text and empty child lists are left out;
/// JID attributes are written as JIDs, text never is; c.us stays what it is.
/// Errors: malformed (empty tag or key, too many attributes or children, device over 255).
[[nodiscard]] Result<Bytes> encode_frame(const Node& node,
                                         Compression compression = Compression::none);

/// Appends the node's uncompressed form without flag byte to `out`; on an error `out` is as before.
[[nodiscard]] Result<void> encode_node(const Node& node, Bytes& out);

}  // namespace posthorn::wire
