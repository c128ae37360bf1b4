#include "fleet/mosquitto_broker.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "posthorn/base/guard.h"
#include "posthorn/base/log.h"

namespace posthorn::fleet {

namespace {

constexpr int kReceiveMaximum = 20;
/// What the broker may send us at most; said when we connect. What comes in spite of it is held by
/// the process's own memory limit (main.cpp).
constexpr std::uint32_t kPacketAtMost = 128 * 1024;
constexpr std::uint32_t kSessionSeconds = 7 * 24 * 3600;
constexpr seconds kTick{1};
constexpr seconds kPatience{40};

struct Properties {
  Properties() = default;
  Properties(const Properties&) = delete;
  Properties& operator=(const Properties&) = delete;
  ~Properties() { mosquitto_property_free_all(&list); }
  mosquitto_property* list = nullptr;
};

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

std::string text_property(const mosquitto_property* list, int which) {
  char* value = nullptr;
  std::string out;
  if (mosquitto_property_read_string(list, which, &value, false) != nullptr && value != nullptr) {
    out = value;
  }
  std::free(value);
  return out;
}

std::string binary_property(const mosquitto_property* list, int which) {
  void* value = nullptr;
  std::uint16_t length = 0;
  std::string out;
  if (mosquitto_property_read_binary(list, which, &value, &length, false) != nullptr &&
      value != nullptr) {
    out.assign(static_cast<const char*>(value), length);
  }
  std::free(value);
  return out;
}

Loss loss_of(int status) {
  switch (status) {
    case MOSQ_ERR_TLS:
    case MOSQ_ERR_TLS_HANDSHAKE:
    case MOSQ_ERR_INVAL:
      return Loss::certificate;
    case MOSQ_ERR_EAI:
    case MOSQ_ERR_ERRNO:
    case MOSQ_ERR_CONN_REFUSED:
      return Loss::unreachable;
    default:
      return Loss::broken;
  }
}

}  // namespace

/// One connection's client, with what its callbacks have said and nobody has looked at yet: they
/// come inside libmosquitto's calls.
class MosquittoBroker::Client {
 public:
  struct News {
    enum class Kind : std::uint8_t { connected, refused, ended, acknowledged, message } kind;
    int value = 0;
    bool taken = true;
    Incoming message{};
  };

  explicit Client(const Options& options)
      : options_(options), context_(SSL_CTX_new(TLS_client_method())) {
    mosq = mosquitto_new(options.client_id.c_str(), false, this);
    if (mosq == nullptr) return;
    mosquitto_connect_v5_callback_set(
        mosq, [](mosquitto*, void* self, int code, int, const mosquitto_property*) {
          const auto kind = code == 0 ? News::Kind::connected : News::Kind::refused;
          static_cast<Client*>(self)->add({kind, code});
        });
    mosquitto_disconnect_v5_callback_set(
        mosq, [](mosquitto*, void* self, int code, const mosquitto_property*) {
          static_cast<Client*>(self)->add({News::Kind::ended, code});
        });
    mosquitto_publish_v5_callback_set(
        mosq, [](mosquitto*, void* self, int id, int reason, const mosquitto_property*) {
          const bool taken = reason < MQTT_RC_UNSPECIFIED;
          static_cast<Client*>(self)->add({News::Kind::acknowledged, id, taken});
        });
    mosquitto_message_v5_callback_set(mosq, [](mosquitto*, void* self, const mosquitto_message* m,
                                               const mosquitto_property* properties) {
      guarded("fleet message", [&] { static_cast<Client*>(self)->add_message(*m, properties); });
    });
    mosquitto_log_callback_set(mosq, [](mosquitto*, void* self, int level, const char* line) {
      if (level == MOSQ_LOG_ERR) static_cast<Client*>(self)->said = line;
    });
  }
  ~Client() {
    if (mosq != nullptr) mosquitto_destroy(mosq);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Everything before the connection. Errors: crypto (certificate files), io.
  Result<void> prepare(const Publication& will) {
    if (mosq == nullptr || !context_) return fail(Errc::io, "libmosquitto cannot start");
    mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(mosq, MOSQ_OPT_RECEIVE_MAXIMUM, kReceiveMaximum);
    mosquitto_int_option(mosq, MOSQ_OPT_SEND_MAXIMUM, kReceiveMaximum);
    mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
    TRY(prepare_tls());
    mosquitto_int_option(mosq, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option(mosq, MOSQ_OPT_SSL_CTX, context_.get());
    Properties properties;
    const auto delay = static_cast<std::uint32_t>(options_.will_delay.count());
    mosquitto_property_add_int32(&properties.list, MQTT_PROP_WILL_DELAY_INTERVAL, delay);
    // The library frees the list when it takes it.
    mosquitto_property* given = std::exchange(properties.list, nullptr);
    if (mosquitto_will_set_v5(mosq, will.topic.c_str(), static_cast<int>(will.payload.size()),
                              will.payload.data(), will.qos, will.retain,
                              given) != MOSQ_ERR_SUCCESS) {
      return fail(Errc::malformed, "the will cannot be set");
    }
    return {};
  }

  /// Name lookup and TCP, which block: on a thread of the pool, where nobody else touches this.
  int dial() {
    Properties properties;
    mosquitto_property_add_int32(&properties.list, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                 kSessionSeconds);
    mosquitto_property_add_int32(&properties.list, MQTT_PROP_MAXIMUM_PACKET_SIZE, kPacketAtMost);
    mosquitto_property_add_int16(&properties.list, MQTT_PROP_RECEIVE_MAXIMUM, kReceiveMaximum);
    const int status = mosquitto_connect_bind_v5(mosq, options_.host.c_str(), options_.port,
                                                 static_cast<int>(options_.keep_alive.count()),
                                                 nullptr, properties.list);
    // Its number for "see errno", which is of this thread.
    if (status == MOSQ_ERR_ERRNO) said = std::strerror(errno);
    return status;
  }

  mosquitto* mosq = nullptr;
  std::deque<News> news;
  std::string said;     ///< the library's last error, for people
  std::string verdict;  ///< why the broker is not believed

  /// For people: what it was, as exactly as anybody said it.
  [[nodiscard]] std::string words(std::string_view status) const {
    if (!verdict.empty()) return verdict;
    if (status.empty() || said.empty()) return status.empty() ? said : std::string(status);
    return std::string(status) + " " + said;
  }

 private:
  void add(News one) {
    guarded("fleet broker", [&] { news.push_back(std::move(one)); });
  }
  /// All of TLS is ours: with the defaults of libmosquitto 2.0.11 on a context that it was given,
  /// its own check of the host's name refuses every server.
  Result<void> prepare_tls() {
    SSL_CTX* context = context_.get();
    X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
    if (!options_.clock_plausible()) X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_NO_CHECK_TIME);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_app_data(context, this);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_verdict);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    const std::string& host = options_.host;
    if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) != 1 &&
        X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) != 1) {
      return fail(Errc::malformed, "no name of a host: " + host);
    }
    const auto [certificate, key] = options_.files();
    if (SSL_CTX_load_verify_locations(context, options_.ca_file.c_str(), nullptr) != 1) {
      return fail(Errc::crypto, options_.ca_file + ": no authority can be read");
    }
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
      return fail(Errc::crypto, certificate + " and " + key + ": cannot be read, or do not fit");
    }
    if (options_.alpn.empty()) return {};
    const std::string list = static_cast<char>(options_.alpn.size()) + options_.alpn;
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()));
    return {};
  }
  /// Keeps OpenSSL's own words for why it does not believe the broker.
  static int note_verdict(int believed, X509_STORE_CTX* store) {
    if (believed == 1) return 1;
    auto* ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* self = static_cast<Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    guarded("fleet broker", [&] {
      self->verdict = std::string("the broker's certificate: ") +
                      X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
    });
    return 0;
  }
  void add_message(const mosquitto_message& m, const mosquitto_property* properties) {
    News one{News::Kind::message};
    one.message.topic = m.topic;
    one.message.payload.assign(static_cast<const char*>(m.payload),
                               static_cast<std::size_t>(m.payloadlen));
    one.message.retained = m.retain;
    one.message.response_topic = text_property(properties, MQTT_PROP_RESPONSE_TOPIC);
    one.message.correlation = binary_property(properties, MQTT_PROP_CORRELATION_DATA);
    news.push_back(std::move(one));
  }

  const Options options_;
  std::unique_ptr<SSL_CTX, ContextFree> context_;
};

MosquittoBroker::MosquittoBroker(loop::Loop& loop, Worker& worker, Options options)
    : loop_(loop), worker_(worker), options_(std::move(options)), tick_(loop), patience_(loop) {
  mosquitto_lib_init();
}

MosquittoBroker::~MosquittoBroker() {
  alive_.end();
  poll_.reset();
  client_.reset();
  mosquitto_lib_cleanup();
}

void MosquittoBroker::connect(const Publication& will, Listener& listener) {
  listener_ = &listener;
  auto client = std::make_shared<Client>(options_);
  client_ = client;
  connected_ = false;
  if (auto ready = client->prepare(will); !ready) {
    const Loss why = ready.error().code == Errc::crypto ? Loss::certificate : Loss::broken;
    loop_.post(alive_.bind([this, why, client, detail = ready.error().detail] {
      if (client == client_) lose(why, detail);
    }));
    return;
  }
  begin(client);
}

void MosquittoBroker::begin(std::shared_ptr<Client> client) {
  dialling_ = true;
  run_on<int>(
      worker_, [client] { return client->dial(); },
      alive_.bind([this, client](int status) { on_dialled(client, status); }));
}

void MosquittoBroker::on_dialled(const std::shared_ptr<Client>& client, int status) {
  dialling_ = false;
  if (client != client_) return;
  if (status != MOSQ_ERR_SUCCESS) {
    const bool system = status == MOSQ_ERR_ERRNO;
    return lose(loss_of(status), client->words(system ? "" : mosquitto_strerror(status)));
  }
  watch();
  tick();
  patience_.start(kPatience, [this] { lose(Loss::unreachable, "the broker does not answer"); });
}

void MosquittoBroker::watch() {
  if (!client_) return;
  const int socket = mosquitto_socket(client_->mosq);
  if (socket < 0) return;
  const int wanted =
      loop::Poll::readable | (mosquitto_want_write(client_->mosq) ? loop::Poll::writable : 0);
  if (!poll_) {
    poll_ =
        std::make_unique<loop::Poll>(loop_, socket, wanted, [this](int events) { turn(events); });
  } else {
    poll_->watch(wanted);
  }
}

void MosquittoBroker::turn(int events) {
  const auto client = client_;
  if (!client) return;
  int status = MOSQ_ERR_SUCCESS;
  if ((events & loop::Poll::readable) != 0) {
    status = mosquitto_loop_read(client->mosq, kReceiveMaximum);
  }
  if (status == MOSQ_ERR_SUCCESS && client == client_ && mosquitto_want_write(client->mosq)) {
    status = mosquitto_loop_write(client->mosq, kReceiveMaximum);
  }
  after_call(status);
}

void MosquittoBroker::tick() {
  tick_.start(kTick, [this] {
    if (!client_) return;
    const int status = mosquitto_loop_misc(client_->mosq);
    tick();
    after_call(status);
  });
}

/// What the callbacks noted during a call is told after it, when our own state is right.
void MosquittoBroker::after_call(int status) {
  const auto client = client_;
  if (!client) return;
  while (client == client_ && !client->news.empty()) {
    Client::News one = std::move(client->news.front());
    client->news.pop_front();
    switch (one.kind) {
      case Client::News::Kind::connected:
        patience_.stop();
        connected_ = true;
        listener_->on_connected();
        break;
      case Client::News::Kind::refused:
        lose(Loss::refused, mosquitto_reason_string(one.value));
        break;
      case Client::News::Kind::ended: {
        if (one.value == MQTT_RC_SESSION_TAKEN_OVER) {
          lose(Loss::taken_over, "another client has our identity");
        } else {
          lose(connected_ ? Loss::broken : loss_of(one.value),
               client->words(one.value < 128 ? mosquitto_strerror(one.value)
                                             : mosquitto_reason_string(one.value)));
        }
        break;
      }
      case Client::News::Kind::acknowledged:
        listener_->on_acknowledged(one.value, one.taken);
        break;
      case Client::News::Kind::message:
        listener_->on_message(one.message);
        break;
    }
  }
  if (client != client_) return;
  if (status != MOSQ_ERR_SUCCESS && status != MOSQ_ERR_NO_CONN) {
    const Loss why = connected_ ? Loss::broken : loss_of(status);
    return lose(why, client->words(mosquitto_strerror(status)));
  }
  if (mosquitto_socket(client->mosq) < 0) return lose(Loss::broken, "the connection is gone");
  watch();
}

void MosquittoBroker::lose(Loss why, const std::string& detail) {
  tick_.stop();
  patience_.stop();
  poll_.reset();
  const auto dead = std::exchange(client_, nullptr);
  connected_ = false;
  // In a later turn: we may stand inside a call of the library for this client.
  loop_.post([dead] {});
  if (listener_ != nullptr) listener_->on_lost(why, detail);
}

void MosquittoBroker::stop() {
  tick_.stop();
  patience_.stop();
  poll_.reset();
  const auto client = std::exchange(client_, nullptr);
  if (!client || dialling_) return;
  if (connected_) {
    // What was just published goes out before the goodbye; the socket takes that much at once.
    mosquitto_disconnect_v5(client->mosq, 0, nullptr);
    for (int i = 0; i < 50 && mosquitto_want_write(client->mosq); ++i) {
      if (mosquitto_loop_write(client->mosq, kReceiveMaximum) != MOSQ_ERR_SUCCESS) break;
    }
  }
  connected_ = false;
}

Result<int> MosquittoBroker::publish(const Publication& publication) {
  if (!client_ || !connected_) return fail(Errc::disconnected, "no connection to the broker");
  Properties properties;
  if (publication.sequence) {
    mosquitto_property_add_string_pair(&properties.list, MQTT_PROP_USER_PROPERTY, "seq",
                                       std::to_string(*publication.sequence).c_str());
  }
  if (publication.expiry > seconds(0)) {
    mosquitto_property_add_int32(&properties.list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                 static_cast<std::uint32_t>(publication.expiry.count()));
  }
  if (!publication.correlation.empty()) {
    mosquitto_property_add_binary(&properties.list, MQTT_PROP_CORRELATION_DATA,
                                  publication.correlation.data(),
                                  static_cast<std::uint16_t>(publication.correlation.size()));
  }
  int id = 0;
  const int status = mosquitto_publish_v5(
      client_->mosq, &id, publication.topic.c_str(), static_cast<int>(publication.payload.size()),
      publication.payload.data(), publication.qos, publication.retain, properties.list);
  if (status != MOSQ_ERR_SUCCESS) {
    const bool gone = status == MOSQ_ERR_NO_CONN || status == MOSQ_ERR_CONN_LOST;
    return fail(gone ? Errc::disconnected : Errc::malformed, mosquitto_strerror(status));
  }
  watch();
  return id;
}

Result<void> MosquittoBroker::subscribe(const std::vector<Subscription>& wanted) {
  if (!client_ || !connected_) return fail(Errc::disconnected, "no connection to the broker");
  for (const Subscription& one : wanted) {
    const int options =
        MQTT_SUB_OPT_RETAIN_AS_PUBLISHED |
        (one.retained ? MQTT_SUB_OPT_SEND_RETAIN_ALWAYS : MQTT_SUB_OPT_SEND_RETAIN_NEVER);
    const int status =
        mosquitto_subscribe_v5(client_->mosq, nullptr, one.filter.c_str(), 1, options, nullptr);
    if (status != MOSQ_ERR_SUCCESS) return fail(Errc::io, mosquitto_strerror(status));
  }
  watch();
  return {};
}

}  // namespace posthorn::fleet
