#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "chat/rig.h"
#include "posthorn/wire/fields.h"

/// What the owner's phone tells of earlier days, as tests write it.
namespace posthorn::chat::chat_test {

using wire::FieldWriter;
using wire::Node;

inline constexpr std::int64_t kNow = 1'790'000'000;

inline Bytes deflate(ByteView plain) {
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  Bytes out(size);
  EXPECT_EQ(
      compress(reinterpret_cast<Bytef*>(out.data()), &size,
               reinterpret_cast<const Bytef*>(plain.data()), static_cast<uLong>(plain.size())),
      Z_OK);
  out.resize(size);
  return out;
}

inline FieldWriter message(std::int64_t at, bool from_us, std::size_t body_bytes = 20) {
  FieldWriter key, content, web, item;
  key.text(1, "someone").number(2, from_us ? 1 : 0).text(3, "3EB0" + std::to_string(at));
  content.text(1, std::string(body_bytes, 'x'));
  web.message(1, key).message(2, content).number(3, static_cast<std::uint64_t>(at)).number(4, 3);
  item.message(1, web).number(2, 1);
  return item;
}

inline FieldWriter conversation(const std::string& id, const std::vector<std::int64_t>& theirs,
                                const std::vector<std::int64_t>& ours) {
  FieldWriter chat;
  chat.text(1, id);
  for (const auto at : ours) chat.message(2, message(at, true));
  for (const auto at : theirs) chat.message(2, message(at, false));
  return chat;
}

inline void tell(Rig& rig, const wa::Message& message, const std::string& id) {
  rig.introduce(rig.phone);
  Node stanza("message", {{"from", rig.phone.jid},
                          {"id", id},
                          {"t", "1790000100"},
                          {"type", "text"},
                          {"category", "peer"}});
  stanza.content = std::vector<Node>{rig.phone.encrypt(message, rig.box_jid)};
  rig.listener().on_message(stanza);
  rig.scheduler.advance(milliseconds(6'000));  // first texts of a new connection go first
  for (int i = 0; i < 60; ++i) {
    rig.scheduler.advance(milliseconds(1));
    rig.turn();
  }
}

inline wa::Message inline_history(ByteView zlib) {
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::HISTORY_SYNC_NOTIFICATION);
  auto& news = *protocol.mutable_historysyncnotification();
  news.set_synctype(0);
  news.set_initialhistbootstrapinlinepayload(to_string(zlib));
  return message;
}

inline bool was_receipted(Rig& rig) {
  for (const Node& receipt : rig.written_of("receipt")) {
    if (receipt.text_attr("type") == "hist_sync") return true;
  }
  return false;
}

}  // namespace posthorn::chat::chat_test
