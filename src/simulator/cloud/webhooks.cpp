#include <algorithm>
#include <utility>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/json_ascii.h"
#include "simulator/cloud/impl.h"

// What the business is told: signed; what nobody takes comes again, twelve times in all.
namespace posthorn::simulator {
namespace {

constexpr int kTries = 12;
constexpr std::size_t kQueued = 5000;

std::string month_of(std::int64_t unix_seconds) {
  return to_iso8601(Wall::from_unix(unix_seconds)).substr(0, 7);
}

}  // namespace

void Cloud::Impl::tell(json::Value value, const std::string& field, const std::string& secret,
                       Once<void(int status)> done) {
  if (webhook.empty() || webhooks.size() >= kQueued) {
    if (done) done(0);
    return;
  }
  value["messaging_product"] = "whatsapp";
  value["metadata"]["display_phone_number"] = options.phone;
  value["metadata"]["phone_number_id"] = options.number_id;
  json::Value change;
  change["field"] = field;
  change["value"] = std::move(value);
  json::Value entry;
  entry["id"] = options.waba_id;
  entry["changes"].append(std::move(change));
  json::Value out;
  out["object"] = "whatsapp_business_account";
  out["entry"].append(std::move(entry));
  Webhook one;
  one.body = json::write_ascii(out);
  one.signature = "sha256=" + hex_encode(crypto::hmac_sha256(as_bytes(secret), as_bytes(one.body)));
  one.done = std::move(done);
  webhooks.push_back(std::move(one));
  pump();
}

/// One at a time; what is not taken comes again, with growing gaps, before all others.
void Cloud::Impl::pump() {
  if (telling || webhooks.empty()) return;
  if (webhook.empty()) {  // nobody is told any more
    for (Webhook& one : std::exchange(webhooks, {})) {
      if (one.done) one.done(0);
    }
    return;
  }
  telling = true;
  const Webhook& next = webhooks.front();
  outside.post(webhook, next.signature, next.body, alive.bind([this](int status) {
    telling = false;
    Webhook& sent = webhooks.front();
    const bool taken = status >= 200 && status < 300;
    if (sent.done) {
      sent.done(status);  // who asked for it sees to it
    } else if (!taken && ++sent.tries < kTries) {
      again.start(milliseconds(100LL << std::min(sent.tries, 7)), [this] { pump(); });
      return;
    }
    webhooks.pop_front();
    outside.scheduler.post(alive.bind([this] { pump(); }));
  }));
}

void Cloud::Impl::tell_statuses(const Customer& to, const std::string& wamid,
                                const json::Value& message, std::optional<CloudError> failed) {
  if (month != month_of(now())) service = 0;
  month = month_of(now());
  const std::string category = category_of(message);
  const bool is_service = category == "service";
  if (!failed && is_service && ++service > free_service && !payment) {
    failed = CloudError{131042, "the free messages are used up, and there is no way to pay"};
  }
  json::Value base;
  base["id"] = wamid;
  base["timestamp"] = std::to_string(now());
  if (!to.phone.empty()) base["recipient_id"] = to.phone;
  if (!to.user_id.empty()) base["recipient_user_id"] = to.user_id;
  const json::Value& callback = json::at(message, "biz_opaque_callback_data");
  if (!callback.isNull()) base["biz_opaque_callback_data"] = callback;
  const auto tell_one = [this](json::Value status) {
    json::Value value;
    value["statuses"].append(std::move(status));
    tell(std::move(value), "messages", options.app_secret, {});
  };
  if (failed) {
    const CloudCode* known = find_code(failed->code);
    json::Value error;
    error["code"] = failed->code;
    error["title"] = known == nullptr ? "Error" : known->title;
    error["message"] = error["title"];
    error["error_data"]["details"] = failed->details;
    base["status"] = "failed";
    base["errors"].append(std::move(error));
    tell_one(base);
    if (duplicates) tell_one(base);
    return;
  }
  json::Value price;
  price["billable"] = true;
  price["pricing_model"] = "PMP";
  price["category"] = category;
  price["type"] = is_service && service <= free_service ? "free_customer_service" : "regular";
  json::Value counted = price;
  counted["timestamp"] = base["timestamp"];
  pricing.append(std::move(counted));
  std::vector<std::string> order = ladder;
  if (duplicates && !order.empty()) order.push_back(order.front());
  if (reorder) std::reverse(order.begin(), order.end());
  for (const std::string& status : order) {
    json::Value one = base;
    one["status"] = status;
    if (status != "read") one["pricing"] = price;
    tell_one(std::move(one));
  }
}

void Cloud::Impl::say(const json::Value& what, Once<void(int status)> done) {
  const std::string from = json::text_of(json::at(what, "from")).value_or("");
  Customer& person = customer(from);
  if (const auto id = json::string_at(what, "user_id")) person.user_id = *id;
  person.wrote = now();
  json::Value contact;
  contact["profile"]["name"] = person.name;
  json::Value message;
  const bool hidden = json::bool_at(what, "hide_number").value_or(false) || person.phone.empty();
  if (!hidden) {
    contact["wa_id"] = person.phone;
    message["from"] = person.phone;
  }
  if (!person.user_id.empty()) {
    contact["user_id"] = person.user_id;
    message["from_user_id"] = person.user_id;
  }
  message["id"] = json::string_at(what, "id").value_or("wamid.IN" + std::to_string(++made));
  message["timestamp"] = std::to_string(now());
  message["type"] = json::string_at(what, "type").value_or("text");
  const std::string type = message["type"].asString();
  if (type == "text") {
    message["text"]["body"] = json::string_at(what, "text").value_or("");
  } else if (const auto bytes = json::string_at(what, "bytes")) {
    CloudMedia file;
    const auto decoded = base64_decode(*bytes);
    file.bytes = decoded ? to_string(*decoded) : "";
    file.mime = json::string_at(what, "mime_type").value_or("application/octet-stream");
    file.made = now();
    message[type]["id"] = next_id();
    message[type]["mime_type"] = file.mime;
    message[type]["sha256"] = base64_encode(crypto::sha256(as_bytes(file.bytes)));
    if (const auto caption = json::string_at(what, "caption")) message[type]["caption"] = *caption;
    add_media(message[type]["id"].asString(), std::move(file));
  } else {
    message[type] = json::at(what, "content");
  }
  json::Value value;
  value["contacts"].append(std::move(contact));
  value["messages"].append(std::move(message));
  tell(std::move(value), "messages", options.app_secret, std::move(done));
}

}  // namespace posthorn::simulator
