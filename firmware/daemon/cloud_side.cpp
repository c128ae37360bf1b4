#include "daemon/cloud_side.h"

#include <algorithm>
#include <utility>

#include "daemon/route.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/json.h"
#include "posthorn/base/json_ascii.h"
#include "posthorn/base/log.h"
#include "posthorn/base/percent_encode.h"

namespace posthorn::daemon {
namespace {

constexpr const char* kQualityBlob = "cloud/quality";
constexpr seconds kChallengeWait{15};
constexpr std::size_t kSecretMin = 16;
constexpr std::size_t kSecretMax = 128;
constexpr std::size_t kUrlMax = 2048;

json::Value number(std::uint64_t value) { return static_cast<::Json::UInt64>(value); }

bool is_http_url(const std::string& url) {
  const bool scheme = url.starts_with("http://") || url.starts_with("https://");
  return scheme && url.size() <= kUrlMax &&
         std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

json::Value template_use(const cloud::Template& one) {
  json::Value out;
  out["name"] = one.name;
  out["language"] = one.language;
  out["sent"] = number(one.sent);
  out["replied"] = number(one.replied);
  out["replyShare"] =
      one.sent == 0 ? json::Value()
                    : json::Value(static_cast<double>(one.replied) / static_cast<double>(one.sent));
  return out;
}

/// As Green-API's WABA instances show one.
json::Value green_template(const cloud::Template& one) {
  json::Value out;
  out["templateId"] = one.id;
  out["elementName"] = one.name;
  out["languageCode"] = one.language;
  out["category"] = one.category;
  out["status"] = "APPROVED";
  out["templateType"] = "TEXT";
  out["containerMeta"] = json::write(one.components);
  for (const json::Value& part : one.components) {
    std::string type = json::string_at(part, "type").value_or("");
    std::transform(type.begin(), type.end(), type.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    if (type == "BODY") out["data"] = json::string_at(part, "text").value_or("");
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<CloudSide>> CloudSide::make(Outside outside) {
  TRY(auto identity, cloud::load_identity(outside.blobs, outside.random));
  std::unique_ptr<CloudSide> side(new CloudSide(std::move(outside), std::move(identity)));
  side->start();
  return side;
}

CloudSide::CloudSide(Outside outside, cloud::BoxIdentity identity)
    : out_(std::move(outside)),
      identity_(std::move(identity)),
      templates_(out_.blobs, out_.random),
      media_(out_.blobs),
      endpoint_(identity_, templates_, media_, endpoint_outside()),
      mailbox_(out_.scheduler, out_.inbox, out_.refused, [this] { return webhook_context(); }),
      courier_(webhooks::CourierOptions{.wait = out_.webhook_wait},
               {out_.scheduler, out_.clock, out_.http, mailbox_}) {}

CloudSide::~CloudSide() = default;

cloud::Endpoint::Outside CloudSide::endpoint_outside() {
  return {out_.scheduler,
          out_.clock,
          out_.random,
          out_.blobs,
          out_.outbox,
          out_.read_marks,
          out_.presence,
          out_.earlier,
          out_.account,
          out_.status,
          [this](const Job& job, const std::string& why) {
            out_.notifier.on_job(
                job, api::MessageStatus::failed, why, Wall{}, [](const Result<void>& stored) {
                  if (stored) return;
                  log::warn("cloud", "a status is lost", {{"error", stored.error()}});
                });
          },
          [this](const std::string& url, const std::string& token, Done done) {
            set_callback(url, token, std::nullopt, std::move(done));
          },
          out_.hear,
          out_.hear_verify_token,
          out_.job_life,
          out_.rate_scale,
          out_.files,
          out_.chat_of_user_id,
          out_.mark_official,
          out_.has_official};
}

void CloudSide::start() {
  const auto told = out_.blobs.load(kQualityBlob);
  if (told && *told) quality_ = as_text(**told);
  mailbox_.on_head([this] { courier_.on_notification(); });
  out_.refused.on_retry(
      [this](const std::vector<webhooks::Mailbox::Head>& heads) { return mailbox_.again(heads); });
  if (identity_.callback_url.empty()) return;
  if (const auto opened = mailbox_.open(); !opened) {
    log::error("cloud", "no webhooks of the official API's form", {{"error", opened.error()}});
    return;
  }
  aim();
}

void CloudSide::stop() {
  mailbox_.on_head({});
  out_.refused.on_retry({});
  courier_.stop();
  alive_.end();
}

void CloudSide::aim() {
  webhooks::Target target;
  target.url = identity_.callback_url;
  if (!target.url.empty()) target.signing_key = identity_.app_secret;
  courier_.set_target(std::move(target));
}

cloud::WebhookContext CloudSide::webhook_context() {
  cloud::WebhookContext context;
  context.waba_id = identity_.waba_id;
  context.phone_number_id = identity_.phone_number_id;
  context.own_phone = out_.account().phone;
  context.media_of = [this](const std::string& chat, const std::string& id,
                            const std::string& link) { return media_of(chat, id, link); };
  context.callback_data_of = [this](const std::string& id) {
    return endpoint_.callback_data_of(id);
  };
  return context;
}

std::optional<cloud::ShownMedia> CloudSide::media_of(const std::string& chat, const std::string& id,
                                                     const std::string& link) {
  if (!out_.files) return std::nullopt;
  content::File file;
  const auto known = out_.files->chat.in_message(chat, id);
  if (known && *known) {
    file = **known;
  } else if (const auto target = out_.files->links.read_url(link)) {
    file.ref = target->ref;
    file.name = target->name;
  }
  if (file.ref.empty()) return std::nullopt;
  const auto added = media_.add({file.ref, file.mime, file.name, file.size}, chat + "\n" + id);
  if (!added) {
    log::warn("cloud", "a file gets no id", {{"error", added.error()}});
    return std::nullopt;
  }
  return cloud::ShownMedia{*added, std::move(file)};
}

void CloudSide::set_callback(const std::string& url, const std::string& verify_token,
                             const std::optional<std::string>& secret, Done done) {
  if (url.empty()) return keep_callback("", identity_.verify_token, secret, std::move(done));
  if (!is_http_url(url)) {
    return done(fail(Errc::malformed, "the callback must begin with https:// or http://"));
  }
  const std::string token = verify_token.empty() ? identity_.verify_token : verify_token;
  const std::string challenge = std::to_string(out_.random.between(100'000'000, 999'999'999));
  net::HttpRequest request;
  request.url = url + (url.find('?') == std::string::npos ? "?" : "&") +
                "hub.mode=subscribe&hub.challenge=" + challenge +
                "&hub.verify_token=" + percent_encode(token);
  request.timeout = kChallengeWait;
  out_.http.send(std::move(request),
                 [self = alive_.weak(), url, token, secret, challenge,
                  done = std::move(done)](const Result<net::HttpResponse>& answer) mutable {
                   CloudSide* me = self.get();
                   if (me == nullptr) return done(fail(Errc::cancelled, "the box is restarting"));
                   if (!answer) {
                     return done(fail(answer.error(), "the callback did not answer the challenge"));
                   }
                   std::string said = answer->body;
                   while (!said.empty() && said.back() <= ' ') said.pop_back();
                   if (answer->status != 200 || said != challenge) {
                     return done(fail(Errc::refused,
                                      "the callback must answer the challenge with 200 and its "
                                      "digits alone; it answered " +
                                          std::to_string(answer->status) +
                                          " (is the verify token the same on both sides?)"));
                   }
                   me->keep_callback(url, token, secret, std::move(done));
                 });
}

void CloudSide::keep_callback(const std::string& url, const std::string& verify_token,
                              const std::optional<std::string>& secret, Done done) {
  if (!url.empty()) {
    if (auto opened = mailbox_.open(); !opened) {
      return done(fail(opened.error(), "too many readers of the inbox, see getReaders"));
    }
  }
  cloud::BoxIdentity changed = identity_;
  changed.callback_url = url;
  changed.verify_token = verify_token;
  if (secret) changed.app_secret = *secret;
  if (auto saved = cloud::save_identity(out_.blobs, changed); !saved) {
    return done(tl::unexpected(saved.error()));
  }
  if (url.empty()) mailbox_.close();
  // Who is told from now on asks for the grade itself.
  if (changed.callback_url != identity_.callback_url) quality_.clear();
  identity_ = std::move(changed);
  look_at_quality();
  aim();
  out_.blobs.durable(std::move(done));
}

void CloudSide::look_at_quality() {
  const std::string now = cloud::quality_of(out_.status().throttle);
  const std::string before = std::exchange(quality_, now);
  if (before == now) return;
  if (before.empty() || identity_.callback_url.empty()) return keep_quality(now);
  mailbox_.offer(json::write_ascii(cloud::quality_webhook(before, now, webhook_context())),
                 [this, now] { keep_quality(now); });
}

void CloudSide::keep_quality(const std::string& quality) {
  if (const auto kept = out_.blobs.save(kQualityBlob, as_bytes(quality)); !kept) {
    log::warn("cloud", "the grade that was told is not kept", {{"error", kept.error()}});
  }
}

json::Value CloudSide::status_json() const {
  const webhooks::Courier::Report& report = courier_.report();
  const webhooks::Courier::Counters& counters = courier_.counters();
  const api::Settings& settings = out_.settings.current();
  json::Value out;
  out["phoneNumberId"] = identity_.phone_number_id;
  out["wabaId"] = identity_.waba_id;
  out["callbackUrl"] = identity_.callback_url;
  out["sentence"] = identity_.callback_url.empty()
                        ? "No callback is set: webhooks of the official API's form are not sent."
                    : report.failing ? "The callback does not take webhooks: " + report.last + "."
                                     : "The callback takes what it gets.";
  out["failing"] = report.failing;
  out["last"] = report.last;
  out["whatToDo"] = report.failing ? report.what_to_do : "";
  out["delivered"] = number(counters.delivered);
  out["failures"] = number(counters.failures);
  out["refused"] = number(out_.refused.count(RefusedList::kCloud).value_or(0));
  out["notTold"] = json::Value(::Json::arrayValue);
  const auto tell = [&out](bool on, const char* name) {
    if (!on) out["notTold"].append(name);
  };
  tell(settings.incoming_webhook, "incomingWebhook");
  tell(settings.outgoing_webhook, "outgoingWebhook");
  tell(settings.outgoing_message_webhook, "outgoingMessageWebhook");
  tell(settings.edited_message_webhook, "editedMessageWebhook");
  tell(settings.deleted_message_webhook, "deletedMessageWebhook");
  out["templates"] = json::Value(::Json::arrayValue);
  for (const cloud::Template& one : templates_.all()) out["templates"].append(template_use(one));
  return out;
}

void CloudSide::set_settings(api::Call call) {
  const auto secret = json::string_at(call.body, "appSecret");
  if (secret && (secret->size() < kSecretMin || secret->size() > kSecretMax)) {
    return call.refuse(400,
                       "Validation failed. Details: 'appSecret' must have 16 to 128 characters");
  }
  auto url = json::string_at(call.body, "callbackUrl");
  const auto token = json::string_at(call.body, "verifyToken");
  if (token && (token->empty() || token->size() > kSecretMax)) {
    return call.refuse(400,
                       "Validation failed. Details: 'verifyToken' must have 1 to 128 characters");
  }
  auto answer = [call = std::move(call)](const Result<void>& kept) mutable {
    if (!kept) return call.refuse(400, kept.error().detail);
    call.send_text("{\"saveSettings\":true}");
  };
  if (url) return set_callback(*url, token.value_or(""), secret, std::move(answer));
  keep_callback(identity_.callback_url, token.value_or(identity_.verify_token), secret,
                std::move(answer));
}

void CloudSide::send_template(api::Call call) {
  const auto chat = api::parse_chat_id(json::string_at(call.body, "chatId").value_or(""));
  if (!chat) return call.refuse(chat.error());
  const auto id = json::text_of(json::at(call.body, "templateId")).value_or("");
  const cloud::Template* one = templates_.find_id(id);
  if (one == nullptr) {
    return call.refuse(400, "no template with this templateId is on the box, see getTemplates");
  }
  json::Value body;
  body["type"] = "body";
  body["parameters"] = json::Value(::Json::arrayValue);
  const json::Value& params = json::at(call.body, "params");
  for (::Json::ArrayIndex i = 0; params.isArray() && i < params.size(); ++i) {
    json::Value value;
    value["type"] = "text";
    value["text"] = json::text_of(params[i]).value_or("");
    body["parameters"].append(std::move(value));
  }
  json::Value sent;
  if (!body["parameters"].empty()) sent["components"].append(std::move(body));
  endpoint_.send_template(*chat, *one, sent,
                          [call = std::move(call)](const Result<std::string>& made) mutable {
                            if (!made) return call.refuse(made.error());
                            json::Value out;
                            out["idMessage"] = *made;
                            call.send(out);
                          });
}

std::vector<api::Route> CloudSide::routes() {
  std::vector<api::Route> out;
  out.push_back(get("getCloudStatus", [this](api::Call call) { call.send(status_json()); }));
  out.push_back(care(get("getCloudSettings", [this](api::Call call) {
    json::Value shown;
    shown["phoneNumberId"] = identity_.phone_number_id;
    shown["wabaId"] = identity_.waba_id;
    shown["callbackUrl"] = identity_.callback_url;
    shown["verifyToken"] = identity_.verify_token;
    shown["appSecret"] = identity_.app_secret;
    call.send(shown);
  })));
  out.push_back(
      care(post("setCloudSettings", [this](api::Call call) { set_settings(std::move(call)); })));
  out.push_back(get("getTemplates", [this](api::Call call) {
    json::Value list(::Json::objectValue);
    list["templates"] = json::Value(::Json::arrayValue);
    for (const cloud::Template& one : templates_.all()) {
      list["templates"].append(green_template(one));
    }
    call.send(list);
  }));
  out.push_back(post("getTemplateById", [this](api::Call call) {
    const auto id = json::text_of(json::at(call.body, "templateId")).value_or("");
    const cloud::Template* one = templates_.find_id(id);
    if (one == nullptr) return call.refuse(404, "Not Found: no template with this templateId");
    json::Value shown;
    shown["template"] = green_template(*one);
    call.send(shown);
  }));
  out.push_back(post("sendTemplate", [this](api::Call call) { send_template(std::move(call)); }));
  return out;
}

}  // namespace posthorn::daemon
