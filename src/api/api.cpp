#include "posthorn/api/api.h"

#include <algorithm>
#include <unordered_map>

#include "api/body.h"
#include "api/context.h"
#include "api/credentials.h"
#include "api/errors.h"
#include "api/host_names.h"
#include "api/not_here.h"
#include "api/openapi.h"
#include "api/page/page_side.h"
#include "api/receiving.h"
#include "api/routes.h"
#include "api/sending_file.h"
#include "api/target.h"
#include "api/token_bucket.h"
#include "api/wrong_tokens.h"
#include "posthorn/base/alive.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kPageBody = std::size_t{8} << 10;
constexpr double kRefusals = 10;  // a second

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

/// open: of a path that is posted to from pages of any origin.
Response preflight(bool open) {
  Response out{.status = 204,
               .body = {},
               .headers = {{"Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"},
                           {"Access-Control-Allow-Headers",
                            open ? "Content-Type, If-Modified-Since, SOAPAction"
                                 : "Authorization, Content-Type, GA-Filename, Idempotency-Key"},
                           {"Access-Control-Max-Age", "86400"}}};
  // Browsers ask whether a page of the internet may speak to the shop's network.
  if (open) out.headers.emplace_back("Access-Control-Allow-Private-Network", "true");
  return out;
}

/// For Prometheus and for people with a browser, who are asked by it.
Response page_needs_token() {
  return Response{.status = 401,
                  .body =
                      "Show the token: as Bearer token, as password of HTTP Basic with any "
                      "user name, or as ?token=\n",
                  .content_type = "text/plain; charset=utf-8",
                  .headers = {{"WWW-Authenticate", "Basic realm=\"Posthorn\""}}};
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
    // One of Green-API's pages has it with this verb.
    add({"getContactInfo", Verb::get, 1, Needs::session,
         [this](Call call) { get_contact_info(*context_, std::move(call)); }});
    for (const NotHere& method : methods_not_here()) {
      add({std::string(method.name), method.verb, kRefusals, Needs::nothing,
           [&method](Call call) { call.refuse(method.status, method.why); }});
    }
    add_page("/healthz", Right::none, [this](const Request& request, Reply reply) {
      // On the box itself whoever asks could as well look at the LED and the log.
      const bool all =
          request.local || right_for_page(request, PathParts(request.path)) != Right::none;
      reply.send(health(context_->outside.status(), context_->options.version, all));
    });
    add_open_page("/openapi.json", [](const Request&, Reply reply) {
      reply.send(Response{.body = std::string(openapi()), .headers = {}});
    });
    if (context_->outside.files) {
      for (Route& route : file_routes(*context_)) add(std::move(route));
      add_open_page("/files", [this](const Request& request, Reply reply) {
        serve_file(*context_, request, std::move(reply));
      });
    }
    context_->outside.settings.on_change(
        alive_.bind([this](const Settings& settings) { on_settings(settings); }));
  }
  ~Impl() { stop(); }

  void add(Route route) {
    const double rate = route.per_second * context_->options.rate_scale;
    auto& entries = routes_[route.name];
    entries.push_back({std::move(route), TokenBucket(rate), TokenBucket(rate)});
  }

  void add_page(std::string path, Right right, std::function<void(const Request&, Reply)> handler) {
    pages_.push_back({std::move(path), right, std::move(handler), false});
  }

  void add_open_page(std::string path, std::function<void(const Request&, Reply)> handler) {
    pages_.push_back({std::move(path), Right::none, std::move(handler), true});
  }

  void add_open_post(std::string path, std::size_t body_limit,
                     std::function<void(const Request&, Reply)> handler) {
    open_posts_.push_back({std::move(path), body_limit, std::move(handler)});
  }

  void serve_page(const Page& page) {
    page_ = std::make_unique<PageSide>(
        PageSide::Outside{*context_, credentials_, wrong_, sessions_}, page);
  }

  void speak(Dialect& dialect) { dialect_ = &dialect; }

  void on_button() {
    if (page_) page_->on_button();
  }

  void set_token(std::string token) { context_->options.token = std::move(token); }

  void on_notification() {
    if (context_->polls.empty()) return;
    if (const auto head = context_->outside.inbox.head()) {
      context_->polls.answer_all(notification_text(*head));
    }
  }

  void stop() {
    context_->polls.answer_all("null");
    context_->qr_wait.stop();
    context_->qr_sockets.stop();
    context_->typing.stop();
    wrong_.stop();
  }

  /// Nothing is kept for strangers: they could fill the memory of a small board otherwise.
  [[nodiscard]] Terms terms(const Request& head) {
    Terms out;
    if (!is_our_host(head.host, context_->options.names)) return out;
    if (dialect_ != nullptr && dialect_->takes(head.path)) return dialect_terms(head);
    if (const OpenPost* open = find_open_post(head.path)) {
      out.any_origin = true;
      out.body_limit = head.verb == Verb::post ? open->body_limit : 0;
      return out;
    }
    const PathParts parts(head.path);
    const bool method = parts[0].starts_with("waInstance");
    // Whoever has a file's link may read it: it needs no token, and web clients show it.
    out.any_origin = method || parts[0] == "files";
    if (!method) {
      out.trusted = right_for_page(head, parts) != Right::none;
      out.body_limit = kPageBody;
      return out;
    }
    const InstancePart instance = check_instance(parts[0], context_->options.id_instance);
    if (instance != InstancePart::ours || parts.size() < 2) return out;
    const Right right = credentials_.right_of(head, parts[2]);
    out.trusted = right != Right::none;
    Entry* entry = out.trusted ? find(parts[1], head.verb) : nullptr;
    if (entry == nullptr || right < entry->route.right) return out;
    if (!entry->route.receive) {
      out.body_limit = entry->route.body_limit;
    } else if (entry->take(head, context_->outside.scheduler.now())) {
      // What is wrong with it is told by handle(), which is asked when nobody takes the body.
      if (auto sink = entry->route.receive(head)) out.sink = std::move(*sink);
    }
    return out;
  }

  void handle(Request request, Reply reply) {
    if (!is_our_host(request.host, context_->options.names)) {
      return refuse(request, reply, 421,
                    "this box does not answer to the name in the header Host; ask by its address, "
                    "or add the name to api.names in posthorn.toml");
    }
    const OpenPost* open = find_open_post(request.path);
    if (request.verb == Verb::options) return reply.send(preflight(open != nullptr));
    if (open != nullptr && request.verb == Verb::post) {
      if (request.body_too_large) return refuse(request, reply, 413, "Request Entity Too Large");
      return open->handler(request, std::move(reply));
    }
    if (dialect_ != nullptr && dialect_->takes(request.path)) {
      return handle_dialect(std::move(request), std::move(reply));
    }
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
    const Right right = credentials_.right_of(request, parts[2]);
    if (right == Right::none && parts.size() < 3 && is_receiving(parts[1])) {
      return refuse(request, reply, 400, "Parameter apiTokenInstance not define");
    }
    if (right == Right::none && !Credentials::shows_any(request, parts[2]) && request.from_page) {
      return refuse(request, reply, 401, "log in again");  // nothing was guessed
    }
    if (right == Right::none) return refuse_token(request, std::move(reply));
    wrong_.on_right(request.peer);
    if (context_->outside.files) {
      context_->outside.files->links.on_called(request, context_->outside.scheduler.now());
    }
    Entry* entry = find(parts[1], request.verb);
    if (entry == nullptr) return refuse(request, reply, 404, "Not Found");
    if (right < entry->route.right) return refuse_care(request, reply, entry->route.name);
    std::string argument(parts[3]);  // a copy: the parts look into the request, which moves on
    handle_method(*entry, std::move(argument), std::move(request), std::move(reply));
  }

 private:
  struct Entry {
    Route route;
    TokenBucket bucket;
    TokenBucket page_bucket;  ///< what people look at takes nothing from the till

    bool take(const Request& request, Mono now) {
      return (request.from_page ? page_bucket : bucket).take(now);
    }
  };
  struct Page {
    std::string path;
    Right right;
    std::function<void(const Request&, Reply)> handler;
    bool open;  ///< what stands behind its path is no token
  };

  struct OpenPost {
    std::string path;
    std::size_t body_limit;
    std::function<void(const Request&, Reply)> handler;
  };
  [[nodiscard]] const OpenPost* find_open_post(std::string_view path) const {
    const auto found = std::find_if(open_posts_.begin(), open_posts_.end(),
                                    [path](const OpenPost& one) { return one.path == path; });
    return found == open_posts_.end() ? nullptr : &*found;
  }

  [[nodiscard]] Wall now() const { return context_->outside.clock.now(); }

  void refuse(const Request& request, Reply& reply, int status, std::string_view message) {
    reply.send(error_response(status, message, request.path, now()));
  }

  void refuse_token(const Request& request, Reply reply) {
    wrong_.refuse(request.peer, std::move(reply),
                  error_response(401, "Unauthorized", request.path, now()),
                  error_response(429, "Too Many Requests", request.path, now()));
  }

  void refuse_care(const Request& request, Reply& reply, const std::string& method) {
    refuse(request, reply, 403,
           method +
               " is the technician's and needs the careToken, which stands beside the till's "
               "token in access.json (posthornctl: --care)");
  }

  /// Bearer, or ?access_token= as the official API takes it.
  [[nodiscard]] Right right_in_dialect(const Request& request) const {
    return credentials_.right_of(request, request.query_value("access_token"));
  }

  [[nodiscard]] Terms dialect_terms(const Request& head) {
    const bool trusted = right_in_dialect(head) != Right::none;
    if (!trusted && !dialect_->is_open(head.path)) return {};
    Terms out = dialect_->terms(head);
    out.trusted = trusted;
    return out;
  }

  void handle_dialect(Request request, Reply reply) {
    if (dialect_->is_open(request.path)) {
      return dialect_->handle(std::move(request), std::move(reply));
    }
    if (right_in_dialect(request) == Right::none) {
      Response refusal = dialect_->refusal(request);
      if (!Credentials::shows_any(request, request.query_value("access_token"))) {
        return reply.send(std::move(refusal));  // nothing was guessed
      }
      return wrong_.refuse(request.peer, std::move(reply), refusal, refusal);
    }
    wrong_.on_right(request.peer);
    if (context_->outside.files) {
      context_->outside.files->links.on_called(request, context_->outside.scheduler.now());
    }
    dialect_->handle(std::move(request), std::move(reply));
  }

  /// "/metrics/TOKEN" and "/metrics?token=TOKEN", besides the header.
  [[nodiscard]] Right right_for_page(const Request& request, const PathParts& parts) const {
    return std::max(credentials_.right_of(request, parts[1]),
                    credentials_.right_of(request, request.query_value("token")));
  }

  void handle_page(Request request, Reply reply) {
    if (request.path.starts_with(kPartnerPath)) return refuse(request, reply, 403, kNoPartner);
    if (page_ && page_->takes(request)) return page_->handle(std::move(request), std::move(reply));
    const PathParts parts(request.path);
    const bool is_read = request.verb == Verb::get || request.verb == Verb::head;
    const std::string path = "/" + std::string(parts[0]);
    const auto page = std::find_if(pages_.begin(), pages_.end(),
                                   [&path](const Page& one) { return one.path == path; });
    if (page == pages_.end() || !is_read) return refuse(request, reply, 403, "Forbidden");
    if (page->open) return page->handler(request, std::move(reply));
    const Right right = right_for_page(request, parts);
    const bool shown =
        Credentials::shows_any(request, parts[1]) || !request.query_value("token").empty();
    if (right == Right::none && shown) return refuse_token(request, std::move(reply));
    if (right < page->right) return reply.send(page_needs_token());
    if (right != Right::none) wrong_.on_right(request.peer);
    page->handler(request, std::move(reply));
  }

  Entry* find(std::string_view method, Verb verb) {
    const auto found = routes_.find(method);
    if (found == routes_.end()) return nullptr;
    const Verb wanted = verb == Verb::head ? Verb::get : verb;
    // The newest first: what a later module brings takes the place of "not here".
    auto& entries = found->second;
    const auto entry = std::find_if(entries.rbegin(), entries.rend(), [wanted](const Entry& one) {
      return one.route.verb == wanted;
    });
    return entry == entries.rend() ? nullptr : &*entry;
  }

  void handle_method(Entry& entry, std::string argument, Request request, Reply reply) {
    if (entry.route.receive) return refuse_stream(entry, std::move(request), std::move(reply));
    if (!entry.take(request, context_->outside.scheduler.now())) {
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

  /// A streamed body that terms() found nobody for.
  void refuse_stream(Entry& entry, Request request, Reply reply) {
    const Wall wall = now();
    const auto sink = entry.route.receive(request);
    Call call{std::move(request), {}, {}, wall, std::move(reply)};
    if (!sink && is_too_large_upload(call.request)) return call.refuse(413, kTooLargeUpload);
    if (!sink) return call.refuse(sink.error());
    call.refuse(429, "Too Many Requests");
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

  std::shared_ptr<Context> context_;  ///< shared: see Context
  PageSessions sessions_{context_->outside.scheduler, context_->outside.random,
                         context_->options.id_instance};
  Credentials credentials_{context_->options, sessions_};
  WrongTokens wrong_;
  std::unique_ptr<PageSide> page_;
  Dialect* dialect_ = nullptr;
  std::unordered_map<std::string, std::vector<Entry>, HashName, SameName> routes_;
  std::vector<Page> pages_;
  std::vector<OpenPost> open_posts_;
  Alive<Impl> alive_{this};
};

Api::Api(ApiOptions options, Outside outside)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(outside))) {}

Api::~Api() = default;

void Api::add(Route route) { impl_->add(std::move(route)); }

void Api::add_page(std::string path, Right right,
                   std::function<void(const Request&, Reply)> handler) {
  impl_->add_page(std::move(path), right, std::move(handler));
}

void Api::add_open_page(std::string path, std::function<void(const Request&, Reply)> handler) {
  impl_->add_open_page(std::move(path), std::move(handler));
}
void Api::add_open_post(std::string path, std::size_t body_limit,
                        std::function<void(const Request&, Reply)> handler) {
  impl_->add_open_post(std::move(path), body_limit, std::move(handler));
}
void Api::serve_page(const Page& page) { impl_->serve_page(page); }

void Api::speak(Dialect& dialect) { impl_->speak(dialect); }

void Api::on_button() { impl_->on_button(); }

void Api::set_token(std::string token) { impl_->set_token(std::move(token)); }

void Api::on_notification() { impl_->on_notification(); }

void Api::stop() { impl_->stop(); }

Terms Api::terms(const Request& head) { return impl_->terms(head); }

void Api::handle(Request request, Reply reply) {
  impl_->handle(std::move(request), std::move(reply));
}

}  // namespace posthorn::api
