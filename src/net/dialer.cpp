#include "posthorn/net/dialer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/tcp_stream.h"
#include "net/tls_stream.h"
#include "net/tunnel.h"
#include "posthorn/base/guard.h"

namespace posthorn::net {

namespace {

constexpr const char* kSystemRoots = "/etc/ssl/certs/ca-certificates.crt";

using Done = Once<void(Result<std::unique_ptr<Stream>>)>;
using Roots = Result<std::unique_ptr<TrustRoots>>;

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

using Addresses = NetDialer::Addresses;

Result<Addresses> addresses_of(const std::string& host, int failed, const addrinfo* found) {
  if (failed != 0) return tl::unexpected(uv_error(failed, "name lookup of " + host));
  Addresses addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::memcpy(&addresses.emplace_back(), one->ai_addr, one->ai_addrlen);
  }
  return addresses;
}

/// The system's resolver, on libuv's pool.
void look_up(loop::Loop& loop, const std::string& host, std::uint16_t port,
             Function<void(Result<Addresses>)> done) {
  struct Question {
    uv_getaddrinfo_t request{};
    std::string host;
    Function<void(Result<Addresses>)> done;
  };
  auto question = std::make_unique<Question>();
  question->host = host;
  question->done = std::move(done);
  question->request.data = question.get();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const int status = uv_getaddrinfo(
      loop.uv(), &question->request,
      [](uv_getaddrinfo_t* request, int failed, addrinfo* found) {
        const std::unique_ptr<Question> owner(static_cast<Question*>(request->data));
        guarded("network", [&] { owner->done(addresses_of(owner->host, failed, found)); });
        uv_freeaddrinfo(found);
      },
      host.c_str(), std::to_string(port).c_str(), &hints);
  if (status == 0) {
    (void)question.release();
  } else {
    loop.post([question = std::move(question), status] {
      question->done(addresses_of(question->host, status, nullptr));
    });
  }
}

/// One attempt: resolving -> connecting (each address in turn) -> through the
/// proxy, where there is one -> roots -> TLS -> answered.
/// libuv requests point at the shared state, so that they may outlive the Dial.
class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(loop::Loop& loop, Worker& worker, Random& random, Endpoint endpoint, bool future_ok,
          std::optional<Proxy> proxy, Done done)
      : loop_(loop),
        worker_(worker),
        random_(random),
        endpoint_(std::move(endpoint)),
        future_ok_(future_ok),
        proxy_(std::move(proxy)),
        done_(std::move(done)),
        deadline_(loop),
        patience_(loop) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  void begin(const NetDialer::Lookup& lookup) {
    deadline_.start(endpoint_.timeout, [self = shared_from_this()] {
      self->answer(fail(Errc::timeout, "no connection to " + self->endpoint_.host + " in time"));
    });
    lookup(peer(), proxy_ ? proxy_->port : endpoint_.port,
           [self = shared_from_this()](Result<Addresses> found) {
             self->on_resolved(std::move(found));
           });
  }

  void cancel() { answer(fail(Errc::cancelled, "connecting was given up")); }

 private:
  /// Whom we connect to: the proxy where there is one.
  [[nodiscard]] const std::string& peer() const { return proxy_ ? proxy_->host : endpoint_.host; }

  void on_resolved(Result<Addresses> found) {
    if (!done_) return;
    if (!found) {
      answer(tl::unexpected(std::move(found.error())));
      return;
    }
    addresses_ = std::move(*found);
    try_next(Error{Errc::not_found, peer() + " has no address"});
  }

  void try_next(Error last) {
    if (!done_) return;
    if (next_ == addresses_.size()) {
      answer(tl::unexpected(std::move(last)));
      return;
    }
    const sockaddr_storage& address = addresses_[next_++];
    auto raw = std::make_unique<uv_tcp_t>();
    uv_tcp_init(loop_.uv(), raw.get());
    raw->data = nullptr;
    connecting_.reset(raw.release());
    struct Connect {
      uv_connect_t request{};
      std::shared_ptr<Attempt> attempt;
    };
    auto connect = std::make_unique<Connect>();
    connect->attempt = shared_from_this();
    connect->request.data = connect.get();
    const int status = uv_tcp_connect(
        &connect->request, connecting_.get(), reinterpret_cast<const sockaddr*>(&address),
        [](uv_connect_t* request, int failed) {
          const std::unique_ptr<Connect> owner(static_cast<Connect*>(request->data));
          guarded("network", [&] { owner->attempt->on_connected(failed); });
        });
    if (status != 0) {
      loop_.post([self = shared_from_this(), status] { self->on_connected(status); });
      return;
    }
    (void)connect.release();
    if (next_ == addresses_.size()) return;
    patience_.start(std::min(NetDialer::kPatience, endpoint_.timeout / 3),
                    [self = shared_from_this()] { self->on_silence(); });
  }

  /// An address that drops what it is sent, as a prefix does that is announced and leads nowhere,
  /// must not use up the time of those behind it.
  void on_silence() {
    connecting_.reset();
    try_next(Error{Errc::timeout, "connect to " + peer() + ": no answer"});
  }

  void on_connected(int failed) {
    // Cancelled: a connection that was given up, maybe for that to the next address.
    if (!done_ || failed == UV_ECANCELED) return;
    patience_.stop();
    if (failed != 0) {
      connecting_.reset();
      try_next(uv_error(failed, "connect to " + peer()));
      return;
    }
    tcp_ = std::make_unique<TcpStream>(loop_, std::move(connecting_));
    if (!proxy_) {
      on_through();
      return;
    }
    tunnel_ = std::make_unique<Tunnel>(*tcp_, *proxy_, endpoint_.host, endpoint_.port,
                                       [self = shared_from_this()](Result<void> through) {
                                         // In a later turn: the stream is inside its own call now
                                         // and may not be dropped there.
                                         self->loop_.post([self, through = std::move(through)] {
                                           if (!self->done_) return;
                                           if (!through) {
                                             self->answer(tl::unexpected(through.error()));
                                           } else {
                                             self->on_through();
                                           }
                                         });
                                       });
  }

  /// There is a connection to the endpoint itself.
  void on_through() {
    if (!endpoint_.tls) {
      answer(std::unique_ptr<Stream>(std::move(tcp_)));
      return;
    }
    const std::string file = endpoint_.tls_ca_file.empty() ? kSystemRoots : endpoint_.tls_ca_file;
    run_on<Roots>(
        worker_, [file] { return load_roots(file); },
        [self = shared_from_this()](Roots roots) { self->on_roots(std::move(roots)); });
  }

  void on_roots(Roots roots) {
    if (!done_) return;
    if (!roots) {
      answer(tl::unexpected(roots.error()));
      return;
    }
    TlsStream::Options options{endpoint_.host, std::move(*roots), future_ok_};
    tls_ = std::make_unique<TlsStream>(loop_, std::move(tcp_), random_, std::move(options));
    tls_->handshake([self = shared_from_this()](Result<void> result) {
      // In a later turn: the stream is inside its own call now and may not be dropped there.
      self->loop_.post([self, result = std::move(result)]() mutable {
        if (!self->done_) return;
        if (!result) {
          self->answer(tl::unexpected(result.error()));
        } else {
          self->answer(std::unique_ptr<Stream>(std::move(self->tls_)));
        }
      });
    });
  }

  void answer(Result<std::unique_ptr<Stream>> result) {
    if (!done_) return;
    const std::shared_ptr<Attempt> keep = shared_from_this();
    Done done = std::move(done_);
    deadline_.stop();
    patience_.stop();
    connecting_.reset();
    if (tls_) {
      tls_->abandon();
      tls_.reset();
    }
    tcp_.reset();
    done(std::move(result));
  }

  loop::Loop& loop_;
  Worker& worker_;
  Random& random_;
  const Endpoint endpoint_;
  const bool future_ok_;
  const std::optional<Proxy> proxy_;
  Done done_;
  Timer deadline_;  ///< of the whole attempt
  Timer patience_;  ///< of the connection to one address
  Addresses addresses_;
  std::size_t next_ = 0;  ///< of the addresses
  loop::UvHandle<uv_tcp_t> connecting_;
  std::unique_ptr<Tunnel> tunnel_;  ///< before the stream, whose handler it is for a while
  std::unique_ptr<TcpStream> tcp_;
  std::unique_ptr<TlsStream> tls_;
};

class Handle final : public Dialer::Dial {
 public:
  explicit Handle(std::shared_ptr<Attempt> attempt) : attempt_(std::move(attempt)) {}
  // NOLINTNEXTLINE(bugprone-exception-escape): for want of memory only, and then nothing helps.
  ~Handle() override { attempt_->cancel(); }

 private:
  // Shared with libuv's requests, which may call back after the dial was given up.
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace

NetDialer::NetDialer(loop::Loop& loop, Worker& worker, Random& random,
                     std::function<bool()> clock_plausible, std::optional<Proxy> proxy,
                     Lookup lookup)
    : loop_(loop),
      worker_(worker),
      random_(random),
      clock_plausible_(std::move(clock_plausible)),
      proxy_(std::move(proxy)),
      lookup_(std::move(lookup)) {
  if (lookup_) return;
  lookup_ = [&loop](const std::string& host, std::uint16_t port,
                    Function<void(Result<Addresses>)> done) {
    look_up(loop, host, port, std::move(done));
  };
}

std::unique_ptr<Dialer::Dial> NetDialer::dial(const Endpoint& endpoint, Done done) {
  auto attempt = std::make_shared<Attempt>(loop_, worker_, random_, endpoint, !clock_plausible_(),
                                           is_loopback(endpoint.host) ? std::nullopt : proxy_,
                                           std::move(done));
  attempt->begin(lookup_);
  return std::make_unique<Handle>(std::move(attempt));
}

}  // namespace posthorn::net
