#include <algorithm>
#include <array>

#include "cloud/endpoint_impl.h"
#include "cloud/fields.h"
#include "posthorn/cloud/webhook.h"

// What the number and the business are, and who is told.
namespace posthorn::cloud {
namespace {

using api::Verb;

constexpr std::size_t kUrlMax = 2048;

json::Value no_paging() {
  json::Value out;
  out["cursors"]["before"] = "MAZDZD";
  out["cursors"]["after"] = "MAZDZD";
  return out;
}

/// "a,b{c,d},e.limit(3)" without what stands behind the names.
std::string plain_fields(std::string_view fields) {
  std::string out;
  std::size_t depth = 0;
  bool modified = false;
  for (const char c : fields) {
    if (c == '{' || c == '(') ++depth;
    if (depth == 0 && c == ',') modified = false;
    if (depth == 0 && c == '.') modified = true;
    if (depth == 0 && !modified && c != ' ') out += c;
    if ((c == '}' || c == ')') && depth > 0 && --depth == 0) modified = true;
  }
  return out;
}

/// Of an object only what `asked` names, and the id; names that nobody knows are left out.
json::Value chosen(const json::Value& all, std::string_view asked) {
  if (asked.empty()) return all;
  const std::string plain = plain_fields(asked);
  std::string_view fields = plain;
  json::Value out;
  out["id"] = all["id"];
  while (!fields.empty()) {
    const std::size_t end = std::min(fields.find(','), fields.size());
    const std::string name(fields.substr(0, end));
    if (all.isMember(name)) out[name] = all[name];
    fields.remove_prefix(std::min(end + 1, fields.size()));
  }
  return out;
}

}  // namespace

json::Value Endpoint::Impl::number_json() const {
  const Account account = out_.account();
  json::Value out;
  out["id"] = identity_.phone_number_id;
  out["display_phone_number"] = account.phone.empty() ? "" : "+" + account.phone;
  out["verified_name"] = is_utf8(account.name) ? account.name : "";
  out["quality_rating"] = quality_of(out_.status().throttle);
  out["code_verification_status"] = account.phone.empty() ? "NOT_VERIFIED" : "VERIFIED";
  out["platform_type"] = "CLOUD_API";
  out["throughput"]["level"] = "STANDARD";
  return out;
}

void Endpoint::Impl::show_number(GraphCall call) {
  json::Value all = number_json();
  const std::string_view fields = call.request.query_value("fields");
  if (!fields.empty()) {
    all["name_status"] = "APPROVED";
    all["status"] = out_.status().link == Status::Link::online ? "CONNECTED" : "DISCONNECTED";
    all["is_official_business_account"] = false;
    all["account_mode"] = "LIVE";
  }
  call.send(chosen(all, fields));
}

void Endpoint::Impl::show_profile(GraphCall call) {
  json::Value one;
  one["messaging_product"] = "whatsapp";
  for (const char* name : {"about", "address", "description", "email", "profile_picture_url"}) {
    one[name] = "";
  }
  one["websites"] = json::Value(::Json::arrayValue);
  one["vertical"] = "UNDEFINED";
  json::Value out;
  out["data"].append(std::move(one));
  call.send(out);
}

void Endpoint::Impl::list_numbers(GraphCall call) {
  json::Value out;
  out["data"].append(number_json());
  out["paging"] = no_paging();
  call.send(out);
}

void Endpoint::Impl::show_business(GraphCall call) {
  json::Value all;
  all["id"] = identity_.waba_id;
  const std::string name = out_.account().name;
  all["name"] = name.empty() || !is_utf8(name) ? "Posthorn" : name;
  all["timezone_id"] = "0";
  all["message_template_namespace"] = identity_.waba_id;
  call.send(chosen(all, call.request.query_value("fields")));
}

void Endpoint::Impl::show_token(GraphCall call) {
  json::Value out;
  json::Value& data = out["data"];
  data["app_id"] = "0";
  data["type"] = "SYSTEM_USER";
  data["application"] = "Posthorn";
  data["expires_at"] = 0;
  data["is_valid"] = true;
  data["scopes"].append("whatsapp_business_messaging");
  data["scopes"].append("whatsapp_business_management");
  call.send(out);
}

void Endpoint::Impl::subscriptions(GraphCall call) {
  if (call.request.verb == Verb::get) {
    json::Value out;
    out["data"] = json::Value(::Json::arrayValue);
    if (!identity_.callback_url.empty()) {
      json::Value one;
      one["whatsapp_business_api_data"]["id"] = "0";
      one["whatsapp_business_api_data"]["name"] = "Posthorn";
      one["whatsapp_business_api_data"]["link"] = "";
      one["override_callback_uri"] = identity_.callback_url;
      out["data"].append(std::move(one));
    }
    return call.send(out);
  }
  const bool removes = call.request.verb == Verb::del;
  if (!removes && call.request.verb != Verb::post) return refuse_path(call);
  const auto url = text_in(call.body, "override_callback_uri", "", kUrlMax);
  if (!url) return refuse(call, url.error());
  const auto token = text_in(call.body, "verify_token", "", kUrlMax);
  if (!token) return refuse(call, token.error());
  // Without a receiver of its own this only says who is told, and here nobody else is.
  if (!removes && url->empty()) return call.succeed();
  out_.set_callback(
      removes ? "" : *url, *token,
      [self = alive_.weak(), call = std::move(call)](Result<void> set) mutable {
        Impl* me = self.get();
        if (me == nullptr) return;
        if (!set) {
          return me->refuse(call, GraphError{Code::invalid_parameter, set.error().detail});
        }
        call.succeed();
      });
}

}  // namespace posthorn::cloud
