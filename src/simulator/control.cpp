#include "simulator/control.h"

#include <algorithm>

#include "simulator/control_json.h"
#include "simulator/node_json.h"
#include "simulator/virtual_device.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace {

constexpr milliseconds kMaxWait{60'000};

Simulator::Response ok(json::Value body = json::Value(Json::objectValue)) {
  return {200, std::move(body)};
}

Simulator::Response refusal(int status, const std::string& why) {
  json::Value body;
  body["error"] = why;
  return {status, std::move(body)};
}

Simulator::Response refusal(const Error& error) {
  int status = 400;
  if (error.code == Errc::not_found) status = 404;
  if (error.code == Errc::timeout) status = 408;
  if (error.code == Errc::disconnected || error.code == Errc::busy) status = 409;
  if (error.code == Errc::refused || error.code == Errc::crypto) status = 422;
  return refusal(status, to_string(error));
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte =
        text[i] == '%' && i + 2 < text.size() ? hex_decode(text.substr(i + 1, 2)) : std::nullopt;
    if (byte) {
      out.push_back(static_cast<char>(byte->front()));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (const auto part = path.substr(0, slash); !part.empty()) {
      parts.push_back(percent_decoded(part));
    }
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

std::map<std::string, std::string> split_query(std::string_view query) {
  std::map<std::string, std::string> out;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const auto pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) {
      out[percent_decoded(pair.substr(0, equals))] = percent_decoded(pair.substr(equals + 1));
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return out;
}

std::uint64_t number_of(const std::map<std::string, std::string>& query, const char* name) {
  const auto it = query.find(name);
  if (it == query.end()) return 0;
  std::uint64_t value = 0;
  for (const char c : it->second) {
    if (c < '0' || c > '9' || value > 1'000'000'000'000'000ULL) return 0;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool fits(const char* pattern, const std::vector<std::string>& parts) {
  const auto wanted = split_path(pattern);
  return std::ranges::equal(wanted, parts, [](const std::string& want, const std::string& have) {
    return want == "*" || want == have;
  });
}

}  // namespace

Control::Control(Simulator& simulator, World& world) : simulator_(simulator), world_(world) {
  const auto later = [this] {
    if (waiters_.empty() || look_posted_) return;
    look_posted_ = true;
    world_.post([this] { look_again(); });
  };
  world_.journal.on_entry(later);
  world_.peers.on_received(later);
}

Control::~Control() {
  for (auto& waiter : waiters_) waiter.done(refusal(503, "the simulator ends"));
}

const std::vector<Control::Route>& Control::routes() {
  static const std::vector<Route> table{
      {"GET", "v1/info", &Control::info},
      {"POST", "v1/accounts", &Control::add_account},
      {"GET", "v1/accounts/*", &Control::show_account},
      {"PATCH", "v1/accounts/*", &Control::change_account},
      {"POST", "v1/scan", &Control::scan},
      {"POST", "admin/mock-phone/scan-qr", &Control::scan_raw},
      {"POST", "v1/link-code", &Control::link_code},
      {"POST", "v1/devices/*/logout", &Control::log_out_device},
      {"POST", "v1/devices/*/drop", &Control::drop_device},
      {"POST", "v1/peers/*/send", &Control::send},
      {"POST", "v1/peers/*/do", &Control::act},
      {"GET", "v1/peers/*/inbox", &Control::show_inbox},
      {"POST", "v1/push", &Control::push},
      {"POST", "v1/faults", &Control::add_fault},
      {"GET", "v1/faults", &Control::list_faults},
      {"DELETE", "v1/faults", &Control::clear_faults},
      {"DELETE", "v1/faults/*", &Control::remove_fault},
      {"POST", "v1/clock", &Control::set_clock},
      {"GET", "v1/journal", &Control::show_journal},
      {"POST", "v1/expect", &Control::expect},
      {"GET", "v1/violations", &Control::show_violations},
  };
  return table;
}

void Control::handle(std::string_view method, std::string_view path, std::string_view body,
                     Done done) {
  Request request;
  request.method = method;
  const std::size_t mark = path.find('?');
  if (mark != std::string_view::npos) request.query = split_query(path.substr(mark + 1));
  request.parts = split_path(path.substr(0, mark));
  request.raw_body = std::string(body);
  const bool raw = !request.parts.empty() && request.parts[0] == "admin";
  if (!body.empty() && !raw) {
    auto parsed = json::parse(body);
    if (!parsed) return done(refusal(parsed.error()));
    request.body = std::move(*parsed);
  }
  bool path_known = false;
  for (const Route& route : routes()) {
    if (!fits(route.path, request.parts)) continue;
    path_known = true;
    if (method == route.method) return (this->*route.verb)(request, std::move(done));
  }
  done(path_known ? refusal(405, "this path has other methods") : refusal(404, "no such path"));
}

// Waiting
// -------------------------------------------------------------------------------------------

void Control::wait(milliseconds at_most, Check check, Function<Response()> give_up, Done done) {
  if (auto response = check()) return done(std::move(*response));
  if (at_most <= milliseconds(0)) return done(give_up());
  waiters_.push_back({std::move(check), std::move(give_up), std::move(done),
                      std::make_unique<Timer>(world_.scheduler)});
  const auto it = std::prev(waiters_.end());
  it->deadline->start(std::min(at_most, kMaxWait), [this, it] {
    Waiter waiter = std::move(*it);
    waiters_.erase(it);
    waiter.done(waiter.give_up());
  });
}

void Control::look_again() {
  look_posted_ = false;
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    auto response = it->check();
    if (!response) {
      ++it;
      continue;
    }
    Waiter waiter = std::move(*it);
    it = waiters_.erase(it);
    waiter.done(std::move(*response));
  }
}

// Verbs
// ---------------------------------------------------------------------------------------------

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
    } else if (member == "lid_migrated") {
      account->lid_migrated = value.isBool() && value.asBool();
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
  } else {
    return done(refusal(400,
                        "verb: read, script, lose_session, reregister, add_device, "
                        "remove_device, drain_prekeys, online, offline, block, unblock"));
  }
  done(result ? ok(body) : refusal(result.error()));
}

void Control::show_inbox(const Request& request, Done done) {
  const std::string name = request.parts[2];
  if (!simulator_.account(name)) return done(refusal(404, "no such account"));
  const std::uint64_t after = number_of(request.query, "after");
  const auto answer = [this, name, after] {
    json::Value body;
    body["messages"] = json::Value(Json::arrayValue);
    for (const auto& received : simulator_.inbox(name, after)) {
      body["messages"].append(received_json(received));
    }
    return body;
  };
  wait(
      milliseconds(number_of(request.query, "wait")),
      [this, name, after, answer]() -> std::optional<Response> {
        if (simulator_.inbox(name, after).empty()) return std::nullopt;
        return ok(answer());
      },
      [answer] { return ok(answer()); }, std::move(done));
}

void Control::push(const Request& request, Done done) {
  auto node = node_from_json(json::at(request.body, "node"));
  if (!node) return done(refusal(node.error()));
  if (const auto number = json::int_at(request.body, "connection")) {
    const auto pushed = simulator_.push_to_connection(static_cast<std::uint64_t>(*number), *node);
    return done(pushed ? ok() : refusal(pushed.error()));
  }
  const auto jid = wire::parse_jid(json::string_at(request.body, "device").value_or(""));
  if (!jid) return done(refusal(jid.error()));
  const auto result = simulator_.push(*jid, std::move(*node));
  done(result ? ok() : refusal(result.error()));
}

void Control::add_fault(const Request& request, Done done) {
  auto fault = parse_fault(request.body);
  if (!fault) return done(refusal(fault.error()));
  json::Value body;
  body["id"] = json::Value::UInt64(simulator_.add_fault(std::move(*fault)));
  done(ok(body));
}

void Control::list_faults(const Request&, Done done) {
  json::Value body;
  body["faults"] = json::Value(Json::arrayValue);
  for (const auto& rule : world_.faults.rules()) {
    json::Value one;
    one["id"] = json::Value::UInt64(rule.id);
    one["where"] = std::string(name_of(rule.fault.where));
    one["action"] = std::string(name_of(rule.fault.action));
    one["matched"] = json::Value::UInt64(rule.matched);
    one["acted"] = json::Value::UInt64(rule.acted);
    body["faults"].append(one);
  }
  done(ok(body));
}

void Control::remove_fault(const Request& request, Done done) {
  const std::uint64_t id = number_of({{"id", request.parts[2]}}, "id");
  done(simulator_.remove_fault(id) ? ok() : refusal(404, "no such fault"));
}

void Control::clear_faults(const Request&, Done done) {
  simulator_.clear_faults();
  done(ok());
}

void Control::set_clock(const Request& request, Done done) {
  milliseconds offset = world_.clock_offset();
  if (const auto value = json::int_at(request.body, "offset")) offset = milliseconds(*value);
  if (const auto value = json::int_at(request.body, "advance")) offset += milliseconds(*value);
  simulator_.set_clock_offset(offset);
  json::Value body;
  body["now"] = json::Value::Int64(simulator_.now().since_epoch.count());
  done(ok(body));
}

Control::Match Control::read_match(const json::Value& value) {
  Match match;
  const auto text = [&value](const char* name) {
    return json::text_of(json::at(value, name)).value_or("");
  };
  match.direction = text("direction");
  match.device = text("device");
  match.tag = text("tag");
  match.xmlns = text("xmlns");
  match.type = text("type");
  match.child = text("child");
  match.id = text("id");
  match.cls = text("class");
  match.from = text("from");
  match.to = text("to");
  return match;
}

bool Control::matches(const Match& match, const JournalEntry& entry) const {
  const wire::Node& node = entry.node;
  const auto same = [&node](const std::string& wanted, const char* key) {
    return wanted.empty() || node.text_attr(key) == wanted;
  };
  const auto person = [&](const std::string& wanted, const char* key) {
    if (wanted.empty() || node.text_attr(key) == wanted) return true;
    const auto jid = node.jid_attr(key);
    const Account* account = jid ? world_.directory.find(*jid) : nullptr;
    return account != nullptr && account == world_.directory.find(wanted);
  };
  const char* direction = entry.direction == JournalEntry::Direction::in ? "in" : "out";
  if (!match.direction.empty() && match.direction != direction) return false;
  if (!match.device.empty() && match.device != entry.device &&
      match.device != entry.device.substr(0, entry.device.find_first_of(":@"))) {
    return false;
  }
  if (!match.tag.empty() && match.tag != node.tag) return false;
  if (!match.child.empty() && node.child(match.child) == nullptr) return false;
  return same(match.xmlns, "xmlns") && same(match.type, "type") && same(match.id, "id") &&
         same(match.cls, "class") && person(match.from, "from") && person(match.to, "to");
}

void Control::show_journal(const Request& request, Done done) {
  json::Value wanted;
  for (const auto& [name, value] : request.query) wanted[name] = value;
  Match match = read_match(wanted);
  match.after = number_of(request.query, "after");
  const auto answer = [this, match] {
    json::Value body;
    body["entries"] = json::Value(Json::arrayValue);
    for (const auto& entry : world_.journal.entries()) {
      if (entry.sequence > match.after && matches(match, entry)) {
        body["entries"].append(entry_json(entry));
      }
    }
    body["last"] = json::Value::UInt64(world_.journal.last());
    return body;
  };
  wait(
      milliseconds(number_of(request.query, "wait")),
      [answer]() -> std::optional<Response> {
        json::Value body = answer();
        if (body["entries"].empty()) return std::nullopt;
        return ok(std::move(body));
      },
      [answer] { return ok(answer()); }, std::move(done));
}

void Control::expect(const Request& request, Done done) {
  Match match = read_match(json::at(request.body, "match"));
  match.after = static_cast<std::uint64_t>(json::int_at(request.body, "after").value_or(0));
  const auto wanted = static_cast<std::size_t>(json::int_at(request.body, "count").value_or(1));
  const auto seen = [this, match] {
    return static_cast<std::size_t>(
        std::ranges::count_if(world_.journal.entries(), [&](const JournalEntry& entry) {
          return entry.sequence > match.after && matches(match, entry);
        }));
  };
  wait(
      milliseconds(json::int_at(request.body, "within_ms").value_or(5000)),
      [this, seen, wanted]() -> std::optional<Response> {
        if (seen() < wanted) return std::nullopt;
        json::Value body;
        body["last"] = json::Value::UInt64(world_.journal.last());
        return ok(body);
      },
      [seen, wanted] {
        return refusal(408, "saw " + std::to_string(seen()) + " of " + std::to_string(wanted));
      },
      std::move(done));
}

void Control::show_violations(const Request&, Done done) {
  json::Value body;
  body["violations"] = json::Value(Json::arrayValue);
  for (const auto& violation : simulator_.violations()) {
    body["violations"].append(violation_json(violation));
  }
  done(ok(body));
}

}  // namespace posthorn::simulator
