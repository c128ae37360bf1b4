#include <algorithm>
#include <cstdlib>

#include "simulator/cloud/impl.h"

// Who asks, and for what; the number, its business and templates.
namespace posthorn::simulator {
namespace {

constexpr std::size_t kPage = 25;
constexpr std::size_t kTemplatesMost = 250;
constexpr std::size_t kValuesMost = 50'000;

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(path.front() == '/' ? 1 : 0);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) out.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  const auto is_version = [](const std::string& part) {
    return part.size() > 3 && part[0] == 'v' && part[1] >= '0' && part[1] <= '9' &&
           part.find('.') != std::string::npos;
  };
  if (!out.empty() && is_version(out.front())) out.erase(out.begin());
  return out;
}

CloudAnswer with(const json::Value& body) { return {.body = json::write(body)}; }

CloudAnswer success() { return {.body = R"({"success":true})"}; }

json::Value shown_template(const CloudTemplate& one) {
  json::Value out;
  out["id"] = one.id;
  out["name"] = one.name;
  out["language"] = one.language;
  out["status"] = one.status;
  out["category"] = one.category;
  out["parameter_format"] = one.format;
  out["components"] = one.components;
  return out;
}

std::string query(const CloudRequest& request, const char* name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

}  // namespace

std::string text_at(const json::Value& object, const char* name) {
  return json::text_of(json::at(object, name)).value_or("");
}

Cloud::Cloud(Options options, Outside outside)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(outside))) {}

Cloud::~Cloud() {
  for (auto& one : impl_->webhooks) {
    if (one.done) one.done(0);
  }
}

CloudAnswer Cloud::graph(const CloudRequest& request) { return impl_->graph(request); }

void Cloud::control(const std::string& method, const std::string& path, const std::string& body,
                    Once<void(Response)> done) {
  auto value = body.empty() ? Result<json::Value>(json::Value(::Json::objectValue))
                            : json::parse(body, kValuesMost);
  if (!value || !value->isObject()) return done(Response{400, "the body must be a JSON object"});
  impl_->control(method, path, *value, std::move(done));
}

std::int64_t Cloud::Impl::now() const {
  return outside.scheduler.system_wall().unix_seconds() + forward;
}

CloudAnswer Cloud::Impl::refuse(const CloudError& error) {
  const CloudCode* known = find_code(error.code);
  json::Value out;
  json::Value& told = out["error"];
  told["message"] = "(#" + std::to_string(error.code) + ") " +
                    (known == nullptr ? "Something went wrong" : known->title);
  told["type"] = error.subcode == 33 ? "GraphMethodException" : "OAuthException";
  told["code"] = error.code;
  if (error.subcode != 0) told["error_subcode"] = error.subcode;
  told["error_data"]["messaging_product"] = "whatsapp";
  told["error_data"]["details"] = error.details;
  told["fbtrace_id"] = "AStandInOfTheRealOne01";
  const int status = error.status != 0 ? error.status : known == nullptr ? 400 : known->status;
  return {.status = status, .body = json::write(out)};
}

std::optional<CloudFault> Cloud::Impl::fault(const std::string& where, const std::string& to) {
  const auto found = std::find_if(faults.begin(), faults.end(), [&](const CloudFault& one) {
    return one.where == where && (one.to.empty() || one.to == to);
  });
  if (found == faults.end()) return std::nullopt;
  const CloudFault out = *found;
  if (--found->times <= 0) faults.erase(found);
  return out;
}

CloudAnswer Cloud::Impl::graph(const CloudRequest& request) {
  const bool right = request.authorization == "Bearer " + options.token ||
                     query(request, "access_token") == options.token;
  if (!right) return refuse({190, "the access token is wrong"});
  const auto parts = parts_of(request.path);
  const std::string what = parts.size() > 1 ? parts[1] : "";
  if (parts.size() == 2 && parts[0] == "lookaside") return media_bytes(parts[1]);
  if (!parts.empty() && parts[0] == options.number_id) return on_number(request, what);
  if (!parts.empty() && parts[0] == options.waba_id) return on_business(request, what);
  if (parts.size() == 1 && media.contains(parts[0])) return media_object(request, parts[0]);
  return refuse({100, "nothing is at " + request.path, 400, 33});
}

CloudAnswer Cloud::Impl::on_number(const CloudRequest& request, const std::string& what) {
  const bool posts_it = request.method == "POST";
  if (what == "messages" && posts_it) return messages(request.body);
  if (what == "media" && posts_it) return upload(request);
  if ((what == "register" || what == "deregister") && posts_it) return success();
  if (!what.empty() || request.method != "GET") {
    return refuse({100, "nothing is at " + request.path, 400, 33});
  }
  if (const auto wrong = fault("number", "")) return refuse(wrong->error);
  json::Value all;
  all["display_phone_number"] = "+" + options.phone;
  all["verified_name"] = "Shop";
  all["quality_rating"] = "GREEN";
  all["throughput"]["level"] = "STANDARD";
  all["whatsapp_business_manager_messaging_limit"] = "TIER_2K";
  all["platform_type"] = "CLOUD_API";
  all["code_verification_status"] = "VERIFIED";
  all["status"] = "CONNECTED";
  json::Value out;
  std::string fields = query(request, "fields");
  if (fields.empty()) fields = "display_phone_number,verified_name,quality_rating,platform_type";
  fields += ",";
  for (const auto& name : all.getMemberNames()) {
    if (("," + fields).find("," + name + ",") != std::string::npos) out[name] = all[name];
  }
  out["id"] = options.number_id;
  return with(out);
}

CloudAnswer Cloud::Impl::on_business(const CloudRequest& request, const std::string& what) {
  if (what == "subscribed_apps") {
    return request.method == "GET" ? CloudAnswer{.body = R"({"data":[]})"} : success();
  }
  if (what != "message_templates") return refuse({100, "nothing is at it", 400, 33});
  if (const auto wrong = fault("templates", "")) return refuse(wrong->error);
  if (request.method == "GET") return list_templates(request);
  if (request.method == "DELETE") return delete_template(request);
  const auto body = json::parse(request.body, kValuesMost);
  if (!body) return refuse({100, body.error().detail});
  return make_template(*body, "PENDING");
}

CloudAnswer Cloud::Impl::list_templates(const CloudRequest& request) const {
  const std::size_t limit = std::max(std::atoi(query(request, "limit").c_str()), 0);
  const std::size_t size = limit == 0 ? kPage : limit;
  const std::size_t from = std::max(std::atoi(query(request, "after").c_str()), 0);
  json::Value out;
  out["data"] = json::Value(::Json::arrayValue);
  std::size_t place = 0;
  for (const CloudTemplate& one : templates) {
    if (place >= from && place < from + size) out["data"].append(shown_template(one));
    ++place;
  }
  out["paging"]["cursors"]["before"] = std::to_string(from);
  out["paging"]["cursors"]["after"] = std::to_string(from + out["data"].size());
  if (place > from + size) out["paging"]["next"] = "https://next.example/";
  return with(out);
}

CloudAnswer Cloud::Impl::make_template(const json::Value& body, const std::string& status) {
  CloudTemplate one;
  one.name = json::string_at(body, "name").value_or("");
  one.language = json::string_at(body, "language").value_or("");
  one.category = json::string_at(body, "category").value_or("");
  one.format = json::string_at(body, "parameter_format").value_or("POSITIONAL");
  one.components = json::at(body, "components");
  const bool named =
      !one.name.empty() &&
      one.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!named || one.language.empty() || one.category.empty() || !one.components.isArray()) {
    return refuse({100, "name, language, category and components are needed"});
  }
  const bool there = std::any_of(templates.begin(), templates.end(), [&one](const auto& other) {
    return other.name == one.name && other.language == one.language;
  });
  if (there) return refuse({100, "the template is there in this language"});
  if (templates.size() >= kTemplatesMost) return refuse({100, "250 templates are there"});
  one.id = next_id();
  one.status = status;
  templates.push_back(one);
  json::Value out;
  out["id"] = one.id;
  out["status"] = one.status;
  out["category"] = one.category;
  return with(out);
}

CloudAnswer Cloud::Impl::delete_template(const CloudRequest& request) {
  const std::string name = query(request, "name");
  const std::string id = query(request, "hsm_id");
  const auto gone = std::erase_if(templates, [&](const CloudTemplate& one) {
    return (name.empty() || one.name == name) && (id.empty() || one.id == id) &&
           !(name.empty() && id.empty());
  });
  return gone == 0 ? refuse({100, "no such template"}) : success();
}

}  // namespace posthorn::simulator
