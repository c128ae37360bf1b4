#include "posthorn/wire/fields.h"
#include "simulator/control.h"
#include "simulator/control_replies.h"
#include "simulator/phone_history.h"
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

std::string id_of(const json::Value& message, std::size_t count) {
  return json::string_at(message, "id")
      .value_or("3EB0AAAAAAAA" + std::to_string(100'000'000 + count));
}

FieldWriter message_row(const std::string& chat, const json::Value& value, std::size_t count) {
  const bool from_me = json::bool_at(value, "from_me").value_or(false);
  const auto at = json::int_at(value, "at").value_or(0);
  FieldWriter key, content, web, row;
  key.text(1, chat).number(2, from_me ? 1 : 0);
  key.text(3, id_of(value, count));
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

/// The phone has it all afterwards, as it would: a companion may ask for it again.
void keep(const World& world, const json::Value& body, Account& account) {
  for (const json::Value& chat : json::at(body, "chats")) {
    std::size_t count = 0;
    for (const json::Value& one : json::at(chat, "messages")) {
      ++count;
      account.old_messages.push_back({chat_named(world, json::at(chat, "chat")), id_of(one, count),
                                      json::bool_at(one, "from_me").value_or(false),
                                      json::string_at(one, "text").value_or(""),
                                      json::int_at(one, "at").value_or(0)});
    }
  }
}

}  // namespace

void Control::tell_history(const Request& request, Done done) {
  Account* account = world_.directory.find(request.parts[2]);
  VirtualDevice* phone = account == nullptr ? nullptr : account->device(0)->virtual_device.get();
  if (phone == nullptr) return done(refusal(404, "no such account"));
  keep(world_, request.body, *account);
  json::Value body(::Json::objectValue);
  if (!json::bool_at(request.body, "tell").value_or(true)) return done(ok(body));
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::HISTORY_SYNC_NOTIFICATION);
  auto& news = *protocol.mutable_historysyncnotification();
  news.set_synctype(static_cast<int>(json::int_at(request.body, "type").value_or(0)));
  news.set_chunkorder(1);
  news.set_progress(
      static_cast<std::uint32_t>(json::int_at(request.body, "progress").value_or(100)));
  const bool in_message = json::bool_at(request.body, "inline").value_or(false);
  const std::size_t size =
      put_history(world_, history_of(world_, request.body),
                  in_message ? HistoryPlace::in_message : HistoryPlace::at_media_host, news);
  for (const auto& [number, device] : account->devices) {
    if (number != 0) phone->send_peer(*device, message);
  }
  body["bytes"] = json::Value::UInt64(size);
  done(ok(body));
}

}  // namespace posthorn::simulator
