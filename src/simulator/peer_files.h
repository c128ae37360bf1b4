#pragma once

#include <optional>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/simulator/simulator.h"
#include "posthorn/wire/node.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::simulator {

class MediaShelf;

/// The message that brings a file, whose encrypted bytes are put on the shelf.
/// Errors: malformed (kind).
[[nodiscard]] Result<wa::Message> build_peer_file(const PeerFile& file, MediaShelf& shelf,
                                                  Random& random, std::int64_t now);
/// The kind of a message with a file, as PeerFile names it; "": it has none.
[[nodiscard]] std::string file_kind(const wa::Message& message);
/// The file that a message brings, opened as a receiver would: MAC and both hashes are checked.
/// nullopt: not there, or not openable.
[[nodiscard]] std::optional<Bytes> open_peer_file(const wa::Message& message,
                                                  const MediaShelf& shelf);
[[nodiscard]] std::string file_caption(const wa::Message& message);

/// Where a file lies and its key; empty: no file. To ask for it again.
struct PeerFilePlace {
  std::string direct_path;
  Bytes media_key;
};
[[nodiscard]] PeerFilePlace file_place(const wa::Message& message);

/// What the phone says to a server-error receipt: the sealed <encrypt>. new_path: where the file
/// lies now; empty: it could not be uploaded. Errors: crypto, malformed (the request does not
/// open).
[[nodiscard]] Result<wire::Node> answer_media_retry(const PeerFilePlace& place,
                                                    const wire::Node& receipt,
                                                    const std::string& id,
                                                    const std::string& new_path, Random& random);

}  // namespace posthorn::simulator
