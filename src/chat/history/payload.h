#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "chat/lane/blob_source.h"
#include "chat/lane/context.h"
#include "posthorn/base/result.h"
#include "posthorn/session/line.h"
#include "posthorn/wire/node.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

using HistoryNotification = wa::Message::HistorySyncNotification;

/// A notification's syncType. Source: chapter 12 section 1.1.
enum class HistoryType : std::int32_t {
  initial_bootstrap = 0,
  initial_status = 1,
  full = 2,
  recent = 3,
  push_name = 4,
  non_blocking_data = 5,
  on_demand = 6,
  no_history = 7,
  access_status = 8,
};
[[nodiscard]] inline bool is_type(const HistoryNotification& news, HistoryType type) {
  return news.synctype() == static_cast<std::int32_t>(type);
}

/// Whether a HistorySync comes with that notification, or lies where it says.
[[nodiscard]] bool has_payload(const HistoryNotification& news);

/// Gives the zlib data of a notification piece by piece: what came along with it in turns of the
/// loop, a file as it comes. most: bytes of a file. take's error ends it with that error. done: may
/// not run when message handling has ended. Errors: as of BlobSource::fetch(), what `take` said.
void read_payload(const MessageContext& context, BlobSource& blobs,
                  std::shared_ptr<const HistoryNotification> news, std::uint64_t most,
                  std::function<Result<void>(ByteView)> take,
                  std::function<void(Result<void>)> done);

/// What says that a file of the phone's history was taken; else it is offered again and again.
[[nodiscard]] wire::Node build_history_receipt(const std::string& message_id,
                                               const session::Identity& self);

}  // namespace posthorn::chat
