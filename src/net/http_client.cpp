#include "posthorn/net/http_client.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <unordered_map>
#include <vector>

#include "net/curl_library.h"
#include "net/public_address.h"
#include "posthorn/base/alive.h"
#include "posthorn/base/guard.h"
#include "posthorn/base/log.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::net {

namespace {

/// Of connections kept for later requests.
constexpr long kConnectionsKept = 4;

struct EasyCleanup {
  const Curl* curl = nullptr;
  void operator()(CURL* easy) const { curl->easy_cleanup(easy); }
};
struct ListFree {
  const Curl* curl = nullptr;
  void operator()(curl_slist* list) const { curl->slist_free_all(list); }
};

/// Text as a file without a place on any disk: libcurl with GnuTLS takes authorities by path only.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text) : descriptor_(memfd_create("ca", MFD_CLOEXEC)) {
    for (std::size_t at = 0; descriptor_ >= 0 && at < text.size();) {
      const ssize_t written = ::write(descriptor_, text.data() + at, text.size() - at);
      if (written <= 0) return;
      at += static_cast<std::size_t>(written);
    }
  }
  ~MemoryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// One request under way. curl keeps pointers into it, so it stays where it is.
struct Transfer {
  explicit Transfer(const Curl& library)
      : curl(library), easy(library.easy_init(), {&library}), headers(nullptr, {&library}) {}

  const Curl& curl;
  HttpRequest request;
  HttpResponse response;
  Once<void(Result<HttpResponse>)> done;
  std::unique_ptr<CURL, EasyCleanup> easy;
  std::unique_ptr<curl_slist, ListFree> headers;
  std::unique_ptr<MemoryFile> roots;
  std::optional<Error> failure;  ///< of the source or the sink
  bool refused_address = false;
  bool length_told = false;
};

Errc errc_of(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Errc::malformed;
    case CURLE_COULDNT_RESOLVE_HOST:
      return Errc::not_found;
    case CURLE_COULDNT_CONNECT:
      return Errc::refused;
    case CURLE_OPERATION_TIMEDOUT:
      return Errc::timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return Errc::crypto;
    default:
      return Errc::disconnected;
  }
}

bool is_success(const Transfer& transfer) {
  long status = 0;
  transfer.curl.easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300;
}

/// Once, before the first piece.
Result<void> tell_length(Transfer& transfer) {
  if (std::exchange(transfer.length_told, true)) return {};
  curl_off_t length = -1;
  transfer.curl.easy_getinfo(transfer.easy.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length < 0) return {};
  return transfer.request.sink->on_length(static_cast<std::uint64_t>(length));
}

/// 0 makes libcurl give the transfer up.
std::size_t to_sink(Transfer& transfer, ByteView piece) {
  bool room = false;
  const bool ran = guarded("http client", [&] {
    if (auto fits = tell_length(transfer); !fits) {
      transfer.failure = std::move(fits.error());
      return;
    }
    auto taken = transfer.request.sink->write(piece);
    if (taken) room = *taken;
    if (!taken) transfer.failure = std::move(taken.error());
  });
  if (!ran || transfer.failure) return 0;
  if (!room) transfer.curl.easy_pause(transfer.easy.get(), CURLPAUSE_RECV);
  return piece.size();
}

std::size_t on_source(char* out, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::size_t filled = 0;
  const bool ran = guarded("http client", [&] {
    auto read = transfer.request.source->read({reinterpret_cast<std::byte*>(out), size * count});
    if (read) filled = *read;
    if (!read) transfer.failure = std::move(read.error());
  });
  if (!ran || transfer.failure) return CURL_READFUNC_ABORT;
  return filled == 0 ? CURL_READFUNC_PAUSE : filled;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.request.sink && is_success(transfer)) {
    return to_sink(transfer, {reinterpret_cast<const std::byte*>(data), size * count});
  }
  std::string& body = transfer.response.body;
  const std::size_t room = transfer.request.response_limit - body.size();
  const bool kept =
      guarded("http client", [&] { body.append(data, std::min(size * count, room)); });
  return kept ? size * count : 0;
}

/// Refuses header lines that would smuggle in others, and those curl cannot take.
bool add_headers(Transfer& transfer) {
  const auto add = [&transfer](const std::string& line) {
    curl_slist* list = transfer.curl.slist_append(transfer.headers.get(), line.c_str());
    if (list == nullptr) return false;
    if (!transfer.headers) transfer.headers.reset(list);
    return true;
  };
  for (const auto& [name, value] : transfer.request.headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) return false;
    if (!add(name + ": " + value)) return false;
  }
  return add("Expect:");  // small receivers do not know 100-continue
}

void set_body(const Curl& curl, CURL* easy, const HttpRequest& request, Transfer* user) {
  if (request.never_twice) {
    curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl.easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  }
  if (request.method == "GET") return;
  if (request.method == "HEAD") {
    curl.easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  curl.easy_setopt(easy, CURLOPT_POST, 1L);
  if (request.source) {
    curl.easy_setopt(easy, CURLOPT_READFUNCTION, on_source);
    curl.easy_setopt(easy, CURLOPT_READDATA, user);
    curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.source->size()));
  } else {
    curl.easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method != "POST") {
    curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void set_tls(Transfer& transfer, CURL* easy) {
  const Curl& curl = transfer.curl;
  const HttpRequest& request = transfer.request;
  std::string roots = request.ca_file;
  if (!request.ca_pem.empty()) {
    transfer.roots = std::make_unique<MemoryFile>(request.ca_pem);
    roots = transfer.roots->path();
    // libcurl tells connections apart by the path, which another text may have had before.
    curl.easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  }
  if (!roots.empty()) curl.easy_setopt(easy, CURLOPT_CAINFO, roots.c_str());
  if (request.any_certificate) {
    curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (request.pinned_public_key.empty()) return;
  curl.easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, request.pinned_public_key.c_str());
  curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

/// The address is looked at when the connection is made: a name that leads elsewhere at the second
/// question, and a redirect, are seen as well.
curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!is_public_address(address->addr)) {
    transfer.refused_address = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool configure(Transfer& transfer) {
  const HttpRequest& request = transfer.request;
  const Curl& curl = transfer.curl;
  CURL* easy = transfer.easy.get();
  if (!add_headers(transfer)) return false;
  if (curl.easy_setopt(easy, CURLOPT_URL, request.url.c_str()) != CURLE_OK) return false;
  curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl.easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.redirects > 0 ? 1L : 0L);
  curl.easy_setopt(easy, CURLOPT_MAXREDIRS, static_cast<long>(request.redirects));
  // Also when it is empty: the environment does not decide where we talk to.
  curl.easy_setopt(easy, CURLOPT_PROXY, request.proxy.c_str());
  curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl.easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
  curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl.easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl.easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  if (request.public_only) {
    // A connection that is kept may have been made for somebody who may go there.
    curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl.easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  }
  set_body(curl, easy, request, &transfer);
  set_tls(transfer, easy);
  return true;
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(loop::Loop& loop) : loop_(loop), timer_(loop), sweep_(loop) {}
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;
  ~CurlClient() override;

  void send(HttpRequest request, Once<void(Result<HttpResponse>)> done) override;

 private:
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* poll);
  static int on_timer(CURLM* multi, long wait_ms, void* self);

  Result<void> start();
  void watch(curl_socket_t socket, int what);
  void unwatch(curl_socket_t socket);
  void act(curl_socket_t socket, int events);
  void collect();
  void go_on(CURL* easy);
  void wake_with(CURL* easy, const HttpRequest& request);
  void finish(CURL* easy, CURLcode code);
  void answer_later(Once<void(Result<HttpResponse>)> done, Result<HttpResponse> result);

  loop::Loop& loop_;
  const Curl* curl_ = nullptr;  ///< since the first request, like multi_
  CURLM* multi_ = nullptr;
  Timer timer_;
  std::unordered_map<curl_socket_t, std::unique_ptr<loop::Poll>> polls_;
  std::vector<std::unique_ptr<loop::Poll>> retired_;
  Timer sweep_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers_;
  Alive<CurlClient> alive_{this};
};

Result<void> CurlClient::start() {
  if (multi_ != nullptr) return {};
  TRY(curl_, load_curl());
  multi_ = curl_->multi_init();
  if (multi_ == nullptr) return fail(Errc::unsupported, "libcurl cannot start");
  curl_->multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlClient::on_socket);
  curl_->multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_->multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlClient::on_timer);
  curl_->multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_->multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kConnectionsKept);
  return {};
}

CurlClient::~CurlClient() {
  auto open = std::move(transfers_);
  transfers_.clear();
  for (auto& [easy, transfer] : open) {
    curl_->multi_remove_handle(multi_, easy);
    transfer->easy.reset();
    answer_later(std::move(transfer->done), fail(Errc::cancelled, "http client closed"));
  }
  if (multi_ != nullptr) curl_->multi_cleanup(multi_);
}

void CurlClient::answer_later(Once<void(Result<HttpResponse>)> done, Result<HttpResponse> result) {
  loop_.post(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void CurlClient::send(HttpRequest request, Once<void(Result<HttpResponse>)> done) {
  if (auto started = start(); !started) {
    log::error("net", "libcurl cannot be used", {{"error", started.error()}});
    return answer_later(std::move(done), tl::unexpected(std::move(started.error())));
  }
  auto transfer = std::make_unique<Transfer>(*curl_);
  transfer->request = std::move(request);
  if (!transfer->easy || !configure(*transfer)) {
    return answer_later(std::move(done), fail(Errc::malformed, "http request cannot be made"));
  }
  transfer->done = std::move(done);
  CURL* easy = transfer->easy.get();
  wake_with(easy, transfer->request);
  transfers_.emplace(easy, std::move(transfer));
  // Starts by the timer callback that curl asks for here, so never inside this call.
  curl_->multi_add_handle(multi_, easy);
}

/// Source and sink may call when the transfer has ended, and when the client has gone.
void CurlClient::wake_with(CURL* easy, const HttpRequest& request) {
  const auto wake = alive_.bind([this, easy] { go_on(easy); });
  if (request.source) request.source->on_ready(wake);
  if (request.sink) request.sink->on_room(wake);
}

void CurlClient::go_on(CURL* easy) {
  if (!transfers_.contains(easy)) return;
  curl_->easy_pause(easy, CURLPAUSE_CONT);
  collect();
}

int CurlClient::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  const bool watched =
      guarded("http client", [=] { static_cast<CurlClient*>(self)->watch(socket, what); });
  return watched ? 0 : -1;
}

void CurlClient::unwatch(curl_socket_t socket) {
  auto node = polls_.extract(socket);
  if (node.empty()) return;
  // Often inside this very poll's callback: it stops now and goes in a later turn.
  node.mapped()->watch(0);
  retired_.push_back(std::move(node.mapped()));
  sweep_.start(milliseconds(0), [this] { retired_.clear(); });
}

void CurlClient::watch(curl_socket_t socket, int what) {
  if (what == CURL_POLL_REMOVE) return unwatch(socket);
  int events = 0;
  if ((what & CURL_POLL_IN) != 0) events |= loop::Poll::readable;
  if ((what & CURL_POLL_OUT) != 0) events |= loop::Poll::writable;
  auto& poll = polls_[socket];
  if (poll) return poll->watch(events);
  poll = std::make_unique<loop::Poll>(loop_, socket, events,
                                      [this, socket](int ready) { act(socket, ready); });
}

int CurlClient::on_timer(CURLM*, long wait_ms, void* self) {
  auto& client = *static_cast<CurlClient*>(self);
  const bool armed = guarded("http client", [&] {
    if (wait_ms < 0) return client.timer_.stop();
    client.timer_.start(milliseconds(wait_ms), [&client] { client.act(CURL_SOCKET_TIMEOUT, 0); });
  });
  return armed ? 0 : -1;
}

void CurlClient::act(curl_socket_t socket, int events) {
  int mask = 0;
  if ((events & loop::Poll::readable) != 0) mask |= CURL_CSELECT_IN;
  if ((events & loop::Poll::writable) != 0) mask |= CURL_CSELECT_OUT;
  int running = 0;
  curl_->multi_socket_action(multi_, socket, mask, &running);
  collect();
}

void CurlClient::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_->multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
  }
}

void CurlClient::finish(CURL* easy, CURLcode code) {
  auto node = transfers_.extract(easy);
  if (node.empty()) return;
  curl_->multi_remove_handle(multi_, easy);
  Transfer& transfer = *node.mapped();
  Result<HttpResponse> result = std::move(transfer.response);
  if (code == CURLE_OK) {
    long status = 0;
    curl_->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    result->status = static_cast<int>(status);
    const char* type = nullptr;
    curl_->easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) result->content_type = type;
    curl_off_t wait = 0;
    curl_->easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
    result->retry_after = seconds(wait);
  } else if (transfer.failure) {
    result = tl::unexpected(std::move(*transfer.failure));
  } else if (transfer.refused_address) {
    result = fail(Errc::refused, "the address is in a private network");
  } else {
    result = fail(errc_of(code), curl_->easy_strerror(code));
  }
  answer_later(std::move(transfer.done), std::move(result));
}

}  // namespace

std::unique_ptr<HttpClient> make_http_client(loop::Loop& loop) {
  return std::make_unique<CurlClient>(loop);
}

}  // namespace posthorn::net
