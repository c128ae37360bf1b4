// What WhatsApp's server answers to questions of the chat: groups, media hosts, pictures, app
// state. Names and addresses out of it go into URLs and to clients.
//
// Input: one encoded stanza, without the flag byte.

#include "chat/files/hosts.h"
#include "chat/files/media_retry.h"
#include "chat/groups/changes.h"
#include "chat/groups/metadata.h"
#include "chat/groups/stories.h"
#include "chat/people/profiles.h"
#include "chat/state/round.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/wire/node_codec.h"

using namespace posthorn;

namespace {

void check_group(const chat::GroupInfo& group) {
  fuzz::require(group.members.size() <= chat::kMembersMost, "a group has its bound");
  fuzz::require(group.subject.size() <= 512 && group.description.size() <= 4096, "so have texts");
  for (const chat::Member& member : group.members) {
    fuzz::require(member.jid.device == 0, "members are bare");
    fuzz::require(group.find(member.jid) != nullptr, "a member is found");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto node = wire::decode_node(fuzz::Input(data, size).rest());
  if (!node) return 0;
  if (const auto group = chat::parse_group_answer(*node)) check_group(*group);
  for (const auto& group : chat::parse_groups_answer(*node)) check_group(group);
  (void)chat::parse_member_answer(*node, "add");
  (void)chat::parse_invite_link(*node);
  (void)chat::parse_leave_answer(*node);
  (void)chat::parse_story_privacy(*node);
  (void)chat::parse_picture(node);
  (void)chat::parse_business(*node);
  (void)chat::parse_collection_answer(*node, "regular");
  (void)chat::parse_media_retry(*node, Bytes(32));
  if (const auto conn = chat::parse_media_conn(*node, 1'790'000'000)) {
    fuzz::require(!conn->hosts.empty() && conn->hosts.size() <= 4, "one to four hosts");
    for (const std::string& host : conn->hosts) {
      fuzz::require(host.find_first_of("/@?#\\ \r\n\"") == std::string::npos, "a host is a host");
    }
  }
  return 0;
}
