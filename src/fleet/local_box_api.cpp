#include "posthorn/fleet/local_box_api.h"
#include "posthorn/base/ascii.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "posthorn/base/json.h"

namespace posthorn::fleet {

namespace {

constexpr std::size_t kHeadAtMost = 16384;

template <class T>
bool read_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

struct Url {
  std::string host;
  std::uint16_t port = 80;
};

/// "http://127.0.0.1:8080", "http://[::1]:80"
Result<Url> parse_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return fail(Errc::malformed, "url: must begin with http://");
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('/'));
  Url out;
  const std::size_t colon = url.rfind(':');
  const std::size_t bracket = url.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port && !read_number(url.substr(colon + 1), out.port)) {
    return fail(Errc::malformed, "url: no port");
  }
  out.host = std::string(has_port ? url.substr(0, colon) : url);
  if (out.host.size() > 2 && out.host.front() == '[') {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  if (!out.host.starts_with("127.") && out.host != "::1" && out.host != "localhost") {
    return fail(Errc::malformed, "url: the API of this machine is meant, not of " + out.host);
  }
  return out;
}

/// Where the body begins; npos: not yet.
std::size_t head_end(std::string_view bytes) {
  const std::size_t at = bytes.find("\r\n\r\n");
  return at == std::string_view::npos ? at : at + 4;
}

std::optional<std::size_t> content_length(std::string_view head) {
  std::size_t at = 0;
  while ((at = head.find("\r\n", at)) != std::string_view::npos) {
    at += 2;
    const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || ascii_lower(line.substr(0, colon)) != "content-length") {
      continue;
    }
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    std::size_t length = 0;
    if (read_number(value, length)) return length;
  }
  return std::nullopt;
}

}  // namespace

Result<BoxAccess> parse_box_access(std::string_view text) {
  TRY(const auto value, json::parse(text, 100));
  BoxAccess out;
  TRY(const Url url, parse_url(json::string_at(value, "url").value_or("")));
  out.host = url.host;
  out.port = url.port;
  out.id_instance = json::text_of(json::at(value, "idInstance")).value_or("");
  out.token = json::string_at(value, "apiTokenInstance").value_or("");
  out.care_token = json::string_at(value, "careToken").value_or("");
  if (out.id_instance.empty() || out.token.empty()) {
    return fail(Errc::malformed, "access.json: idInstance or apiTokenInstance is missing");
  }
  return out;
}

std::string encode_request(const BoxAccess& access, const BoxRequest& request) {
  const std::string& token = request.right == BoxRight::care ? access.care_token : access.token;
  const bool page = request.name.starts_with('/');
  std::string out = request.verb + " ";
  out +=
      page ? request.name : "/waInstance" + access.id_instance + "/" + request.name + "/" + token;
  if (!request.query.empty()) out += "?" + request.query;
  const bool v6 = access.host.find(':') != std::string::npos;
  out += " HTTP/1.1\r\nHost: " + (v6 ? "[" + access.host + "]" : access.host) + ":" +
         std::to_string(access.port) + "\r\nConnection: close\r\n";
  if (page) out += "Authorization: Bearer " + token + "\r\n";
  if (!request.idempotency_key.empty()) {
    out += "Idempotency-Key: " + request.idempotency_key + "\r\n";
  }
  if (request.verb != "GET") {
    out +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) +
        "\r\n";
  }
  return out + "\r\n" + request.body;
}

Result<std::optional<BoxAnswer>> decode_answer(std::string_view bytes, bool closed) {
  const std::size_t body_at = head_end(bytes);
  if (body_at == std::string_view::npos) {
    if (closed) return fail(Errc::disconnected, "the daemon closed without an answer");
    if (bytes.size() > kHeadAtMost) return fail(Errc::malformed, "an HTTP head without an end");
    return std::optional<BoxAnswer>{};
  }
  BoxAnswer out;
  const std::string_view head = bytes.substr(0, body_at);
  if (!head.starts_with("HTTP/1.") || head.size() < 12 ||
      !read_number(head.substr(9, 3), out.status)) {
    return fail(Errc::malformed, "no HTTP answer");
  }
  const auto length = content_length(head);
  if (length && *length > LocalBoxApi::kAnswerAtMost) {
    return fail(Errc::full, "an answer of " + std::to_string(*length) + " bytes");
  }
  const std::size_t there = bytes.size() - body_at;
  if (length ? there < *length : !closed) {
    if (closed) return fail(Errc::disconnected, "the daemon closed in the middle of an answer");
    return std::optional<BoxAnswer>{};
  }
  out.body = std::string(bytes.substr(body_at, length.value_or(there)));
  return std::optional<BoxAnswer>{std::move(out)};
}

class LocalBoxApi::Exchange final : public Stream::Handler {
 public:
  Exchange(LocalBoxApi& owner, std::string request, milliseconds timeout,
           Once<void(Result<BoxAnswer>)> done)
      : owner_(owner),
        request_(std::move(request)),
        done_(std::move(done)),
        timer_(owner.scheduler_) {
    timer_.start(timeout, [this] { finish(fail(Errc::timeout, "the daemon does not answer")); });
    Endpoint endpoint;
    endpoint.host = owner.access_.host;
    endpoint.port = owner.access_.port;
    endpoint.tls = false;
    endpoint.timeout = milliseconds(5000);
    dial_ = owner.dialer_.dial(
        endpoint, [this, self = alive_.weak()](Result<std::unique_ptr<Stream>> stream) {
          if (self.get() != nullptr) on_stream(std::move(stream));
        });
  }
  ~Exchange() override {
    alive_.end();
    if (done_) done_(fail(Errc::cancelled, "the agent stops"));
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void on_data(ByteView data) override {
    received_ += as_text(data);
    if (received_.size() > kAnswerAtMost + kHeadAtMost) {
      return finish(fail(Errc::full, "the daemon's answer is too long"));
    }
    look(false);
  }
  void on_closed(Error why) override {
    (void)why;
    look(true);
  }

 private:
  void on_stream(Result<std::unique_ptr<Stream>> stream) {
    if (!stream) return finish(tl::unexpected(stream.error()));
    stream_ = std::move(*stream);
    stream_->start(*this);
    stream_->write(to_bytes(request_));
  }
  void look(bool closed) {
    auto answer = decode_answer(received_, closed);
    if (!answer) return finish(tl::unexpected(answer.error()));
    if (*answer) finish(std::move(**answer));
  }
  /// In a later turn, since we may stand in a callback of our own stream.
  void finish(Result<BoxAnswer> result) {
    if (finished_) return;
    finished_ = true;
    timer_.stop();
    owner_.scheduler_.post(alive_.bind([this, result = std::move(result)]() mutable {
      auto done = std::move(done_);
      owner_.drop(this);  // this is gone from here on
      done(std::move(result));
    }));
  }

  LocalBoxApi& owner_;
  std::string request_;
  std::string received_;
  Once<void(Result<BoxAnswer>)> done_;
  bool finished_ = false;
  Timer timer_;
  std::unique_ptr<Dialer::Dial> dial_;
  std::unique_ptr<Stream> stream_;
  Alive<Exchange> alive_{this};
};

LocalBoxApi::LocalBoxApi(Scheduler& scheduler, Dialer& dialer, BoxAccess access)
    : scheduler_(scheduler), dialer_(dialer), access_(std::move(access)) {}

LocalBoxApi::~LocalBoxApi() { open_.clear(); }

void LocalBoxApi::call(BoxRequest request, Once<void(Result<BoxAnswer>)> done) {
  if (request.right == BoxRight::care && !has_care()) {
    scheduler_.post([done = std::move(done)]() mutable {
      done(fail(Errc::refused, "this needs the technician's right"));
    });
    return;
  }
  open_.push_back(std::make_unique<Exchange>(*this, encode_request(access_, request),
                                             request.timeout, std::move(done)));
}

void LocalBoxApi::drop(Exchange* exchange) {
  const auto at = std::find_if(open_.begin(), open_.end(),
                               [&](const auto& one) { return one.get() == exchange; });
  if (at == open_.end()) return;
  const auto gone = std::move(*at);
  open_.erase(at);
}

}  // namespace posthorn::fleet
