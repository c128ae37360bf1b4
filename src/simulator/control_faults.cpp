// The verbs that disturb: stanzas out of the blue, faults, a wrong clock.
#include "simulator/control.h"
#include "simulator/control_json.h"
#include "simulator/control_replies.h"
#include "simulator/node_json.h"
#include "simulator/world.h"

namespace posthorn::simulator {

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

}  // namespace posthorn::simulator
