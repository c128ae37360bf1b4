#include <zlib.h>

#include "posthorn/base/media_cipher.h"
#include "posthorn/wire/fields.h"
#include "simulator/control.h"
#include "simulator/control_replies.h"
#include "simulator/virtual_device.h"
#include "simulator/world.h"

/// What the phone tells its companions of earlier days. CONTROL.md; chapters 12 section 1, 13 B12.
namespace posthorn::simulator {

using wire::FieldWriter;

namespace {

/// "4915550002222" or any JID as this account's phone names the chat.
std::string chat_named(const World& world, const json::Value& value) {
  const std::string name = json::text_of(value).value_or("");
  const Account* account = name.ends_with("@g.us") ? nullptr : world.directory.find(name);
  return account == nullptr ? name : to_string(account->lid());
}

FieldWriter message_row(const std::string& chat, const json::Value& value, std::size_t count) {
  const bool from_me = json::bool_at(value, "from_me").value_or(false);
  const auto at = json::int_at(value, "at").value_or(0);
  FieldWriter key, content, web, row;
  key.text(1, chat).number(2, from_me ? 1 : 0);
  key.text(
      3,
      json::string_at(value, "id").value_or("3EB0AAAAAAAA" + std::to_string(100'000'000 + count)));
  content.text(1, json::string_at(value, "text").value_or(""));
  web.message(1, key).message(2, content).number(3, static_cast<std::uint64_t>(at));
  web.number(4, from_me ? 3 : 2);
  row.message(1, web).number(2, count);
  return row;
}

FieldWriter chat_row(const World& world, const json::Value& value) {
  const std::string chat = chat_named(world, json::at(value, "chat"));
  FieldWriter row;
  row.text(1, chat);
  std::size_t count = 0;
  for (const json::Value& one : json::at(value, "messages")) {
    row.message(2, message_row(chat, one, ++count));
  }
  if (const auto name = json::string_at(value, "name")) row.text(13, *name);
  return row;
}

Bytes history_of(const World& world, const json::Value& body) {
  FieldWriter history;
  history.number(1, static_cast<std::uint64_t>(json::int_at(body, "type").value_or(0)));
  // A client that cannot join numbers and LIDs yet learns them first.
  for (const json::Value& chat : json::at(body, "chats")) {
    const Account* account =
        world.directory.find(json::text_of(json::at(chat, "chat")).value_or(""));
    if (account == nullptr) continue;
    FieldWriter same;
    same.text(1, to_string(account->pn())).text(2, to_string(account->lid()));
    history.message(15, same);
  }
  for (const json::Value& chat : json::at(body, "chats")) {
    history.message(2, chat_row(world, chat));
  }
  for (const json::Value& one : json::at(body, "names")) {
    FieldWriter name;
    const Account* account = world.directory.find(json::text_of(json::at(one, "who")).value_or(""));
    if (account == nullptr) continue;
    name.text(1, to_string(account->pn())).text(2, json::string_at(one, "name").value_or(""));
    history.message(7, name);
  }
  return history.take();
}

Bytes deflated(ByteView plain) {
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  Bytes out(size);
  (void)compress(reinterpret_cast<Bytef*>(out.data()), &size,
                 reinterpret_cast<const Bytef*>(plain.data()), static_cast<uLong>(plain.size()));
  out.resize(size);
  return out;
}

}  // namespace

void Control::tell_history(const Request& request, Done done) {
  Account* account = world_.directory.find(request.parts[2]);
  VirtualDevice* phone = account == nullptr ? nullptr : account->device(0)->virtual_device.get();
  if (phone == nullptr) return done(refusal(404, "no such account"));
  const Bytes packed = deflated(history_of(world_, request.body));
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::HISTORY_SYNC_NOTIFICATION);
  auto& news = *protocol.mutable_historysyncnotification();
  news.set_synctype(static_cast<int>(json::int_at(request.body, "type").value_or(0)));
  news.set_chunkorder(1);
  news.set_progress(100);
  if (json::bool_at(request.body, "inline").value_or(false)) {
    news.set_initialhistbootstrapinlinepayload(to_string(packed));
  } else {
    const Bytes key = world_.random.bytes(crypto::kMediaKeyBytes);
    crypto::MediaSealer sealer(key, "WhatsApp History Keys");
    Bytes sealed = sealer.add(packed);
    append(sealed, sealer.finish());
    news.set_filesha256(std::string(as_text(crypto::sha256(packed))));
    news.set_filelength(packed.size());
    news.set_mediakey(to_string(key));
    news.set_fileencsha256(std::string(as_text(crypto::sha256(sealed))));
    news.set_directpath(world_.media.put("md-msg-hist", std::move(sealed)));
  }
  for (const auto& [number, device] : account->devices) {
    if (number != 0) phone->send_peer(*device, message);
  }
  json::Value body(::Json::objectValue);
  body["bytes"] = json::Value::UInt64(packed.size());
  done(ok(body));
}

}  // namespace posthorn::simulator
