#include <gtest/gtest.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "posthorn/net/dialer.h"
#include "posthorn/net/listener.h"

namespace posthorn::net {
namespace {

int draw(void* random, unsigned char* out, std::size_t length) {
  static_cast<Random*>(random)->fill(std::as_writable_bytes(std::span(out, length)));
  return 0;
}

/// A self-signed certificate for `name`, valid between two "YYYYMMDDhhmmss".
struct Identity {
  Identity(Random& random, const std::string& name, const char* from, const char* to) {
    mbedtls_pk_init(&key);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), &draw, &random);
    mbedtls_x509write_cert writer;
    mbedtls_x509write_crt_init(&writer);
    mbedtls_mpi serial;
    mbedtls_mpi_init(&serial);
    mbedtls_mpi_lset(&serial, 1);
    mbedtls_x509write_crt_set_serial(&writer, &serial);
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, &key);
    mbedtls_x509write_crt_set_issuer_key(&writer, &key);
    mbedtls_x509write_crt_set_subject_name(&writer, ("CN=" + name).c_str());
    mbedtls_x509write_crt_set_issuer_name(&writer, ("CN=" + name).c_str());
    mbedtls_x509write_crt_set_validity(&writer, from, to);
    mbedtls_x509write_crt_set_basic_constraints(&writer, 1, 0);
    std::array<unsigned char, 4096> pem{};
    mbedtls_x509write_crt_pem(&writer, pem.data(), pem.size(), &draw, &random);
    mbedtls_x509_crt_parse(&certificate, pem.data(),
                           std::strlen(reinterpret_cast<char*>(pem.data())) + 1);
    file = testing::TempDir() + "posthorn_net_test_" + std::to_string(getpid()) + ".pem";
    std::ofstream(file) << reinterpret_cast<char*>(pem.data());
    mbedtls_x509write_crt_free(&writer);
    mbedtls_mpi_free(&serial);
  }
  ~Identity() {
    mbedtls_pk_free(&key);
    mbedtls_x509_crt_free(&certificate);
    std::remove(file.c_str());
  }
  mbedtls_pk_context key;
  mbedtls_x509_crt certificate;
  std::string file;
};

/// mbedTLS's server side over an accepted Stream: echoes what it reads, in upper case.
class TlsEcho final : Stream::Handler {
 public:
  TlsEcho(std::unique_ptr<Stream> stream, Identity& identity, Random& random)
      : stream_(std::move(stream)) {
    mbedtls_ssl_config_init(&config_);
    mbedtls_ssl_init(&ssl_);
    mbedtls_ssl_config_defaults(&config_, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&config_, &draw, &random);
    mbedtls_ssl_conf_own_cert(&config_, &identity.certificate, &identity.key);
    mbedtls_ssl_setup(&ssl_, &config_);
    mbedtls_ssl_set_bio(
        &ssl_, this,
        [](void* self, const unsigned char* data, std::size_t n) {
          static_cast<TlsEcho*>(self)->stream_->write(
              to_bytes(as_bytes({reinterpret_cast<const char*>(data), n})));
          return static_cast<int>(n);
        },
        [](void* self, unsigned char* out, std::size_t n) {
          Bytes& in = static_cast<TlsEcho*>(self)->in_;
          if (in.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
          n = std::min(n, in.size());
          std::memcpy(out, in.data(), n);
          in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(n));
          return static_cast<int>(n);
        },
        nullptr);
    stream_->start(*this);
  }
  ~TlsEcho() override {
    mbedtls_ssl_free(&ssl_);
    mbedtls_ssl_config_free(&config_);
  }

 private:
  void on_data(ByteView data) override {
    append(in_, data);
    if (!ready_) ready_ = mbedtls_ssl_handshake(&ssl_) == 0;
    if (!ready_) return;
    std::array<unsigned char, 4096> buffer{};
    int n = 0;
    while ((n = mbedtls_ssl_read(&ssl_, buffer.data(), buffer.size())) > 0) {
      for (int i = 0; i < n; ++i)
        buffer[static_cast<std::size_t>(i)] =
            static_cast<unsigned char>(std::toupper(buffer[static_cast<std::size_t>(i)]));
      mbedtls_ssl_write(&ssl_, buffer.data(), static_cast<std::size_t>(n));
    }
  }
  void on_closed(Error) override {}

  std::unique_ptr<Stream> stream_;
  mbedtls_ssl_config config_{};
  mbedtls_ssl_context ssl_{};
  Bytes in_;
  bool ready_ = false;
};

struct Collect final : Stream::Handler {
  void on_data(ByteView data) override { append(got, data); }
  void on_closed(Error why) override { closed = why; }
  Bytes got;
  std::optional<Error> closed;
};

class Net : public testing::Test {
 protected:
  template <class Condition>
  void run_until(Condition condition) {
    const Mono end = loop.now() + seconds(10);
    while (!condition() && loop.now() < end) loop.run_once(milliseconds(50));
  }
  Result<std::unique_ptr<Stream>> dial(const Endpoint& endpoint) { return dial(endpoint, dialer); }
  Result<std::unique_ptr<Stream>> dial(const Endpoint& endpoint, Dialer& by) {
    std::optional<Result<std::unique_ptr<Stream>>> answer;
    const auto dialling = by.dial(
        endpoint, [&answer](Result<std::unique_ptr<Stream>> r) { answer.emplace(std::move(r)); });
    run_until([&answer] { return answer.has_value(); });
    return std::move(*answer);
  }
  struct Ends {
    std::unique_ptr<Stream> client, server;
  };
  /// A new connection, whose client reads already.
  Ends connect(Stream::Handler& client_side) {
    Ends ends;
    auto listener = listen(loop, "127.0.0.1", 0, [&ends](std::unique_ptr<Stream> accepted) {
      ends.server = std::move(accepted);
    });
    auto dialled = dial({"127.0.0.1", (*listener)->port(), false, "", seconds(5)});
    EXPECT_TRUE(dialled.has_value());
    ends.client = std::move(*dialled);
    ends.client->start(client_side);
    run_until([&ends] { return ends.server != nullptr; });
    return ends;
  }

  loop::Loop loop;
  loop::PoolWorker worker{loop};
  loop::SystemRandom random;
  bool clock_plausible = true;
  NetDialer dialer{loop, worker, random, [this] { return clock_plausible; }};
};

TEST_F(Net, CarriesAMegabyteBothWaysAndReportsTheEnd) {
  Collect client_side;
  Collect server_side;
  std::unique_ptr<Stream> server;
  auto listener = listen(loop, "127.0.0.1", 0, [&](std::unique_ptr<Stream> accepted) {
    server = std::move(accepted);
    server->start(server_side);
  });
  ASSERT_TRUE(listener.has_value());
  auto client = dial({"localhost", (*listener)->port(), false, "", seconds(5)});
  ASSERT_TRUE(client.has_value()) << to_string(client.error());
  (*client)->start(client_side);
  const Bytes megabyte(1 << 20, std::byte{5});
  (*client)->write(megabyte);
  run_until([&] { return server_side.got.size() == megabyte.size(); });
  EXPECT_EQ(server_side.got, megabyte);
  server->write(megabyte);
  server->close();
  server.reset();
  run_until([&] { return client_side.closed.has_value(); });
  EXPECT_EQ(client_side.got, megabyte);
  EXPECT_EQ(client_side.closed->code, Errc::disconnected);
}

/// Goes on when the other side has said everything.
struct StaysOpen final : Stream::Handler {
  void on_data(ByteView data) override { append(got, data); }
  bool on_end() override { return ended = true; }
  void on_closed(Error why) override { closed = why; }
  Bytes got;
  bool ended = false;
  std::optional<Error> closed;
};

TEST_F(Net, OneDirectionMayEndBeforeTheOther) {
  Collect client_side;
  StaysOpen server_side;
  std::unique_ptr<Stream> server;
  auto listener = listen(loop, "127.0.0.1", 0, [&](std::unique_ptr<Stream> accepted) {
    server = std::move(accepted);
    server->start(server_side);
  });
  ASSERT_TRUE(listener.has_value());
  auto client = dial({"127.0.0.1", (*listener)->port(), false, "", seconds(5)});
  ASSERT_TRUE(client.has_value()) << to_string(client.error());
  (*client)->start(client_side);
  (*client)->write(to_bytes(std::string_view("all")));
  (*client)->end_writing();
  run_until([&] { return server_side.ended; });
  EXPECT_EQ(as_text(server_side.got), "all");
  EXPECT_FALSE(server_side.closed);
  server->write(to_bytes(std::string_view("last words")));
  server->close();
  run_until([&] { return client_side.closed.has_value(); });
  EXPECT_EQ(as_text(client_side.got), "last words");
}

TEST_F(Net, AResetIsAnErrorAtTheOtherSide) {
  Collect client_side;
  const Ends ends = connect(client_side);
  ends.server->reset();
  run_until([&] { return client_side.closed.has_value(); });
  ASSERT_TRUE(client_side.closed);
  EXPECT_NE(client_side.closed->detail.find("reset"), std::string::npos)
      << client_side.closed->detail;
}

/// The kernel tells the reset to the first write; the reads after it would see an orderly end.
TEST_F(Net, AResetThatAWriteMeetsFirstIsNoOrderlyEnd) {
  std::signal(SIGPIPE, SIG_IGN);  // as posthornd does
  StaysOpen client_side;
  const Ends ends = connect(client_side);
  ends.server->reset();
  ends.client->write(Bytes(1000, std::byte{7}));
  run_until([&] { return client_side.closed.has_value() || client_side.ended; });
  EXPECT_FALSE(client_side.ended);
  ASSERT_TRUE(client_side.closed);
  EXPECT_EQ(client_side.closed->code, Errc::disconnected);
}

TEST_F(Net, SaysWhyNobodyAnswers) {
  std::uint16_t free_port = 0;
  {
    auto listener = listen(loop, "127.0.0.1", 0, [](std::unique_ptr<Stream>) {});
    free_port = (*listener)->port();
  }
  EXPECT_EQ(dial({"127.0.0.1", free_port, false, "", seconds(5)}).error().code, Errc::refused);
  EXPECT_EQ(listen(loop, "no address", 0, [](std::unique_ptr<Stream>) {}).error().code,
            Errc::malformed);
}

TEST_F(Net, ADroppedDialIsAnsweredCancelled) {
  std::optional<Errc> code;
  dialer
      .dial({"127.0.0.1", 9, false, "", seconds(5)},
            [&code](Result<std::unique_ptr<Stream>> r) { code = r.error().code; })
      .reset();
  EXPECT_EQ(code, Errc::cancelled);
}

/// A port of 127.0.0.1 that answers nobody: its queue is full, so that the kernel drops who comes.
class SilentPort {
 public:
  SilentPort() {
    sockaddr_in where{};
    uv_ip4_addr("127.0.0.1", 0, &where);
    auto* address = reinterpret_cast<sockaddr*>(&where);
    socklen_t size = sizeof where;
    EXPECT_EQ(::bind(listening_, address, size), 0);
    EXPECT_EQ(::listen(listening_, 0), 0);
    EXPECT_EQ(::getsockname(listening_, address, &size), 0);
    port = ntohs(where.sin_port);
    EXPECT_EQ(::connect(queued_, address, size), 0);
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  ~SilentPort() {
    ::close(listening_);
    ::close(queued_);
  }
  std::uint16_t port = 0;

 private:
  const int listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int queued_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

/// Any name has two addresses, 127.0.0.1 before 127.0.0.2.
class TwoAddresses : public Net {
 protected:
  NetDialer::Lookup both = [this](const std::string&, std::uint16_t port,
                                  Function<void(Result<NetDialer::Addresses>)> done) {
    NetDialer::Addresses found(2);
    uv_ip4_addr("127.0.0.1", port, reinterpret_cast<sockaddr_in*>(&found[0]));
    uv_ip4_addr("127.0.0.2", port, reinterpret_cast<sockaddr_in*>(&found[1]));
    loop.post([found, done = std::move(done)]() mutable { done(found); });
  };
  NetDialer two{loop, worker, random, [] { return true; }, std::nullopt, both};
};

TEST_F(TwoAddresses, OneThatDoesNotAnswerDoesNotKeepFromTheOther) {
  const SilentPort silent;
  ASSERT_EQ(dial({"127.0.0.1", silent.port, false, "", milliseconds(200)}).error().code,
            Errc::timeout);
  std::unique_ptr<Stream> server;
  auto listener = listen(loop, "127.0.0.2", silent.port,
                         [&](std::unique_ptr<Stream> accepted) { server = std::move(accepted); });
  ASSERT_TRUE(listener.has_value()) << to_string(listener.error());
  auto client = dial({"shop.example", silent.port, false, "", seconds(3)}, two);
  ASSERT_TRUE(client.has_value()) << to_string(client.error());
  Collect heard;
  (*client)->start(heard);
  run_until([&] { return server != nullptr; });
  server->write(to_bytes(std::string_view("hello")));
  run_until([&] { return !heard.got.empty(); });
  EXPECT_EQ(as_text(heard.got), "hello");
}

TEST_F(TwoAddresses, SaysWhyTheLastOneWasNotReached) {
  const SilentPort silent;
  EXPECT_EQ(dial({"shop.example", silent.port, false, "", milliseconds(1500)}, two).error().code,
            Errc::refused);
}

/// A proxy that answers the first bytes of each connection with `answer`.
struct OneProxy final : Stream::Handler {
  void on_data(ByteView data) override {
    heard += as_text(data);
    if (heard.ends_with("\r\n\r\n")) stream->write(to_bytes(answer));
  }
  void on_closed(Error) override {}
  std::string answer;
  std::string heard;
  std::unique_ptr<Stream> stream;
};

class ThroughProxy : public Net {
 protected:
  Result<std::unique_ptr<Stream>> dial_through(const std::string& host, const std::string& answer) {
    proxy.answer = answer;
    auto listening = listen(loop, "127.0.0.1", 0, [this](std::unique_ptr<Stream> accepted) {
      proxy.stream = std::move(accepted);
      proxy.stream->start(proxy);
    });
    through = std::make_unique<NetDialer>(
        loop, worker, random, [] { return true; },
        Proxy{"127.0.0.1", (*listening)->port(), "till", "s:cret"});
    return dial({host, 443, false, "", seconds(5)}, *through);
  }
  OneProxy proxy;
  std::unique_ptr<NetDialer> through;
};

TEST_F(ThroughProxy, AsksToBeLetThroughAndThenSpeaksToTheOtherEnd) {
  auto client = dial_through("shop.example", "HTTP/1.1 200 Connection established\r\n\r\n");
  ASSERT_TRUE(client.has_value()) << to_string(client.error());
  EXPECT_EQ(proxy.heard,
            "CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n"
            "Proxy-Authorization: Basic dGlsbDpzOmNyZXQ=\r\n\r\n");
  Collect collect;
  (*client)->start(collect);
  proxy.stream->write(to_bytes("hello"));
  run_until([&] { return !collect.got.empty(); });
  EXPECT_EQ(as_text(collect.got), "hello");
}

TEST_F(ThroughProxy, SaysThatTheProxyRefused) {
  const auto client =
      dial_through("shop.example", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, Errc::refused);
  EXPECT_NE(client.error().detail.find("407"), std::string::npos);
}

TEST_F(ThroughProxy, LoopbackIsReachedWithoutIt) {
  EXPECT_FALSE(dial_through("127.0.0.1", "HTTP/1.1 200 OK\r\n\r\n").has_value());
  EXPECT_EQ(proxy.heard, "");
}

class Tls : public Net {
 protected:
  Result<std::unique_ptr<Stream>> dial_tls(const std::string& name, const char* from,
                                           const char* to, bool trust = true) {
    identity.reset();  // it removes the file of the same name
    identity = std::make_unique<Identity>(random, name, from, to);
    auto listening = listen(loop, "127.0.0.1", 0, [this](std::unique_ptr<Stream> accepted) {
      echo = std::make_unique<TlsEcho>(std::move(accepted), *identity, random);
    });
    Endpoint endpoint{"localhost", (*listening)->port(), true, identity->file, seconds(5)};
    if (!trust) endpoint.tls_ca_file.clear();
    return dial(endpoint);
  }
  std::unique_ptr<Identity> identity;
  std::unique_ptr<TlsEcho> echo;
};

TEST_F(Tls, TalksToAServerWithATrustedCertificate) {
  auto client = dial_tls("localhost", "20200101000000", "20991231235959");
  ASSERT_TRUE(client.has_value()) << to_string(client.error());
  Collect collect;
  (*client)->start(collect);
  (*client)->write(Bytes(100'000, std::byte{'a'}));
  run_until([&] { return collect.got.size() == 100'000; });
  EXPECT_EQ(collect.got, Bytes(100'000, std::byte{'A'}));
  echo.reset();
  run_until([&] { return collect.closed.has_value(); });
  EXPECT_TRUE(collect.closed.has_value());
}

TEST_F(Tls, RefusesAWrongName) {
  EXPECT_EQ(dial_tls("elsewhere", "20200101000000", "20991231235959").error().code, Errc::crypto);
}

TEST_F(Tls, RefusesAnUnknownIssuer) {
  const auto client = dial_tls("localhost", "20200101000000", "20991231235959", false);
  EXPECT_EQ(client.error().code, Errc::crypto);
}

TEST_F(Tls, RefusesACertificateOfTheFutureUnlessTheClockIsNotPlausible) {
  EXPECT_EQ(dial_tls("localhost", "20900101000000", "20991231235959").error().code, Errc::crypto);
  clock_plausible = false;
  const auto client = dial_tls("localhost", "20900101000000", "20991231235959");
  EXPECT_TRUE(client.has_value()) << to_string(client.error());
}

}  // namespace
}  // namespace posthorn::net
