#include "posthorn/api/api.h"

#include <algorithm>
#include <unordered_map>

#include "api/context.h"
#include "api/errors.h"
#include "api/not_here.h"
#include "api/receiving.h"
#include "api/routes.h"
#include "api/target.h"
#include "api/token_bucket.h"
#include "api/utf8.h"
#include "api/wrong_tokens.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kPageBody = std::size_t{8} << 10;
constexpr std::size_t kBodyValues = 10'000;
constexpr double kRefusals = 10;  // a second
constexpr const char* kBlank = " \t\r\n";
constexpr const char* kBodyForm = "; the body must be a JSON object, encoded in UTF-8";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Names of methods: "GetSettings" is "getSettings".
struct SameName {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
  }
};
struct HashName {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(lower(c))) * 0x100000001B3;
    return static_cast<std::size_t>(hash);
  }
};

bool is_receiving(std::string_view method) {
  constexpr SameName kSame;
  return kSame(method, "receiveNotification") || kSame(method, "deleteNotification") ||
         kSame(method, "downloadFile");
}

Response preflight() {
  return Response{
      .status = 204,
      .body = {},
      .headers = {{"Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"},
                  {"Access-Control-Allow-Headers", "Content-Type, GA-Filename, Idempotency-Key"},
                  {"Access-Control-Max-Age", "86400"}}};
}

/// The JSON object in a request's body; {} when there is none.
Result<json::Value> parse_body(const std::string& body) {
  if (body.find_first_not_of(kBlank) == std::string::npos) {
    return json::Value(::Json::objectValue);
  }
  if (const auto bad = find_bad_utf8(body)) {
    return fail(Errc::malformed, "Unexpected token \xEF\xBF\xBD in JSON at position " +
                                     std::to_string(*bad) + kBodyForm);
  }
  auto value = json::parse(body, kBodyValues);
  if (!value) {
    // What begins as something else, or has zeros in it (UTF-16), is no slip inside of JSON.
    const bool foreign =
        body.find('{') != body.find_first_not_of(kBlank) || body.find('\0') != std::string::npos;
    return fail(Errc::malformed, value.error().detail + (foreign ? kBodyForm : ""));
  }
  if (!value->isObject()) {
    return fail(Errc::malformed, "Validation failed. Details: 'value' must be of type object");
  }
  return value;
}

}  // namespace

void Call::send(const json::Value& answer) { send_text(json::write(answer)); }

void Call::send_text(std::string json_text) {
  reply.send(Response{.body = std::move(json_text), .headers = {}});
}

void Call::refuse(int status, std::string_view message) {
  reply.send(error_response(status, message, request.path, now));
}

void Call::refuse(const Error& error) {
  const HttpError http = to_http(error);
  refuse(http.status, http.message);
}

class Api::Impl {
 public:
  Impl(ApiOptions options, Outside outside)
      : context_(std::make_shared<Context>(std::move(options), std::move(outside))),
        wrong_(context_->outside.scheduler) {
    for (const BuiltInRoute& route : built_in_routes()) {
      add({std::string(route.name), route.verb, route.per_second, route.needs,
           [this, handler = route.handler](Call call) { handler(*context_, std::move(call)); }});
    }
    for (const NotHere& method : methods_not_here()) {
      add({std::string(method.name), method.verb, kRefusals, Needs::nothing,
           [&method](Call call) { call.refuse(method.status, method.why); }});
    }
    for (const Verb verb : {Verb::get, Verb::post}) {
      add_page(std::string(kPartnerPath), verb, [this](const Request& request, Reply reply) {
        refuse(request, reply, 403, kNoPartner);
      });
    }
    add_page("/healthz", Verb::get, [this](const Request&, Reply reply) {
      reply.send(health(context_->outside.status(), context_->options.version));
    });
    context_->outside.settings.on_change([this, alive = alive_](const Settings& settings) {
      if (*alive) on_settings(settings);
    });
  }
  ~Impl() {
    *alive_ = false;
    stop();
  }

  void add(Route route) {
    const double rate = route.per_second * context_->options.rate_scale;
    auto& entries = routes_[route.name];
    entries.push_back({std::move(route), TokenBucket(rate)});
  }

  void add_page(std::string path, Verb verb, std::function<void(const Request&, Reply)> handler) {
    pages_.push_back({std::move(path), verb, std::move(handler)});
  }

  void on_notification() {
    if (context_->polls.empty()) return;
    if (const auto head = context_->outside.inbox.head()) {
      context_->polls.answer_all(notification_text(*head));
    }
  }

  void stop() {
    context_->polls.answer_all("null");
    context_->qr_wait.stop();
    wrong_.stop();
  }

  /// Nothing is kept for strangers: they could fill the memory of a small board otherwise.
  [[nodiscard]] std::size_t body_limit(const Request& head) const {
    const PathParts parts(head.path);
    if (!parts[0].starts_with("waInstance")) return kPageBody;
    const InstancePart instance = check_instance(parts[0], context_->options.id_instance);
    if (instance != InstancePart::ours || parts.size() < 3 || !is_our_token(parts[2])) return 0;
    const auto found = routes_.find(parts[1]);
    if (found == routes_.end()) return 0;
    std::size_t limit = 0;
    for (const Entry& entry : found->second) limit = std::max(limit, entry.route.body_limit);
    return limit;
  }

  void handle(Request request, Reply reply) {
    if (request.verb == Verb::options) return reply.send(preflight());
    const PathParts parts(request.path);
    if (!parts[0].starts_with("waInstance")) {
      return handle_page(std::move(request), std::move(reply));
    }
    switch (check_instance(parts[0], context_->options.id_instance)) {
      case InstancePart::ours:
        break;
      case InstancePart::not_a_number:
        return refuse(request, reply, 400, "Parameter idInstance not an integer");
      case InstancePart::other:
      case InstancePart::absent:
        return refuse(request, reply, 403, "Forbidden");
    }
    if (parts.size() < 2) return refuse(request, reply, 403, "Forbidden");
    if (parts.size() < 3 && is_receiving(parts[1])) {
      return refuse(request, reply, 400, "Parameter apiTokenInstance not define");
    }
    if (parts.size() < 3 || !is_our_token(parts[2])) return refuse_token(request, std::move(reply));
    wrong_.on_right(request.peer);
    Entry* entry = find(parts[1], request.verb);
    if (entry == nullptr) return refuse(request, reply, 404, "Not Found");
    std::string argument(parts[3]);  // a copy: the parts look into the request, which moves on
    handle_method(*entry, std::move(argument), std::move(request), std::move(reply));
  }

 private:
  struct Entry {
    Route route;
    TokenBucket bucket;
  };
  struct Page {
    std::string path;
    Verb verb;
    std::function<void(const Request&, Reply)> handler;
  };

  [[nodiscard]] Wall now() const { return context_->outside.clock.now(); }

  void refuse(const Request& request, Reply& reply, int status, std::string_view message) {
    reply.send(error_response(status, message, request.path, now()));
  }

  [[nodiscard]] bool is_our_token(std::string_view given) const {
    return equal_constant_time(as_bytes(given), as_bytes(context_->options.token));
  }

  void refuse_token(const Request& request, Reply reply) {
    wrong_.refuse(request.peer, std::move(reply),
                  error_response(401, "Unauthorized", request.path, now()),
                  error_response(429, "Too Many Requests", request.path, now()));
  }

  void handle_page(Request request, Reply reply) {
    for (const Page& page : pages_) {
      const bool under = page.path.ends_with('/') && request.path.starts_with(page.path);
      if (page.path != request.path && !under) continue;
      if (page.verb == request.verb) return page.handler(request, std::move(reply));
    }
    refuse(request, reply, 403, "Forbidden");
  }

  Entry* find(std::string_view method, Verb verb) {
    const auto found = routes_.find(method);
    if (found == routes_.end()) return nullptr;
    for (Entry& entry : found->second) {
      if (entry.route.verb == verb) return &entry;
    }
    return nullptr;
  }

  void handle_method(Entry& entry, std::string argument, Request request, Reply reply) {
    if (!entry.bucket.take(context_->outside.scheduler.now())) {
      return refuse(request, reply, 429, "Too Many Requests");
    }
    if (request.body_too_large) return refuse(request, reply, 413, "Request Entity Too Large");
    Call call{std::move(request), {}, std::move(argument), now(), std::move(reply)};
    if (entry.route.needs != Needs::nothing) {
      auto body = parse_body(call.request.body);
      if (!body) return call.refuse(body.error());
      call.body = std::move(*body);
    }
    if (entry.route.needs == Needs::session && !has_session(call)) return;
    entry.route.handler(std::move(call));
  }

  /// True, or the call has been answered with what is missing.
  [[nodiscard]] bool has_session(Call& call) {
    switch (context_->outside.state.value()) {
      case InstanceState::Value::authorized:
      case InstanceState::Value::restricted:
        return true;
      case InstanceState::Value::starting:
        call.refuse(400, "instance in starting process try later");
        return false;
      case InstanceState::Value::not_authorized:
      case InstanceState::Value::blocked:
        call.refuse(400, "instance account not authorized");
        return false;
    }
    return false;
  }

  void on_settings(const Settings& settings) {
    // Push and poll exclude each other: whoever polls now learns it from the next request.
    if (!settings.webhook_url.empty()) context_->polls.answer_all("null");
  }

  std::shared_ptr<Context> context_;                            ///< shared: see Context
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< shared with the settings
  WrongTokens wrong_;
  std::unordered_map<std::string, std::vector<Entry>, HashName, SameName> routes_;
  std::vector<Page> pages_;
};

Api::Api(ApiOptions options, Outside outside)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(outside))) {}

Api::~Api() = default;

void Api::add(Route route) { impl_->add(std::move(route)); }

void Api::add_page(std::string path, Verb verb,
                   std::function<void(const Request&, Reply)> handler) {
  impl_->add_page(std::move(path), verb, std::move(handler));
}

void Api::on_notification() { impl_->on_notification(); }

void Api::stop() { impl_->stop(); }

std::size_t Api::body_limit(const Request& head) const { return impl_->body_limit(head); }

void Api::handle(Request request, Reply reply) {
  impl_->handle(std::move(request), std::move(reply));
}

}  // namespace posthorn::api
