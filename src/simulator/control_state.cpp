#include "posthorn/wire/fields.h"
#include "simulator/control.h"
#include "simulator/control_replies.h"
#include "simulator/world.h"

/// What the owner changes on the phone, and what is there. CONTROL.md.
namespace posthorn::simulator {

using wire::FieldWriter;
using wire::SyncOperation;

namespace {

struct Change {
  std::string collection;
  SyncOperation operation = SyncOperation::set;
  std::vector<std::string> index;
  Bytes value;
  std::int64_t version = 1;
};

FieldWriter on_off(bool on) {
  FieldWriter writer;
  writer.number(1, on ? 1 : 0);
  return writer;
}

Bytes action(std::uint32_t field, const FieldWriter& content) {
  FieldWriter value;
  value.message(field, content);
  return value.take();
}

/// "archive", "pin", "mute", "unread", "contact", "salt" or an entry as it stands.
Result<Change> read_change(const World& world, const json::Value& body) {
  const auto what = json::string_at(body, "what").value_or("");
  const bool on = json::bool_at(body, "on").value_or(true);
  const auto name = json::text_of(json::at(body, "chat")).value_or("");
  const Account* other = world.directory.find(name);
  const std::string chat = other != nullptr ? to_string(other->lid()) : name;
  if (what == "archive") {
    return Change{"regular_low", SyncOperation::set, {what, chat}, action(17, on_off(on)), 3};
  }
  if (what == "pin") {
    return Change{"regular_low", SyncOperation::set, {"pin_v1", chat}, action(5, on_off(on)), 5};
  }
  if (what == "unread") {
    return Change{
        "regular_low", SyncOperation::set, {"markChatAsRead", chat}, action(20, on_off(!on)), 3};
  }
  if (what == "mute") {
    FieldWriter mute = on_off(on);
    const auto until = json::int_at(body, "until").value_or(0);
    if (on) mute.number(2, until == 0 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(until));
    return Change{"regular_high", SyncOperation::set, {what, chat}, action(4, mute), 2};
  }
  if (what == "salt") {
    FieldWriter salt;
    salt.bytes(1, base64_decode(json::string_at(body, "salt").value_or("")).value_or(Bytes()));
    return Change{"regular_high",
                  on ? SyncOperation::set : SyncOperation::remove,
                  {"nct_salt_sync"},
                  action(80, salt),
                  1};
  }
  if (what == "contact") {
    FieldWriter contact;
    contact.text(1, json::string_at(body, "name").value_or(""));
    contact.text(2, json::string_at(body, "first_name").value_or(""));
    if (other != nullptr) contact.text(3, to_string(other->lid()));
    return Change{"critical_unblock_low",
                  on ? SyncOperation::set : SyncOperation::remove,
                  {what, other != nullptr ? to_string(other->pn()) : name},
                  action(3, contact),
                  2};
  }
  return fail(Errc::malformed, "what: archive, pin, mute, unread, contact, salt");
}

}  // namespace

void Control::change_state(const Request& request, Done done) {
  Account* account = world_.directory.find(request.parts[2]);
  if (account == nullptr) return done(refusal(404, "no such account"));
  const auto change = read_change(world_, request.body);
  if (!change) return done(refusal(change.error()));
  world_.app_state.begin(*account);
  if (change->collection == "regular_high" && change->index.front() == "nct_salt_sync") {
    account->nct_salt =
        change->operation == SyncOperation::remove
            ? Bytes()
            : base64_decode(json::string_at(request.body, "salt").value_or("")).value_or(Bytes());
  }
  world_.app_state.change(*account, change->collection, change->operation, change->index,
                          change->value, change->version);
  done(ok());
}

void Control::show_state(const Request& request, Done done) {
  const Account* account = world_.directory.find(request.parts[2]);
  if (account == nullptr) return done(refusal(404, "no such account"));
  json::Value body(::Json::objectValue);
  for (const auto& [name, collection] : account->app_state) {
    json::Value& out = body[name];
    out["version"] = json::Value::UInt64(collection.version);
    out["entries"] = json::Value(::Json::arrayValue);
    for (const auto& [mac, entry] : collection.entries) {
      json::Value one(::Json::objectValue);
      one["index"] = json::parse(entry.index).value_or(json::Value());
      one["value"] = base64_encode(entry.value);
      out["entries"].append(std::move(one));
    }
  }
  done(ok(body));
}

}  // namespace posthorn::simulator
