#include "posthorn/cloud/endpoint.h"

#include <algorithm>

#include "cloud/endpoint_impl.h"
#include "cloud/fields.h"
#include "posthorn/api/form.h"

namespace posthorn::cloud {
namespace {

using api::Verb;

constexpr std::size_t kBodyLimit = std::size_t{512} << 10;
/// The service speaks of 3 MB; but nobody shows a token there, and strangers must not hold the
/// memory of the box. One change has some kilobytes.
constexpr std::size_t kWebhookLimit = std::size_t{512} << 10;
constexpr std::size_t kBodyValues = 10'000;
constexpr double kPerSecond = 80;  ///< the real service's
constexpr std::size_t kCallbacksPerBucket = 48;
constexpr int kMissing = 33;

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "v26.0"
bool is_version(std::string_view text) {
  const std::size_t dot = text.find('.');
  return text.starts_with('v') && dot != std::string_view::npos &&
         is_digits(text.substr(1, dot - 1)) && is_digits(text.substr(dot + 1));
}

/// What curl sends without a header says that it is a form, and may be JSON.
bool is_form(const api::Request& request) {
  return request.content_type.starts_with("application/x-www-form-urlencoded") &&
         !request.body.starts_with('{');
}

/// The fields of a form; those that begin as an object or a list are JSON, as Meta takes them.
Result<json::Value> parse_fields(const std::string& body) {
  json::Value out(::Json::objectValue);
  for (const auto& [name, value] : api::parse_form(body)) {
    if (!is_utf8(name) || !is_utf8(value)) return fail(Errc::malformed, "the form is not UTF-8");
    if (!value.starts_with('{') && !value.starts_with('[')) {
      out[name] = value;
      continue;
    }
    auto nested = json::parse(value, kBodyValues);
    if (!nested) return fail(Errc::malformed, "the field " + name + " begins as JSON and is none");
    out[name] = std::move(*nested);
  }
  return out;
}

/// JSON or a form; empty bodies count as {}. Errors: malformed.
Result<json::Value> parse_graph_body(const api::Request& request) {
  const std::string& body = request.body;
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) {
    return json::Value(::Json::objectValue);
  }
  if (request.content_type.starts_with("multipart/")) {
    return fail(Errc::malformed,
                "multipart/form-data is taken at media only: send JSON or "
                "application/x-www-form-urlencoded");
  }
  if (is_form(request)) return parse_fields(body);
  if (!is_utf8(body)) return fail(Errc::malformed, "the body is not UTF-8");
  TRY(auto value, json::parse(body, kBodyValues));
  if (!value.isObject()) return fail(Errc::malformed, "the body must be a JSON object");
  return value;
}

GraphError too_many() { return {Code::rate, "more than 80 requests a second; try again later"}; }

}  // namespace

GraphPath parse_path(std::string_view path) {
  constexpr std::size_t kPartsMax = 4;
  GraphPath out;
  while (!path.empty() && out.parts.size() < kPartsMax) {
    path.remove_prefix(path.front() == '/' ? 1 : 0);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) out.parts.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  if (!out.parts.empty() && is_version(out.parts.front())) {
    out.version = std::move(out.parts.front());
    out.parts.erase(out.parts.begin());
  }
  return out;
}

void GraphCall::send(const json::Value& answer) {
  reply.send(api::Response{.body = json::write(answer), .headers = {}});
}

void GraphCall::succeed() {
  reply.send(api::Response{.body = "{\"success\":true}", .headers = {}});
}

Endpoint::Endpoint(BoxIdentity& identity, Templates& templates, MediaIds& media, Outside outside)
    : impl_(std::make_unique<Impl>(identity, templates, media, std::move(outside))) {}

Endpoint::~Endpoint() = default;

bool Endpoint::is_open(std::string_view path) const { return impl_->is_webhook(path); }

bool Endpoint::takes(std::string_view path) const {
  if (impl_->is_webhook(path)) return true;
  const GraphPath parsed = parse_path(path);
  if (!parsed.version.empty()) return true;
  constexpr std::size_t kShortest = 10;
  return !parsed.parts.empty() &&
         ((is_digits(parsed.parts[0]) && parsed.parts[0].size() >= kShortest) ||
          parsed.parts[0] == "debug_token");
}

api::Terms Endpoint::terms(const api::Request& head) { return impl_->terms(head); }

void Endpoint::handle(api::Request request, api::Reply reply) {
  impl_->handle(std::move(request), std::move(reply));
}

api::Response Endpoint::refusal(const api::Request&) {
  return response_of({Code::token, "the header Authorization must be Bearer and the box's token"},
                     impl_->random());
}

void Endpoint::send_template(const std::string& chat, const Template& one, const json::Value& sent,
                             Once<void(Result<std::string>)> done) {
  impl_->send_template(chat, one, sent, std::move(done));
}

std::string Endpoint::callback_data_of(const std::string& message_id) const {
  return impl_->callback_data_of(message_id);
}

Endpoint::Impl::Impl(BoxIdentity& identity, Templates& templates, MediaIds& media, Outside outside)
    : identity_(identity),
      templates_(templates),
      media_(media),
      out_(std::move(outside)),
      callbacks_(out_.blobs, "cloud/callback", kCallbacksPerBucket),
      tokens_(kPerSecond),
      filled_(out_.scheduler.now()) {}

std::string Endpoint::Impl::callback_data_of(const std::string& message_id) const {
  return callbacks_.find(message_id).value_or("");
}

bool Endpoint::Impl::take_rate() {
  if (out_.rate_scale == 0) return true;
  const Mono now = out_.scheduler.now();
  const double passed = static_cast<double>((now - filled_).count()) / 1000.0;
  tokens_ = std::min(kPerSecond, tokens_ + passed * kPerSecond * out_.rate_scale);
  filled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool Endpoint::Impl::is_webhook(std::string_view path) const {
  return out_.hear && path == "/webhook/cloud";
}

/// What comes from the internet without a token: it is believed for its signature alone.
void Endpoint::Impl::hear(api::Request request, api::Reply reply) {
  const auto answer = [&reply](int status, std::string body) {
    reply.send(api::Response{.status = status,
                             .body = std::move(body),
                             .content_type = "text/plain; charset=utf-8",
                             .headers = {}});
  };
  if (request.verb == Verb::get) {
    const std::string challenge(request.query_value("hub.challenge"));
    const bool right = !out_.hear_verify_token.empty() &&
                       equal_constant_time(as_bytes(request.query_value("hub.verify_token")),
                                           as_bytes(out_.hear_verify_token));
    const bool plain = challenge.size() <= 64 && is_digits(challenge);
    return right && plain ? answer(200, challenge) : answer(403, "");
  }
  if (request.verb != Verb::post || request.body_too_large) return answer(400, "");
  out_.hear(request.body, request.signature, [reply = std::move(reply)](int status) mutable {
    reply.send(api::Response{.status = status, .body = "{}", .headers = {}});
  });
}

api::Terms Endpoint::Impl::terms(const api::Request& head) {
  api::Terms out;
  if (is_webhook(head.path)) {
    out.body_limit = kWebhookLimit;
    return out;
  }
  out.body_limit = kBodyLimit;
  const bool is_upload =
      is_media_post(head) && head.content_type.starts_with("multipart/form-data");
  if (!is_upload || !out_.files) return out;
  // What is wrong with it is told by handle(), which is asked when nobody takes the body.
  if (auto sink = receive(head); sink && take_rate()) out.sink = std::move(*sink);
  return out;
}

bool Endpoint::Impl::is_media_post(const api::Request& request) const {
  const GraphPath path = parse_path(request.path);
  return request.verb == Verb::post && path.parts.size() == 2 &&
         path.parts[0] == identity_.phone_number_id && path.parts[1] == "media";
}

/// Why nobody took the body of an upload.
GraphError Endpoint::Impl::upload_refusal(const api::Request& request) {
  const bool is_upload = request.content_type.starts_with("multipart/form-data");
  auto sink = is_upload && out_.files ? receive(request) : Result<std::unique_ptr<api::BodySink>>();
  // terms() would have taken it but for this.
  const bool is_fine = is_upload && out_.files && sink;
  if (is_fine || !take_rate()) return too_many();
  if (!out_.files) return {Code::media_upload, "this box carries no files"};
  if (!sink) return {Code::media_upload, sink.error().detail};
  return {Code::invalid_parameter, "the body must be multipart/form-data with a part file"};
}

void Endpoint::Impl::refuse(GraphCall& call, const GraphError& error) {
  call.reply.send(response_of(error, out_.random));
}

void Endpoint::Impl::refuse_path(GraphCall& call) {
  const std::string& path = call.request.path;
  refuse(call, GraphError{Code::invalid_parameter,
                          "nothing is at " + (is_utf8(path) ? path : "this path, no UTF-8,") +
                              " for this method; the ids of this box are phone_number_id " +
                              identity_.phone_number_id + " and the business account " +
                              identity_.waba_id,
                          kMissing});
}

void Endpoint::Impl::handle(api::Request request, api::Reply reply) {
  if (is_webhook(request.path)) return hear(std::move(request), std::move(reply));
  GraphCall call{std::move(request), {}, json::Value(::Json::objectValue), std::move(reply)};
  call.path = parse_path(call.request.path);
  if (is_media_post(call.request)) return refuse(call, upload_refusal(call.request));
  if (call.request.body_too_large) {
    return refuse(call, GraphError{Code::unknown, "the body is larger than 512 KiB"});
  }
  if (!take_rate()) return refuse(call, too_many());
  if (call.request.verb == Verb::post) {
    auto body = parse_graph_body(call.request);
    if (!body) return refuse(call, GraphError{Code::invalid_parameter, body.error().detail});
    call.body = std::move(*body);
  }
  route(std::move(call));
}

void Endpoint::Impl::route(GraphCall call) {
  const auto& parts = call.path.parts;
  const bool reads = call.request.verb == Verb::get || call.request.verb == Verb::head;
  if (parts.empty() || parts.size() > 2) return refuse_path(call);
  if (parts[0] == identity_.phone_number_id) return on_number(std::move(call));
  if (parts[0] == identity_.waba_id) return on_business(std::move(call));
  if (parts[0] == "debug_token" && reads) return show_token(std::move(call));
  if (parts[0] == "media" && parts.size() == 2 && reads) return send_media_bytes(std::move(call));
  if (parts.size() != 1) return refuse_path(call);
  if (const Template* one = templates_.find_id(parts[0])) {
    return on_template_id(std::move(call), *one);
  }
  if (reads) return show_media(std::move(call));
  if (call.request.verb == Verb::del) return delete_media(std::move(call));
  refuse_path(call);
}

void Endpoint::Impl::on_number(GraphCall call) {
  const std::string what = call.path.parts.size() > 1 ? call.path.parts[1] : "";
  const Verb verb = call.request.verb;
  const bool reads = verb == Verb::get || verb == Verb::head;
  if (what.empty() && reads) return show_number(std::move(call));
  if (what == "messages" && verb == Verb::post) return messages(std::move(call));
  if (what == "whatsapp_business_profile" && reads) return show_profile(std::move(call));
  if ((what == "register" || what == "deregister") && verb == Verb::post) return call.succeed();
  refuse_path(call);
}

void Endpoint::Impl::on_business(GraphCall call) {
  const std::string what = call.path.parts.size() > 1 ? call.path.parts[1] : "";
  const bool reads = call.request.verb == Verb::get || call.request.verb == Verb::head;
  if (what.empty() && reads) return show_business(std::move(call));
  if (what == "message_templates") return templates(std::move(call));
  if (what == "subscribed_apps") return subscriptions(std::move(call));
  if (what == "phone_numbers" && reads) return list_numbers(std::move(call));
  refuse_path(call);
}

}  // namespace posthorn::cloud
