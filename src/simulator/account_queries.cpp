#include "posthorn/base/json.h"
#include "posthorn/wire/names.h"
#include "posthorn/wire/wa.pb.h"
#include "simulator/queries.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

/// Everything a client asks about its own account. Chapters 04 section 4.3, 09 section 7, 12.
namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr const char* kTimelockQuery = "23983697327930364";
constexpr const char* kCapQueries[] = {"24503548349331633", "27910975521856601"};

json::Value timelock_json(const Simulator::Timelock& lock, std::int64_t now) {
  json::Value value;
  value["is_active"] = lock.holds(now);
  value["enforcement_type"] = lock.enforcement_type;
  value["time_enforcement_ends"] = std::to_string(lock.ends);
  return value;
}

json::Value cap_json(const Simulator::Cap& cap, std::int64_t now) {
  json::Value value;
  value["total_quota"] = json::Value::Int64(cap.total);
  value["used_quota"] = json::Value::Int64(cap.used);
  value["cycle_start_timestamp"] = std::to_string(cap.cycle_start);
  value["cycle_end_timestamp"] = std::to_string(cap.cycle_end);
  value["server_sent_timestamp"] = std::to_string(now);
  value["capping_status"] = cap.status;
  value["ote_status"] = "NOT_ELIGIBLE";
  value["mv_status"] = "NOT_ELIGIBLE";
  return value;
}

std::string mex_answer(const char* root, json::Value content) {
  json::Value value;
  value["data"][root] = std::move(content);
  return json::write(value);
}

std::string mex_error(int code, const char* message) {
  json::Value value, error;
  error["message"] = message;
  error["extensions"]["error_code"] = code;
  error["extensions"]["severity"] = "CRITICAL";
  value["data"] = json::Value();
  value["errors"].append(error);
  return json::write(value);
}

}  // namespace

void Queries::set_active(Device& from, const Node& iq) {
  const bool active = iq.child(names::kActive) != nullptr;
  reply(from, iq);
  if (active) {
    world_.relay.on_active(from);
  } else {
    from.live = false;
  }
}

void Queries::props(Device& from, const Node& iq) {
  const std::string hash = from.account.lid_migrated ? "sim1" : "sim0";
  std::vector<Node> props;
  const auto add = [&props](const char* code, const char* value) {
    props.emplace_back("prop",
                       std::vector<wire::Attr>{{"config_code", code}, {"config_value", value}});
  };
  if (iq.child(names::kProps)->text_attr("hash") != hash) {
    add("9435", from.account.lid_migrated ? "1" : "0");
    add("10518", "1");
    add("20865", "1");
  }
  Node answer(names::kProps, {{"protocol", "1"},
                              {"ab_key", "sim"},
                              {"hash", hash},
                              {"refresh", "86400"},
                              {"refresh_id", "1"}});
  if (!props.empty()) answer.content = std::move(props);
  reply(from, iq, {std::move(answer)});
}

void Queries::get_privacy(Device& from, const Node& iq) {
  std::vector<Node> categories;
  for (const auto& [name, value] : from.account.privacy) {
    categories.emplace_back("category", std::vector<wire::Attr>{{"name", name}, {"value", value}});
  }
  reply(from, iq, {Node(names::kPrivacy, {}, std::move(categories))});
}

void Queries::set_privacy(Device& from, const Node& iq) {
  const Node* privacy = iq.child(names::kPrivacy);
  if (privacy == nullptr) return refuse(from, iq, 400, "bad-request");
  for (const Node& category : privacy->children()) {
    const std::string name = category.text_attr("name");
    if (!from.account.privacy.contains(name)) return refuse(from, iq, 400, "bad-request");
    from.account.privacy[name] = category.text_attr("value");
  }
  reply(from, iq, {*privacy});
}

void Queries::issue_tokens(Device& from, const Node& iq) {
  for (const Node& token : iq.child(names::kTokens)->children()) {
    const auto jid = token.jid_attr("jid");
    Account* target = jid ? world_.directory.find(*jid) : nullptr;
    if (target == nullptr) continue;
    Bytes& bytes = from.account.tokens_issued[target->phone];
    bytes = world_.random.bytes(16);
    for (const auto& [id, device] : target->devices) {
      world_.relay.deliver(*device,
                           Node(names::kNotification,
                                {{"type", "privacy_token"},
                                 {"from", from.account.pn()},
                                 {"sender_lid", from.account.lid()},
                                 {"id", world_.next_id()},
                                 {"t", world_.now_text()}},
                                std::vector{Node(names::kTokens, {},
                                                 std::vector{Node(names::kToken,
                                                                  {{"type", "trusted_contact"},
                                                                   {"t", token.text_attr("t")},
                                                                   {"jid", device->pn()}},
                                                                  bytes)})}));
    }
  }
  reply(from, iq);
}

void Queries::get_blocklist(Device& from, const Node& iq) {
  std::vector<Node> items;
  for (const auto& phone : from.account.blocked) {
    const Account* blocked = world_.directory.find(phone);
    if (blocked == nullptr) continue;
    items.emplace_back(names::kItem,
                       std::vector<wire::Attr>{{"jid", blocked->lid()}, {"pn_jid", blocked->pn()}});
  }
  Node list(names::kList, {{"dhash", block_list_hash(from.account)}});
  if (!items.empty()) list.content = std::move(items);
  reply(from, iq, {std::move(list)});
}

void Queries::set_blocklist(Device& from, const Node& iq) {
  const Node* item = iq.child(names::kItem);
  const auto jid = item == nullptr ? std::nullopt : item->jid_attr("jid");
  const Account* target = jid ? world_.directory.find(*jid) : nullptr;
  if (target == nullptr) return refuse(from, iq, 400, "bad-request");
  const bool block = item->text_attr("action") == "block";
  if (block && (!jid->is_lid() || !item->has_attr("pn_jid"))) {
    world_.violation(from, "a block item needs the LID and one more name");
    return refuse(from, iq, 400, "bad-request");
  }
  if (block) {
    from.account.blocked.insert(target->phone);
  } else {
    from.account.blocked.erase(target->phone);
  }
  world_.announce_block_list(from.account, from.id);
  get_blocklist(from, iq);
}

void Queries::media_hosts(Device& from, const Node& iq) {
  reply(from, iq,
        {Node(names::kMediaConn,
              {{"auth", "sim"}, {"ttl", "3600"}, {"auth_ttl", "21600"}, {"max_buckets", "12"}},
              std::vector{
                  Node(names::kHost, {{"hostname", world_.media.host}, {"type", "primary"}})})});
}

void Queries::app_state(Device& from, const Node& iq) {
  auto answer = world_.app_state.answer(from, iq);
  if (!answer) return refuse(from, iq, answer.error().code, answer.error().text);
  reply(from, iq, {std::move(*answer)});
}

void Queries::get_picture(Device& from, const Node& iq) { refuse(from, iq, 404, "item-not-found"); }

void Queries::set_about(Device& from, const Node& iq) {
  if (const Node* status = iq.child(names::kStatus)) {
    from.account.about = to_string(status->bytes());
  }
  reply(from, iq);
}

void Queries::mex(Device& from, const Node& iq) {
  const Node& query = *iq.child(names::kQuery);
  const std::string id = query.text_attr("query_id");
  std::string answer;
  if (!json::parse(as_text(query.bytes()))) {
    world_.violation(from, "MEX query is not JSON");
    answer = mex_error(400, "bad request");
  } else if (id == kTimelockQuery) {
    answer = mex_answer("xwa2_fetch_account_reachout_timelock",
                        timelock_json(from.account.timelock, world_.now().unix_seconds()));
  } else if (id == kCapQueries[0] || id == kCapQueries[1]) {
    answer = mex_answer("xwa2_message_capping_info",
                        cap_json(from.account.cap, world_.now().unix_seconds()));
  } else {
    answer = mex_error(400, "unknown document");
  }
  reply(from, iq, {Node(names::kResult, {}, to_bytes(answer))});
}

void Queries::push_timelock(const Account& account) {
  const std::string text = mex_answer("xwa2_notify_account_reachout_timelock",
                                      timelock_json(account.timelock, world_.now().unix_seconds()));
  world_.relay.notify_account(
      account, "mex",
      Node(names::kUpdate, {{"op_name", "NotificationUserReachoutTimelockUpdate"}},
           to_bytes(text)));
}

void Queries::push_cap(const Account& account) {
  const std::string text = mex_answer("xwa2_notify_new_chat_messages_capping_info_update",
                                      cap_json(account.cap, world_.now().unix_seconds()));
  world_.relay.notify_account(
      account, "mex",
      Node(names::kUpdate, {{"op_name", "MessageCappingInfoNotification"}}, to_bytes(text)));
}

void Queries::remove_device(Device& from, const Node& iq) {
  const auto jid = iq.child("remove-companion-device")->jid_attr("jid");
  Device* device = jid ? world_.directory.find_device(*jid) : nullptr;
  if (device == nullptr || &device->account != &from.account || device->id == 0) {
    return refuse(from, iq, 404, "item-not-found");
  }
  reply(from, iq);
  world_.unlink(*device);
}

}  // namespace posthorn::simulator
