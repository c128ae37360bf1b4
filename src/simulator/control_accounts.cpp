// The verbs about the server, accounts, their devices and what their phones do.
#include "simulator/control.h"
#include "simulator/control_json.h"
#include "simulator/control_replies.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace {

Once<void(Result<wire::Jid>)> linked(Once<void(Simulator::Response)> done) {
  return [done = std::move(done)](Result<wire::Jid> device) mutable {
    if (!device) return done(refusal(device.error()));
    json::Value body;
    body["device"] = to_string(*device);
    body["phone"] = device->user;
    done(ok(body));
  };
}

}  // namespace

void Control::info(const Request&, Done done) {
  json::Value body;
  body["noise_root_key"] = hex_encode(simulator_.root_key());
  body["seed"] = json::Value::UInt64(world_.options.seed);
  body["now"] = json::Value::Int64(simulator_.now().since_epoch.count());
  body["connections"] = json::Value::UInt64(world_.connection_count());
  body["accounts"] = json::Value(Json::arrayValue);
  for (const auto& account : world_.directory.all()) body["accounts"].append(account->phone);
  done(ok(body));
}

void Control::add_account(const Request& request, Done done) {
  NewAccount wish;
  wish.phone = json::text_of(json::at(request.body, "phone")).value_or("");
  wish.name = json::string_at(request.body, "name").value_or("");
  if (!wish.phone.empty() && simulator_.account(wish.phone)) {
    return done(refusal(409, "this number has an account"));
  }
  const AccountInfo account = simulator_.add_account(wish);
  for (auto n = json::int_at(request.body, "companions").value_or(0); n > 0; --n) {
    if (!simulator_.peer_add_companion(account.pn.user)) break;
  }
  if (request.body.isMember("script")) {
    const auto script = read_script(json::at(request.body, "script"));
    if (!script) return done(refusal(script.error()));
    if (auto set = simulator_.peer_script(account.pn.user, *script); !set) {
      return done(refusal(set.error()));
    }
  }
  done(ok(account_json(account)));
}

void Control::show_account(const Request& request, Done done) {
  const Account* account = world_.directory.find(request.parts[2]);
  if (account == nullptr) return done(refusal(404, "no such account"));
  json::Value body = account_json({account->pn(), account->lid(), account->name});
  body["restricted"] = account->restricted;
  body["passkey"] = passkey_json(*account);
  body["devices"] = json::Value(Json::arrayValue);
  for (const auto& [id, device] : account->devices) body["devices"].append(device_json(*device));
  done(ok(body));
}

void Control::change_account(const Request& request, Done done) {
  const std::string& name = request.parts[2];
  Account* account = world_.directory.find(name);
  if (account == nullptr) return done(refusal(404, "no such account"));
  for (const auto& member : request.body.getMemberNames()) {
    const json::Value& value = json::at(request.body, member.c_str());
    Result<void> changed;
    if (member == "name") {
      account->name = json::text_of(value).value_or("");
    } else if (member == "about") {
      account->about = json::text_of(value).value_or("");
    } else if (member == "restricted") {
      changed = simulator_.set_restricted(name, value.isBool() && value.asBool());
    } else if (member == "history_answers") {
      changed = simulator_.set_history_answers(name, json::text_of(value).value_or(""));
    } else if (member == "snapshots") {
      account->state_snapshots = value.isBool() && value.asBool();
    } else if (member == "lid_migrated") {
      account->lid_migrated = value.isBool() && value.asBool();
    } else if (member == "passkey") {
      const auto flaw = read_passkey(value);
      changed = flaw ? simulator_.set_passkey(name, *flaw) : tl::unexpected(flaw.error());
    } else if (member == "timelock") {
      changed = simulator_.set_timelock(name, read_timelock(value));
    } else if (member == "cap") {
      changed = simulator_.set_cap(name, read_cap(value));
    } else if (member == "failure") {
      changed =
          simulator_.set_failure(name, static_cast<int>(json::int_at(value, "reason").value_or(0)),
                                 static_cast<int>(json::int_at(value, "code").value_or(0)),
                                 json::int_at(value, "expire").value_or(0));
    } else if (member == "privacy" && value.isObject()) {
      for (const auto& category : value.getMemberNames()) {
        account->privacy[category] = json::string_at(value, category.c_str()).value_or("all");
      }
    } else {
      changed = fail(Errc::malformed, "unknown member \"" + member + "\"");
    }
    if (!changed) return done(refusal(changed.error()));
  }
  show_account(request, std::move(done));
}

void Control::scan(const Request& request, Done done) {
  const auto qr = json::string_at(request.body, "qr");
  if (!qr) return done(refusal(400, "qr: the text is missing"));
  const auto flaw = read_link_flaw(json::at(request.body, "flaw"));
  if (!flaw) return done(refusal(flaw.error()));
  simulator_.scan(*qr, json::text_of(json::at(request.body, "account")).value_or(""),
                  linked(std::move(done)), *flaw);
}

void Control::scan_raw(const Request& request, Done done) {
  simulator_.scan(request.raw_body, "", linked(std::move(done)));
}

void Control::link_code(const Request& request, Done done) {
  simulator_.type_link_code(json::text_of(json::at(request.body, "account")).value_or(""),
                            json::text_of(json::at(request.body, "code")).value_or(""),
                            linked(std::move(done)));
}

void Control::answer_passkey(const Request& request, Done done) {
  const auto flaw = read_assertion_flaw(json::at(request.body, "flaw"));
  if (!flaw) return done(refusal(flaw.error()));
  const auto answer =
      simulator_.passkey_answer(request.parts[2], json::at(request.body, "options"), *flaw);
  done(answer ? ok(*answer) : refusal(answer.error()));
}

void Control::log_out_device(const Request& request, Done done) {
  const auto jid = wire::parse_jid(request.parts[2]);
  if (!jid) return done(refusal(jid.error()));
  const auto result = simulator_.unlink(*jid);
  done(result ? ok() : refusal(result.error()));
}

void Control::drop_device(const Request& request, Done done) {
  const auto jid = wire::parse_jid(request.parts[2]);
  if (!jid) return done(refusal(jid.error()));
  const auto result = simulator_.drop(*jid);
  done(result ? ok() : refusal(result.error()));
}

void Control::send(const Request& request, Done done) {
  const auto text = read_peer_text(request.body);
  if (!text) return done(refusal(text.error()));
  const auto count = json::int_at(request.body, "count").value_or(1);
  json::Value body;
  for (std::int64_t i = 0; i < count; ++i) {
    PeerText one = *text;
    const std::size_t mark = one.text.find("%d");
    if (mark != std::string::npos) one.text.replace(mark, 2, std::to_string(i));
    const auto id = simulator_.peer_send(request.parts[2], one);
    if (!id) return done(refusal(id.error()));
    if (i == 0) body["id"] = *id;
    body["ids"].append(*id);
  }
  done(ok(body));
}

void Control::act(const Request& request, Done done) {
  const std::string& peer = request.parts[2];
  const std::string verb = json::string_at(request.body, "verb").value_or("");
  Result<void> result;
  json::Value body(Json::objectValue);
  if (verb == "read") {
    result = simulator_.peer_read(peer, json::string_at(request.body, "id").value_or(""));
  } else if (verb == "script") {
    const auto script = read_script(request.body);
    if (!script) return done(refusal(script.error()));
    result = simulator_.peer_script(peer, *script);
  } else if (verb == "lose_session") {
    result = simulator_.peer_lose_session(peer);
  } else if (verb == "reregister") {
    result = simulator_.peer_reregister(peer);
  } else if (verb == "add_device") {
    const auto device = simulator_.peer_add_companion(peer);
    if (!device) return done(refusal(device.error()));
    body["device"] = *device;
  } else if (verb == "remove_device") {
    const auto device = json::int_at(request.body, "device").value_or(0);
    result = simulator_.peer_remove_companion(peer, static_cast<std::uint16_t>(device));
  } else if (verb == "drain_prekeys") {
    result = simulator_.peer_drain_prekeys(peer);
  } else if (verb == "call") {
    const auto id =
        simulator_.peer_call(peer, json::text_of(json::at(request.body, "to")).value_or(""),
                             json::bool_at(request.body, "video").value_or(false));
    if (!id) return done(refusal(id.error()));
    body["id"] = *id;
  } else if (verb == "hang_up" || verb == "take_call" || verb == "decline_call") {
    using End = Simulator::CallEnd;
    result = simulator_.end_call(json::string_at(request.body, "id").value_or(""),
                                 verb == "hang_up"     ? End::hang_up
                                 : verb == "take_call" ? End::take
                                                       : End::decline);
  } else if (verb == "online" || verb == "offline") {
    result = simulator_.peer_online(peer, verb == "online");
  } else if (verb == "block" || verb == "unblock") {
    Account* account = world_.directory.find(peer);
    const Account* target =
        world_.directory.find(json::text_of(json::at(request.body, "who")).value_or(""));
    if (account == nullptr || target == nullptr) return done(refusal(404, "no such account"));
    if (verb == "block") {
      account->blocked.insert(target->phone);
    } else {
      account->blocked.erase(target->phone);
    }
    world_.announce_block_list(*account);
  } else {
    return done(refusal(400,
                        "verb: read, script, lose_session, reregister, add_device, "
                        "remove_device, drain_prekeys, call, hang_up, take_call, decline_call, "
                        "online, offline, block, unblock"));
  }
  done(result ? ok(body) : refusal(result.error()));
}

}  // namespace posthorn::simulator
