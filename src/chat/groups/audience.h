#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chat/groups/metadata.h"
#include "chat/lane/context.h"
#include "chat/people/devices.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"

namespace posthorn::chat {

/// One device that a group's message is for.
struct TargetDevice {
  wire::Jid named;  ///< in the preferred form: sessions and marks are kept so
  wire::Jid shown;  ///< in the group's addressing form
  bool operator==(const TargetDevice&) const = default;
};

/// The devices of all members but the one that sends, and the hash over all of them.
struct Audience {
  std::vector<TargetDevice> devices;
  std::string phash;
};

/// Finds the devices of a group's members, some users in each turn of the loop, so that a group of
/// 1,024 holds up nobody. Source: chapters 09 section 5, 10 section 10.
class AudienceFinder : public std::enable_shared_from_this<AudienceFinder> {
 public:
  /// context and devices outlive it. done: errors as of Devices::get.
  static void find(const MessageContext& context, Devices& devices, const GroupInfo& group,
                   Devices::Freshness freshness, Once<void(Result<Audience>)> done);

 private:
  AudienceFinder(const MessageContext& context, Devices& devices, const GroupInfo& group,
                 Devices::Freshness freshness, Once<void(Result<Audience>)> done);
  void next();
  void on_devices(Result<std::vector<UserDevices>> lists);
  void add(const UserDevices& user, const wire::Jid& shown);
  void finish();

  const MessageContext& context_;
  Devices& devices_;
  Devices::Freshness freshness_;
  Once<void(Result<Audience>)> done_;
  wire::Jid self_;  ///< our device in the group's form
  std::vector<wire::Jid> shown_;
  std::size_t done_users_ = 0, asked_ = 0;
  Audience out_;
};

}  // namespace posthorn::chat
