#include "chat/content/kinds.h"

// groupInviteMessage, eventMessage (chapter 07 sections 5.6, 5.8).
namespace posthorn::chat {

bool read(const wa::Message& message, content::GroupInvite& kind, Beside&) {
  if (!message.has_groupinvitemessage()) return false;
  const auto& invite = message.groupinvitemessage();
  kind.group = invite.groupjid();
  kind.code = invite.invitecode();
  kind.name = invite.groupname();
  kind.caption = invite.caption();
  kind.expires = invite.inviteexpiration();
  kind.thumbnail = to_bytes(as_bytes(invite.jpegthumbnail()));
  return true;
}

Result<wa::Message> write(const content::GroupInvite& kind, const Outgoing&) {
  wa::Message message;
  auto& invite = *message.mutable_groupinvitemessage();
  invite.set_groupjid(kind.group);
  invite.set_invitecode(kind.code);
  invite.set_inviteexpiration(kind.expires);
  invite.set_groupname(kind.name);
  if (!kind.caption.empty()) invite.set_caption(kind.caption);
  return message;
}

bool read(const wa::Message& message, content::Event& kind, Beside&) {
  if (!message.has_eventmessage()) return false;
  const auto& event = message.eventmessage();
  kind.name = event.name();
  kind.description = event.description();
  kind.place = event.location().name();
  if (kind.place.empty()) kind.place = event.location().address();
  kind.link = event.joinlink();
  kind.starts = event.starttime();
  kind.ends = event.endtime();
  kind.cancelled = event.iscanceled();
  return true;
}

Result<wa::Message> write(const content::Event&, const Outgoing&) {
  return fail(Errc::unsupported, "appointments only come in");
}

}  // namespace posthorn::chat
