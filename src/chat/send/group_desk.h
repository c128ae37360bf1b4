#pragma once

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// What sending a group's message once more asks of the room of groups.
class GroupDesk {
 public:
  virtual ~GroupDesk() = default;

  /// Whether that person may read what was sent to the group. Errors: io, disconnected and the
  /// like.
  virtual void may_read(const wire::Jid& group, const wire::Jid& user,
                        Once<void(Result<bool>)> done) = 0;
  /// Adds our sender key as it stands to a message for that device, and takes it for one that
  /// lacks the key. Inside ReceiveLane::exclusive.
  virtual Result<void> add_key(const wire::Jid& group, const wire::Jid& device,
                               wa::Message& message) = 0;
};

}  // namespace posthorn::chat
