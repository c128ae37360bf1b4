#include "simulator/faults.h"

#include <array>
#include <functional>
#include <utility>

#include "simulator/directory.h"
#include "simulator/node_json.h"

namespace posthorn::simulator {

namespace {

using Where = Fault::Where;
using Action = Fault::Action;

constexpr std::array<std::pair<std::string_view, Where>, 3> kWheres{
    {{"in", Where::in}, {"out", Where::out}, {"login", Where::login}}};

constexpr std::array<std::pair<std::string_view, Action>, 20> kActions{{
    {"lose", Action::lose},
    {"delay", Action::delay},
    {"duplicate", Action::duplicate},
    {"swap", Action::swap},
    {"close", Action::close},
    {"close_after", Action::close_after},
    {"cut", Action::cut},
    {"error", Action::error},
    {"answer", Action::answer},
    {"failure", Action::failure},
    {"stream_error", Action::stream_error},
    {"corrupt", Action::corrupt},
    {"length", Action::length},
    {"truncate", Action::truncate},
    {"garbage", Action::garbage},
    {"bad_deflate", Action::bad_deflate},
    {"trickle", Action::trickle},
    {"deaf", Action::deaf},
    {"bad_skey", Action::bad_skey},
    {"no_prekey", Action::no_prekey},
}};

template <class Table, class Enum>
Result<void> read_word(const Table& table, std::string_view member, const std::string& word,
                       Enum& out) {
  std::string known;
  for (const auto& [name, value] : table) {
    if (name == word) {
      out = value;
      return {};
    }
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return fail(Errc::malformed, std::string(member) + ": \"" + word + "\" is not one of " + known);
}

Result<void> read_number(const std::string& name, const json::Value& value, Fault& fault) {
  const auto number = json::int_of(value);
  if (!number || *number < 0) return fail(Errc::malformed, name + ": not a number");
  const std::array<std::pair<std::string_view, std::function<void(std::int64_t)>>, 9> fields{{
      {"skip", [&](auto n) { fault.skip = static_cast<std::uint32_t>(n); }},
      {"count", [&](auto n) { fault.count = static_cast<std::uint32_t>(n); }},
      {"percent", [&](auto n) { fault.percent = static_cast<std::uint32_t>(n); }},
      {"code", [&](auto n) { fault.code = static_cast<int>(n); }},
      {"sub_code", [&](auto n) { fault.sub_code = static_cast<int>(n); }},
      {"expire", [&](auto n) { fault.expire = n; }},
      {"backoff", [&](auto n) { fault.backoff = n; }},
      {"after", [&](auto n) { fault.after = milliseconds(n); }},
      {"bytes", [&](auto n) { fault.bytes = static_cast<std::size_t>(n); }},
  }};
  for (const auto& [known, set] : fields) {
    if (known == name) {
      set(*number);
      return {};
    }
  }
  return fail(Errc::malformed, "unknown member \"" + name + "\"");
}

std::string* text_member(Fault& fault, std::string_view name) {
  if (name == "device") return &fault.device;
  if (name == "tag") return &fault.tag;
  if (name == "xmlns") return &fault.xmlns;
  if (name == "child") return &fault.child;
  if (name == "type") return &fault.type;
  if (name == "id") return &fault.id;
  if (name == "to") return &fault.to;
  if (name == "class") return &fault.cls;
  if (name == "text") return &fault.text;
  return nullptr;
}

}  // namespace

std::string_view name_of(Where where) {
  for (const auto& [name, value] : kWheres) {
    if (value == where) return name;
  }
  return "";
}

std::string_view name_of(Action action) {
  for (const auto& [name, value] : kActions) {
    if (value == action) return name;
  }
  return "";
}

Result<Fault> parse_fault(const json::Value& value) {
  if (!value.isObject()) return fail(Errc::malformed, "a fault is an object");
  Fault fault;
  for (const auto& name : value.getMemberNames()) {
    const auto& member = json::at(value, name.c_str());
    if (std::string* text = text_member(fault, name)) {
      const auto word = json::text_of(member);
      if (!word) return fail(Errc::malformed, name + ": not a text");
      *text = *word;
    } else if (name == "answer") {
      for (const auto& child : member) {
        TRY(wire::Node node, node_from_json(child));
        fault.answer.push_back(std::move(node));
      }
    } else if (name == "where") {
      TRY(read_word(kWheres, name, json::text_of(member).value_or(""), fault.where));
    } else if (name == "action") {
      TRY(read_word(kActions, name, json::text_of(member).value_or(""), fault.action));
    } else {
      TRY(read_number(name, member, fault));
    }
  }
  return fault;
}

std::uint64_t FaultTable::add(Fault fault) {
  rules_.push_back({next_id_, std::move(fault), 0, 0});
  return next_id_++;
}

bool FaultTable::remove(std::uint64_t id) {
  return std::erase_if(rules_, [id](const Rule& rule) { return rule.id == id; }) > 0;
}

bool FaultTable::applies(const Fault& fault, const Device* device, const wire::Node& node) const {
  const auto attribute = [&node](const std::string& wanted, std::string_view key) {
    return wanted.empty() || node.text_attr(key) == wanted;
  };
  if (!fault.tag.empty() && fault.tag != node.tag) return false;
  if (!attribute(fault.xmlns, "xmlns") || !attribute(fault.type, "type") ||
      !attribute(fault.id, "id") || !attribute(fault.cls, "class")) {
    return false;
  }
  if (!fault.child.empty() && node.child(fault.child) == nullptr) return false;
  if (!fault.to.empty()) {
    const auto to = node.jid_attr("to");
    const Account* wanted = directory_.find(fault.to);
    if (!to || wanted == nullptr || directory_.find(*to) != wanted) return false;
  }
  if (!fault.device.empty()) {
    if (device == nullptr || directory_.find(fault.device) != &device->account) return false;
    const auto jid = wire::parse_jid(fault.device);
    const bool names_device = jid && jid->device != 0;
    if (names_device && jid->device != device->id) return false;
  }
  return true;
}

std::optional<Fault> FaultTable::match(Fault::Where where, const Device* device,
                                       const wire::Node& node) {
  for (auto& rule : rules_) {
    const Fault& fault = rule.fault;
    if (fault.where != where || (fault.count != 0 && rule.acted >= fault.count)) continue;
    if (!applies(fault, device, node)) continue;
    if (rule.matched++ < fault.skip) continue;
    if (fault.percent < 100 && random_.between(1, 100) > fault.percent) continue;
    ++rule.acted;
    return fault;
  }
  return std::nullopt;
}

}  // namespace posthorn::simulator
