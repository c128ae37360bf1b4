#include <functional>

#include "posthorn/wire/names.h"
#include "simulator/queries.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

/// Questions about people: existence, devices, LIDs. Chapter 09 section 2.
namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

/// "+5511…", "5511…" or "5511…@c.us" -> digits; empty: something else.
std::string number_of(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) text = text.substr(0, at);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.size() < 5 || text.size() > 15) return {};
  return text.find_first_not_of("0123456789") == std::string_view::npos ? std::string(text)
                                                                        : std::string();
}

std::vector<wire::Jid> device_jids(const Account& account, const wire::Jid& form) {
  std::vector<wire::Jid> out;
  for (const auto& [id, device] : account.devices) out.push_back(device->named_like(form));
  return out;
}

Node devices_answer(const Account& account, const wire::Jid& form) {
  std::vector<Node> devices;
  for (const auto& [id, device] : account.devices) {
    Node node(names::kDevice, {{"id", std::to_string(id)}});
    if (id != 0) node.set_attr(names::kKeyIndex, std::to_string(device->key_index));
    devices.push_back(std::move(node));
  }
  return Node(
      names::kDevices, {},
      std::vector{Node(names::kDeviceList, {{"hash", device_hash(device_jids(account, form))}},
                       std::move(devices)),
                  Node(names::kKeyIndexList, {{"ts", std::to_string(account.list_time)}},
                       account.key_index_list)});
}

Node protocol_answer(const Node& protocol, const Account& account, const wire::Jid& form) {
  if (protocol.tag == names::kDevices) return devices_answer(account, form);
  if (protocol.tag == names::kLid) return Node(names::kLid, {{"val", account.lid()}});
  if (protocol.tag == names::kStatus) {
    return Node(names::kStatus, {{"t", std::to_string(account.created)}}, to_bytes(account.about));
  }
  if (protocol.tag == names::kPicture) {
    return Node(names::kPicture, {},
                std::vector{Node(names::kError, {{"code", "404"}, {"text", "item-not-found"}})});
  }
  if (protocol.tag == "disappearing_mode") {
    return Node("disappearing_mode", {{"duration", "0"}, {"t", std::to_string(account.created)}});
  }
  return Node(protocol.tag);
}

struct Question {
  const Account* account = nullptr;
  std::optional<wire::Jid> jid;
  std::string contact_text;
  std::string number;
};

Question read_user(const Node& user, const Directory& directory) {
  Question question;
  question.jid = user.jid_attr("jid");
  if (question.jid) question.account = directory.find(*question.jid);
  if (const Node* contact = user.child(names::kContact)) {
    question.contact_text = to_string(contact->bytes());
    question.number = number_of(question.contact_text);
    if (question.account == nullptr) question.account = directory.find(question.number);
  }
  return question;
}

Node contact_answer(const Question& question) {
  const char* type = question.account != nullptr                ? "in"
                     : question.number.empty() && !question.jid ? "invalid"
                                                                : "out";
  return Node(names::kContact, {{"type", type}}, to_bytes(question.contact_text));
}

}  // namespace

void Queries::usync(Device& from, const Node& iq) {
  const Node& usync = *iq.child(names::kUsync);
  const Node* query = usync.child(names::kQuery);
  const Node* list = usync.child(names::kList);
  if (query == nullptr || list == nullptr || query->children().empty()) {
    world_.violation(from, "usync without query or list");
    return refuse(from, iq, 400, "bad-request");
  }
  const Node* contact = query->child(names::kContact);
  std::vector<Node> users;
  for (const Node& user : list->children()) {
    const Question question = read_user(user, world_.directory);
    if (question.jid && question.jid->device != 0) {
      world_.violation(from, "usync <user> jid names a device");
    }
    if (question.account == nullptr && contact == nullptr) continue;
    Node answer(names::kUser);
    wire::Jid form = question.jid.value_or(wire::Jid{question.number, "s.whatsapp.net", 0});
    if (question.account != nullptr) {
      form = question.account->named_like(form);
      if (!question.jid && contact->text_attr(names::kAddressingMode) == names::kLid) {
        form = question.account->lid();
        answer.set_attr("pn_jid", question.account->pn());
      }
    }
    answer.set_attr("jid", form);
    std::vector<Node> parts;
    for (const Node& protocol : query->children()) {
      if (protocol.tag == names::kContact) {
        parts.push_back(contact_answer(question));
      } else if (question.account != nullptr) {
        parts.push_back(protocol_answer(protocol, *question.account, form));
      }
    }
    const Node* hint = user.child(names::kDevices);
    if (hint != nullptr && question.account != nullptr && query->children().size() == 1 &&
        hint->text_attr("device_hash") == device_hash(device_jids(*question.account, form))) {
      continue;  // the asker's list is current
    }
    answer.content = std::move(parts);
    users.push_back(std::move(answer));
  }
  std::vector<Node> results;
  for (const Node& protocol : query->children()) results.emplace_back(protocol.tag);
  Node out(names::kUsync, usync.attrs,
           std::vector{Node(names::kResult, {}, std::move(results)),
                       Node(names::kList, {}, std::move(users))});
  reply(from, iq, {std::move(out)});
}

}  // namespace posthorn::simulator
