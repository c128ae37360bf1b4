// The verbs that look at what happened, or wait for it.
#include <algorithm>

#include "simulator/control.h"
#include "simulator/control_json.h"
#include "simulator/control_replies.h"
#include "simulator/world.h"

namespace posthorn::simulator {

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
  body["remarks"] = json::Value(Json::arrayValue);
  for (const auto& remark : simulator_.remarks()) body["remarks"].append(violation_json(remark));
  done(ok(body));
}

}  // namespace posthorn::simulator
