#include "simulator/phone_history.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "posthorn/base/media_cipher.h"
#include "posthorn/wire/fields.h"
#include "simulator/peer_content.h"
#include "simulator/virtual_device.h"
#include "simulator/world.h"

namespace posthorn::simulator {

using wire::FieldWriter;

namespace {

constexpr int kOnDemand = 6;
constexpr int kMostAsked = 50;
/// WhatsApp's own limit is not known; larger answers lie at the media host.
constexpr std::size_t kMostInline = std::size_t{64} << 10;

Bytes deflated(ByteView plain) {
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  Bytes out(size);
  (void)compress(reinterpret_cast<Bytef*>(out.data()), &size,
                 reinterpret_cast<const Bytef*>(plain.data()), static_cast<uLong>(plain.size()));
  out.resize(size);
  return out;
}

/// One message as the phone has it.
struct Kept {
  std::string id;
  bool from_me = false;
  std::int64_t at = 0;
  std::string content;  ///< serialised Message
  std::string push_name;
};

bool is_chat(const World& world, const std::string& name, const std::string& asked) {
  if (name == asked) return true;
  const Account* one = world.directory.find(name);
  return one != nullptr && one == world.directory.find(asked);
}

std::vector<Kept> kept_of(const World& world, const Account& account, const std::string& chat) {
  std::vector<Kept> out;
  for (const OldMessage& old : account.old_messages) {
    if (!is_chat(world, old.chat, chat)) continue;
    wa::Message content;
    content.set_conversation(old.text);
    out.push_back({old.id, old.from_me, old.at, content.SerializeAsString(), ""});
  }
  for (const Received& one : world.peers.inbox(account, 0)) {
    wa::Message content;
    if (one.device != 0 || !is_chat(world, one.chat, chat) ||
        !content.ParseFromString(to_string(one.protobuf)) ||
        content_of(content).has_protocolmessage()) {
      continue;
    }
    const Account* sender = world.directory.find(one.sender);
    out.push_back({one.id, one.from_me, one.at.unix_seconds(),
                   content_of(content).SerializeAsString(),
                   one.from_me || sender == nullptr ? "" : sender->name});
  }
  return out;
}

FieldWriter row_of(const std::string& chat, const Kept& kept) {
  constexpr std::uint64_t kServerAck = 2, kDelivered = 3;
  FieldWriter key, web, row;
  key.text(1, chat).number(2, kept.from_me ? 1 : 0).text(3, kept.id);
  web.message(1, key).bytes(2, as_bytes(kept.content));
  web.number(3, static_cast<std::uint64_t>(kept.at));
  web.number(4, kept.from_me ? kDelivered : kServerAck);
  if (!kept.push_name.empty()) web.text(19, kept.push_name);
  row.message(1, web);
  return row;
}

}  // namespace

std::size_t put_history(World& world, ByteView history, HistoryPlace place,
                        HistoryNotification& news) {
  const Bytes packed = deflated(history);
  if (place == HistoryPlace::in_message) {
    news.set_initialhistbootstrapinlinepayload(to_string(packed));
    return packed.size();
  }
  const Bytes key = world.random.bytes(crypto::kMediaKeyBytes);
  crypto::MediaSealer sealer(key, "WhatsApp History Keys");
  Bytes sealed = sealer.add(packed);
  append(sealed, sealer.finish());
  news.set_filesha256(std::string(as_text(crypto::sha256(packed))));
  news.set_filelength(packed.size());
  news.set_mediakey(to_string(key));
  news.set_fileencsha256(std::string(as_text(crypto::sha256(sealed))));
  news.set_directpath(world.media.put("md-msg-hist", std::move(sealed)));
  return packed.size();
}

void answer_history(World& world, Device& asker, const std::string& request_id,
                    const wa::Message::PeerDataOperationRequestMessage& request) {
  const auto& wanted = request.historysyncondemandrequest();
  if (wanted.chatjid().empty() || wanted.oldestmsgid().empty() ||
      wanted.oldestmsgtimestampms() <= 0 || wanted.ondemandmsgcount() <= 0 ||
      wanted.ondemandmsgcount() > kMostAsked) {
    return world.violation(asker, "history request that no phone answers");
  }
  Account& account = asker.account;
  VirtualDevice* phone = account.device(0)->virtual_device.get();
  if (account.history_answers == "silence" || phone == nullptr) return;
  std::vector<Kept> kept = kept_of(world, account, wanted.chatjid());
  std::stable_sort(kept.begin(), kept.end(),
                   [](const Kept& one, const Kept& other) { return one.at > other.at; });
  const auto anchor = std::find_if(kept.begin(), kept.end(), [&](const Kept& one) {
    return one.id == wanted.oldestmsgid() && one.from_me == wanted.oldestmsgfromme();
  });
  // A message that the phone has not any more: its time says where it stood.
  const auto first = anchor != kept.end()
                         ? anchor + 1
                         : std::find_if(kept.begin(), kept.end(), [&](const Kept& one) {
                             return one.at < wanted.oldestmsgtimestampms();
                           });
  FieldWriter chat, history;
  chat.text(1, wanted.chatjid());
  int left = wanted.ondemandmsgcount();
  for (auto one = first; one != kept.end() && left > 0; ++one, --left) {
    chat.message(2, row_of(wanted.chatjid(), *one));
  }
  history.number(1, kOnDemand);
  if (first != kept.end()) history.message(2, chat);

  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::HISTORY_SYNC_NOTIFICATION);
  auto& news = *protocol.mutable_historysyncnotification();
  news.set_synctype(kOnDemand);
  news.set_chunkorder(0);
  news.set_peerdatarequestsessionid(request_id);
  const bool in_message = wanted.supportinlineresponse() && account.history_answers == "inline" &&
                          history.out().size() <= kMostInline;
  put_history(world, history.out(),
              in_message ? HistoryPlace::in_message : HistoryPlace::at_media_host, news);
  phone->send_peer(asker, message);
}

}  // namespace posthorn::simulator
