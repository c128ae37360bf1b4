// What the phone of an account gives its companions of messages that they do not have.
#include "simulator/peer_content.h"
#include "simulator/virtual_device.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace {

/// As the phone keeps it; nullopt: it has no such message.
std::optional<wa::WebMessageInfo> kept(const World& world, const Account& account,
                                       const wa::MessageKey& key) {
  for (const Received& one : world.peers.inbox(account, 0)) {
    wa::Message content;
    if (one.device != 0 || one.id != key.id() ||
        !content.ParseFromString(to_string(one.protobuf))) {
      continue;
    }
    wa::WebMessageInfo info;
    *info.mutable_key() = key;
    *info.mutable_message() = content_of(content);
    info.set_messagetimestamp(static_cast<std::uint64_t>(one.at.unix_seconds()));
    return info;
  }
  return std::nullopt;
}

}  // namespace

void VirtualDevice::answer_placeholders(
    const Device& asker, const std::string& question_id,
    const wa::Message::PeerDataOperationRequestMessage& question) {
  Device* to = world_.directory.find_device(asker.pn());
  if (device_.id != 0 || to == nullptr) return;
  wa::Message answer;
  auto& protocol = *answer.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE);
  auto& response = *protocol.mutable_peerdataoperationrequestresponsemessage();
  response.set_peerdataoperationrequesttype(wa::Message::PLACEHOLDER_MESSAGE_RESEND);
  response.set_stanzaid(question_id);
  for (const auto& one : question.placeholdermessageresendrequest()) {
    auto& result = *response.add_peerdataoperationresult();
    if (const auto info = kept(world_, device_.account, one.messagekey())) {
      result.mutable_placeholdermessageresendresponse()->set_webmessageinfobytes(
          info->SerializeAsString());
    }
  }
  send_peer(*to, answer);
}

}  // namespace posthorn::simulator
