#pragma once

#include <cstdint>
#include <optional>

#include "posthorn/base/bytes.h"

/// What a peer can make us keep. libsignal-protocol-c keeps 2,000 keys of skipped messages in each
/// of five chains of 41 states: 36 MB that one sender can fill, written again with every message.
/// Its records are protobufs (LocalStorageProtocol.proto of libsignal-protocol-c 2.3.3), so what is
/// too much is cut out of the serialized form, and the library stays as it is.
namespace posthorn::signal {

/// How far ahead of the last message of its chain one may be. Further away so much is lost that
/// the sender does better to begin anew: the message is asked for again, with keys.
inline constexpr std::uint32_t kMaxLeap = 512;
/// A record up to this size is left alone; a larger one loses the oldest of what follows.
inline constexpr std::size_t kRecordBytes = 32'768;
/// Keys of skipped messages in a record that was cut. A straggler whose key is gone is asked for
/// again.
inline constexpr std::size_t kSkippedKeys = 192;
/// Earlier sessions with the same device. A message of one that is gone is asked for again.
inline constexpr std::size_t kArchivedStates = 8;

/// A session record within these bounds. Keys are kept of the newest session, in it of the newest
/// chain, in it of the newest messages. nullopt: it is within them already, or is no such record.
[[nodiscard]] std::optional<Bytes> bounded_session(ByteView record);
/// The same of a group member's sender keys.
[[nodiscard]] std::optional<Bytes> bounded_sender_key(ByteView record);

/// The number of the next message of the receiving chain with that ratchet key (33 bytes), in any
/// state of the record; 0: no such chain, so it begins.
[[nodiscard]] std::uint32_t next_of_chain(ByteView session_record, ByteView ratchet_key);

}  // namespace posthorn::signal
