#include "net/tls_stream.h"

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace posthorn::net {

namespace {

std::string mbedtls_text(int status) {
  std::array<char, 160> text{};
  mbedtls_strerror(status, text.data(), text.size());
  return text.data();
}

std::string certificate_problem(std::uint32_t flags) {
  std::array<char, 512> text{};
  mbedtls_x509_crt_verify_info(text.data(), text.size(), "", flags);
  std::string out = text.data();
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

}  // namespace

Result<std::unique_ptr<TrustRoots>> load_roots(const std::string& pem_file) {
  auto roots = std::make_unique<TrustRoots>();
  const int status = mbedtls_x509_crt_parse_file(&roots->chain, pem_file.c_str());
  if (status < 0) return fail(Errc::not_found, pem_file + ": " + mbedtls_text(status));
  if (roots->chain.version == 0) {
    return fail(Errc::malformed, pem_file + ": no certificate in it could be read");
  }
  return roots;
}

TlsStream::TlsStream(loop::Loop& loop, std::unique_ptr<TcpStream> tcp, Random& random,
                     Options options)
    : loop_(loop),
      tcp_(std::move(tcp)),
      random_(random),
      options_(std::move(options)),
      deliver_timer_(loop) {
  mbedtls_ssl_config_init(&config_);
  mbedtls_ssl_init(&ssl_);
}

TlsStream::~TlsStream() {
  mbedtls_ssl_free(&ssl_);
  mbedtls_ssl_config_free(&config_);
}

void TlsStream::handshake(Once<void(Result<void>)> done) {
  handshake_done_ = std::move(done);
  int status = mbedtls_ssl_config_defaults(
      &config_, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_min_version(&config_, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_rng(&config_, &random_bytes, this);
  mbedtls_ssl_conf_ca_chain(&config_, &options_.roots->chain, nullptr);
  mbedtls_ssl_conf_verify(&config_, &verify, this);
  if (status == 0) status = mbedtls_ssl_setup(&ssl_, &config_);
  if (status == 0) status = mbedtls_ssl_set_hostname(&ssl_, options_.host.c_str());
  if (status != 0) {
    loop_.post([this, status] { finish_handshake(fail(Errc::crypto, mbedtls_text(status))); });
    return;
  }
  mbedtls_ssl_set_bio(&ssl_, this, &bio_send, &bio_receive, nullptr);
  tcp_->start(*this);
  step_handshake();
}

void TlsStream::abandon() {
  if (handshake_done_) handshake_done_(fail(Errc::cancelled, "TLS handshake given up"));
}

void TlsStream::step_handshake() {
  const int status = mbedtls_ssl_handshake(&ssl_);
  if (status == MBEDTLS_ERR_SSL_WANT_READ || status == MBEDTLS_ERR_SSL_WANT_WRITE) {
    if (tcp_ended_) finish_handshake(tl::unexpected(tcp_error_));
    return;
  }
  if (status == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
    const std::string why = certificate_problem(mbedtls_ssl_get_verify_result(&ssl_));
    finish_handshake(fail(Errc::crypto, "certificate of " + options_.host + ": " + why));
    return;
  }
  if (status != 0) {
    finish_handshake(fail(Errc::crypto, "TLS with " + options_.host + ": " + mbedtls_text(status)));
    return;
  }
  established_ = true;
  mbedtls_ssl_conf_ca_chain(&config_, nullptr, nullptr);
  options_.roots.reset();
  finish_handshake({});
}

void TlsStream::finish_handshake(Result<void> result) {
  if (handshake_done_) handshake_done_(std::move(result));
}

void TlsStream::start(Stream::Handler& handler) {
  handler_ = &handler;
  deliver_later();
}

void TlsStream::write(Bytes data) {
  if (!established_ || tcp_ended_ || !tcp_) return;
  std::size_t at = 0;
  while (at < data.size()) {
    const int n = mbedtls_ssl_write(&ssl_, reinterpret_cast<const unsigned char*>(&data[at]),
                                    data.size() - at);
    if (n <= 0) return;  // our bio never says "later": only a broken connection ends up here
    at += static_cast<std::size_t>(n);
  }
}

std::size_t TlsStream::unsent() const { return tcp_ ? tcp_->unsent() : 0; }

void TlsStream::pause_reading(bool paused) {
  paused_ = paused;
  if (tcp_) tcp_->pause_reading(paused);
  if (!paused) deliver_later();
}

void TlsStream::close() {
  handler_ = nullptr;
  deliver_timer_.stop();
  if (established_ && !tcp_ended_) mbedtls_ssl_close_notify(&ssl_);
  if (tcp_) tcp_->close();
}

void TlsStream::on_data(ByteView data) {
  append(incoming_, data);
  if (!established_) {
    step_handshake();
    return;
  }
  deliver();
}

void TlsStream::on_closed(Error why) {
  tcp_ended_ = true;
  tcp_error_ = std::move(why);
  if (!established_) {
    finish_handshake(tl::unexpected(tcp_error_));
    return;
  }
  deliver_later();
}

void TlsStream::deliver_later() {
  if (!deliver_timer_.active()) deliver_timer_.start(milliseconds(0), [this] { deliver(); });
}

void TlsStream::deliver() {
  if (handler_ == nullptr || paused_) return;
  Bytes plain(std::size_t{16} * 1024);
  const int n =
      mbedtls_ssl_read(&ssl_, reinterpret_cast<unsigned char*>(plain.data()), plain.size());
  if (n > 0) {
    deliver_later();  // there may be more; the handler may drop us, so ask for it first
    handler_->on_data(ByteView(plain).first(static_cast<std::size_t>(n)));
    return;
  }
  if (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE) {
    if (tcp_ended_) end(tcp_error_);
    return;
  }
  end(n == 0 || n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY
          ? Error{Errc::disconnected, "closed by the other side"}
          : Error{Errc::crypto, mbedtls_text(n)});
}

void TlsStream::end(Error why) {
  deliver_timer_.stop();
  if (Stream::Handler* handler = std::exchange(handler_, nullptr))
    handler->on_closed(std::move(why));
}

int TlsStream::bio_send(void* self, const unsigned char* data, std::size_t length) {
  auto* stream = static_cast<TlsStream*>(self);
  if (stream->tcp_ended_) return MBEDTLS_ERR_NET_CONN_RESET;
  stream->tcp_->write(to_bytes(as_bytes({reinterpret_cast<const char*>(data), length})));
  return static_cast<int>(length);
}

int TlsStream::bio_receive(void* self, unsigned char* out, std::size_t length) {
  auto* stream = static_cast<TlsStream*>(self);
  const std::size_t there = stream->incoming_.size() - stream->consumed_;
  if (there == 0) return MBEDTLS_ERR_SSL_WANT_READ;
  const std::size_t n = std::min(length, there);
  std::memcpy(out, &stream->incoming_[stream->consumed_], n);
  stream->consumed_ += n;
  if (stream->consumed_ == stream->incoming_.size()) {
    stream->incoming_.clear();
    stream->consumed_ = 0;
  }
  return static_cast<int>(n);
}

int TlsStream::random_bytes(void* self, unsigned char* out, std::size_t length) {
  static_cast<TlsStream*>(self)->random_.fill(std::as_writable_bytes(std::span(out, length)));
  return 0;
}

int TlsStream::verify(void* self, mbedtls_x509_crt*, int, std::uint32_t* flags) {
  if (static_cast<TlsStream*>(self)->options_.accept_future_dates) {
    *flags &= ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_FUTURE);
  }
  return 0;
}

}  // namespace posthorn::net
