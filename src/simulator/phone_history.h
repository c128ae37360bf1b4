#pragma once

#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/wire/wa.pb.h"

/// What an account's phone tells its companions of earlier days: by itself, and when it is asked.
/// Source: chapters 12 section 1, 13 B12.
namespace posthorn::simulator {

struct Device;
class World;

using HistoryNotification = wa::Message::HistorySyncNotification;

/// Where a notification has its HistorySync.
enum class HistoryPlace : std::uint8_t { in_message, at_media_host };

/// protocolMessage with that HistorySync; syncType and the like are the caller's. Gives how many
/// bytes it is compressed.
std::size_t put_history(World& world, ByteView history, HistoryPlace place,
                        HistoryNotification& news);

/// The phone of `asker`'s account answers a request for messages of a chat, from what it keeps:
/// what its companions were told of earlier days and what it has received itself.
/// request_id: of the asker's peer message.
void answer_history(World& world, Device& asker, const std::string& request_id,
                    const wa::Message::PeerDataOperationRequestMessage& request);

}  // namespace posthorn::simulator
