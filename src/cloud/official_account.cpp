#include "posthorn/cloud/official_account.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/percent_encode.h"

namespace posthorn::cloud {
namespace {

constexpr std::size_t kShown = 100;
constexpr std::size_t kWordMax = 512;
constexpr std::size_t kAnswerMax = std::size_t{2} << 20;
constexpr std::size_t kValuesMax = 50'000;
constexpr hours kDay{24};
constexpr hours kHour{1};
constexpr minutes kAfterFault{15};

/// A word of Meta's; "" where there is none, or a tale.
std::string word_at(const json::Value& object, const char* name) {
  std::string word = json::text_of(json::at(object, name)).value_or("");
  return word.size() <= kWordMax ? word : std::string();
}

}  // namespace

std::string refusal_in_words(const net::HttpResponse& answer) {
  const auto body = json::parse(answer.body);
  const json::Value error = body ? json::at(*body, "error") : json::Value();
  return "the official API answers " + std::to_string(answer.status) + ": " +
         (word_at(error, "message").empty() ? "no words" : word_at(error, "message"));
}

OfficialAccount::OfficialAccount(const CloudConfig& config, std::string token, Outside outside)
    : config_(config),
      token_(std::move(token)),
      out_(std::move(outside)),
      day_(out_.scheduler),
      hour_(out_.scheduler) {}

void OfficialAccount::start() {
  if (token_.empty() || config_.phone_number_id.empty()) return;
  read_number();
  read_templates();
}

void OfficialAccount::stop() {
  day_.stop();
  hour_.stop();
  alive_.end();
}

net::HttpRequest OfficialAccount::get(const std::string& path) const {
  net::HttpRequest out;
  out.url = config_.url + "/" + config_.version + "/" + path;
  out.headers.emplace_back("Authorization", "Bearer " + token_);
  out.headers.emplace_back("User-Agent", "posthorn");
  out.response_limit = kAnswerMax;
  out.proxy = out_.proxy;
  return out;
}

void OfficialAccount::ask(Once<void(Result<json::Value>)> done) {
  if (config_.phone_number_id.empty()) {
    return done(
        fail(Errc::not_found, "no official number is set up: see [cloud] in posthorn.toml"));
  }
  out_.http.send(get(config_.phone_number_id +
                     "?fields=id,display_phone_number,verified_name,quality_rating,throughput,"
                     "whatsapp_business_manager_messaging_limit,platform_type,status"),
                 [self = alive_.weak(),
                  done = std::move(done)](const Result<net::HttpResponse>& answer) mutable {
                   if (!answer) {
                     return done(fail(answer.error(), "the official API was not reached"));
                   }
                   auto body = json::parse(answer->body);
                   if (answer->status != 200 || !body || !body->isObject()) {
                     return done(fail(Errc::refused, refusal_in_words(*answer)));
                   }
                   if (OfficialAccount* me = self.get()) {
                     json::Value& out = me->number_ = json::Value(::Json::objectValue);
                     out["displayPhoneNumber"] = word_at(*body, "display_phone_number");
                     out["verifiedName"] = word_at(*body, "verified_name");
                     out["qualityRating"] = word_at(*body, "quality_rating");
                     out["messagingLimit"] =
                         word_at(*body, "whatsapp_business_manager_messaging_limit");
                     out["throughput"] = word_at(json::at(*body, "throughput"), "level");
                     out["status"] = word_at(*body, "status");
                     out["readAt"] = to_iso8601(me->out_.clock.now());
                   }
                   done(std::move(*body));
                 });
}

void OfficialAccount::read_number() {
  ask(alive_.bind([this](const Result<json::Value>& read) {
    day_.start(read ? milliseconds(kDay) : milliseconds(kAfterFault), [this] { read_number(); });
  }));
}

void OfficialAccount::read_templates() {
  if (is_reading_ || token_.empty() || config_.phone_number_id.empty()) return;
  if (config_.waba_id.empty()) {
    templates_error_ = "cloud.waba_id is not set";
    return;
  }
  is_reading_ = true;
  reading_.clear();
  read_page("");
}

void OfficialAccount::read_page(std::string after) {
  std::string path = config_.waba_id +
                     "/message_templates?fields=name,language,status,category,parameter_format"
                     "&limit=100";
  if (!after.empty()) path += "&after=" + percent_encode(after);
  out_.http.send(get(path),
                 alive_.bind([this](const Result<net::HttpResponse>& answer) { on_page(answer); }));
}

void OfficialAccount::on_page(const Result<net::HttpResponse>& answer) {
  const auto page = answer && answer->status == 200 ? json::parse(answer->body, kValuesMax)
                                                    : Result<json::Value>(json::Value());
  const bool is_list = page && json::at(*page, "data").isArray();
  if (is_list) {
    const std::size_t before = reading_.size();
    take_page(*page);
    const json::Value& paging = json::at(*page, "paging");
    const std::string after = word_at(json::at(paging, "cursors"), "after");
    // A page that brings nothing is the last one, whatever it says.
    const bool more = json::at(paging, "next").isString() && !after.empty();
    if (more && reading_.size() > before && reading_.size() < kTemplates) return read_page(after);
    templates_ = std::exchange(reading_, {});
    templates_at_ = to_iso8601(out_.clock.now());
    templates_error_.clear();
  } else {
    templates_error_ = !answer ? to_string(answer.error()) : refusal_in_words(*answer);
  }
  is_reading_ = false;
  hour_.start(is_list ? milliseconds(kHour) : milliseconds(kAfterFault),
              [this] { read_templates(); });
}

void OfficialAccount::take_page(const json::Value& page) {
  for (const json::Value& one : json::at(page, "data")) {
    if (reading_.size() >= kTemplates) return;
    if (!one.isObject() || word_at(one, "name").empty()) continue;
    reading_.push_back({word_at(one, "name"), word_at(one, "language"), word_at(one, "status"),
                        word_at(one, "category"), word_at(one, "parameter_format")});
  }
}

std::string OfficialAccount::trouble_with(const std::string& name,
                                          const std::string& language) const {
  const auto found = std::find_if(templates_.begin(), templates_.end(), [&](const Template& one) {
    return one.name == name && one.language == language;
  });
  // Made within the hour, or beyond those that are kept: Meta itself says.
  if (found == templates_.end()) return "";
  if (found->status != "REJECTED" && found->status != "DISABLED") return "";
  return "the template " + name + " (" + language + ") is " + found->status + " at Meta";
}

json::Value OfficialAccount::templates_json() const {
  json::Value out;
  out["readAt"] = templates_at_.empty() ? json::Value() : json::Value(templates_at_);
  out["error"] = templates_error_;
  out["known"] = static_cast<::Json::UInt64>(templates_.size());
  out["list"] = json::Value(::Json::arrayValue);
  for (std::size_t i = 0; i < std::min(templates_.size(), kShown); ++i) {
    const Template& one = templates_[i];
    json::Value shown;
    shown["name"] = one.name;
    shown["language"] = one.language;
    shown["status"] = one.status;
    shown["category"] = one.category;
    shown["parameterFormat"] = one.parameter_format;
    out["list"].append(std::move(shown));
  }
  return out;
}

}  // namespace posthorn::cloud
