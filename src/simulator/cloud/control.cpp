#include <algorithm>

#include "simulator/cloud/impl.h"

// What tests say: src/simulator/CONTROL.md, "The official API".
namespace posthorn::simulator {
namespace {

void flag(const json::Value& body, const char* name, bool& into) {
  into = json::bool_at(body, name).value_or(into);
}

Cloud::Response done_or(const std::string& wrong) {
  json::Value out;
  if (wrong.empty()) {
    out["ok"] = true;
    return {200, std::move(out)};
  }
  out["error"] = wrong;
  return {400, std::move(out)};
}

}  // namespace

std::string Cloud::Impl::set(const json::Value& body) {
  static const std::set<std::string> kKnown = {"webhook",    "direct_send",  "payment",
                                               "duplicates", "reorder",      "free_service",
                                               "ladder",     "test_numbers", "token"};
  for (const auto& name : body.getMemberNames()) {
    if (!kKnown.contains(name)) return "unknown: " + name;
  }
  if (body.isMember("webhook")) webhook = text_at(body, "webhook");
  flag(body, "direct_send", direct_send);
  flag(body, "payment", payment);
  flag(body, "duplicates", duplicates);
  flag(body, "reorder", reorder);
  free_service = json::int_at(body, "free_service").value_or(free_service);
  options.token = json::string_at(body, "token").value_or(options.token);
  const auto list = [&body](const char* name, auto add) {
    for (const json::Value& one : json::at(body, name)) add(json::text_of(one).value_or(""));
  };
  if (body.isMember("ladder")) {
    ladder.clear();
    list("ladder", [this](std::string word) { ladder.push_back(std::move(word)); });
  }
  if (body.isMember("test_numbers")) {
    test_numbers.clear();
    list("test_numbers", [this](std::string word) { test_numbers.insert(std::move(word)); });
  }
  outside.scheduler.post(alive.bind([this] { pump(); }));
  return "";
}

std::string Cloud::Impl::add_fault(const json::Value& body) {
  CloudFault one;
  one.where = json::string_at(body, "where").value_or(one.where);
  one.to = text_at(body, "to");
  flag(body, "drop", one.drop);
  flag(body, "hang", one.hang);
  one.times = static_cast<int>(json::int_at(body, "times").value_or(1));
  const auto code = json::int_at(body, "code");
  if (!code && !one.drop && !one.hang) return "code, drop or hang is needed";
  if (code) {
    one.error.code = static_cast<int>(*code);
    const CloudCode* known = find_code(one.error.code);
    if (known == nullptr && !body.isMember("status"))
      return "no code of the table: give its status";
    one.later = known != nullptr && known->later;
  }
  flag(body, "later", one.later);
  one.error.status = static_cast<int>(json::int_at(body, "status").value_or(0));
  one.error.details = json::string_at(body, "details").value_or("as the test says");
  faults.push_back(std::move(one));
  return "";
}

json::Value Cloud::Impl::shown() const {
  json::Value out;
  out["number_id"] = options.number_id;
  out["waba_id"] = options.waba_id;
  out["phone"] = options.phone;
  out["token"] = options.token;
  out["app_secret"] = options.app_secret;
  out["now"] = static_cast<::Json::Int64>(now());
  out["service"] = static_cast<::Json::Int64>(service);
  out["posts"] = posts;
  out["reads"] = reads;
  out["uploads"] = uploads;
  out["pricing"] = pricing;
  out["faults"] = static_cast<::Json::UInt64>(faults.size());
  out["webhooks"] = static_cast<::Json::UInt64>(webhooks.size());
  return out;
}

void Cloud::Impl::control(const std::string& method, const std::string& path,
                          const json::Value& body, Once<void(Response)> done) {
  if (method == "GET" && path == "/cloud") return done({200, shown()});
  if (method == "GET" && path == "/cloud/codes") return done({200, all_codes()});
  if (method != "POST") return done({404, "nothing is here"});
  const auto status = [](Once<void(Response)> to) {
    return [to = std::move(to)](int answered) mutable {
      json::Value out;
      out["status"] = answered;
      to({200, std::move(out)});
    };
  };
  if (path == "/cloud/say") return say(body, status(std::move(done)));
  if (path == "/cloud/tell") {
    const std::string field = json::string_at(body, "field").value_or("messages");
    const std::string secret = json::string_at(body, "secret").value_or(options.app_secret);
    return tell(json::at(body, "value"), field, secret, status(std::move(done)));
  }
  if (path == "/cloud/set") return done(done_or(set(body)));
  if (path == "/cloud/fault") return done(done_or(add_fault(body)));
  if (path == "/cloud/clock") {
    forward += json::int_at(body, "forward").value_or(0);
    return done(done_or(""));
  }
  if (path == "/cloud/customer") {
    const std::string name =
        text_at(body, "phone").empty() ? text_at(body, "user_id") : text_at(body, "phone");
    if (name.empty()) return done(done_or("phone or user_id is needed"));
    Customer& one = customer(name);
    if (body.isMember("user_id")) one.user_id = text_at(body, "user_id");
    flag(body, "on_whatsapp", one.on_whatsapp);
    flag(body, "opted_out", one.opted_out);
    one.name = json::string_at(body, "name").value_or(one.name);
    return done(done_or(""));
  }
  if (path == "/cloud/template") {
    std::erase_if(templates, [&body](const CloudTemplate& one) {
      return one.name == text_at(body, "name") && one.language == text_at(body, "language");
    });
    const CloudAnswer made_one =
        make_template(body, json::string_at(body, "status").value_or("APPROVED"));
    return done(done_or(made_one.status == 200 ? "" : made_one.body));
  }
  done({404, "nothing is here"});
}

}  // namespace posthorn::simulator
