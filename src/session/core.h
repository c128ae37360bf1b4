#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/session/session.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/store/store.h"
#include "session/account_watch.h"
#include "session/back_off.h"
#include "session/connection.h"
#include "session/credentials.h"
#include "session/drain.h"
#include "session/hearing.h"
#include "session/keepalive.h"
#include "session/pairing.h"
#include "session/payload.h"
#include "session/prekeys.h"
#include "session/questions.h"
#include "session/stop_rules.h"
#include "session/target.h"
#include "session/trouble.h"
#include "session/version_finder.h"

namespace posthorn::session {

/// What a person does while no account is linked.
inline constexpr auto kLinkIt =
    "Link the shop's phone: run \"posthornctl pair\" and scan the QR code with it.";

/// The session: one state machine around Connection. What it is about:
/// core_connect.cpp (when to connect, and when again), core_linking.cpp (being linked, and being so
/// no more), core_stops.cpp (the server's refusals, and standing still after them), core_login.cpp
/// (from <success> to online, and watching that it stays so), core_stanzas.cpp (where each stanza
/// goes).
class Core final : public Session,
                   private Connection::Handler,
                   private Questions::Watcher,
                   private Pairing::Host {
 public:
  Core(const WhatsAppConfig& config, Outside outside, EventSink sink);
  ~Core() override;

  void join(Listener& listener) override { listener_ = &listener; }
  void start() override;
  void stop() override;

  // Linking
  [[nodiscard]] const StateChanged& state() const override { return state_; }
  [[nodiscard]] Account account() const override;
  [[nodiscard]] std::optional<std::string> qr() override;
  void request_link_code(const std::string& phone, Once<void(Result<std::string>)> done) override;
  [[nodiscard]] Passkey passkey() const override { return pairing_.passkey().passkey(); }
  void answer_passkey(const std::string& response, Once<void(Result<void>)> done) override;
  void confirm_passkey(Codes codes, Once<void(Result<void>)> done) override;
  void log_out(Once<void(Result<void>)> done) override;
  void reconnect() override;

  // Line
  [[nodiscard]] bool online() const override { return state_.state == State::online; }
  [[nodiscard]] const Identity& identity() const override {
    return credentials_.current().identity;
  }
  void write(wire::Node stanza) override;
  void ask(wire::Node iq, milliseconds timeout, Once<void(Result<wire::Node>)> done) override;
  void await_ack(const std::string& id, milliseconds timeout,
                 Once<void(Result<wire::Node>)> done) override;
  void restrict(Restriction restriction) override;
  void drop(Error why) override;

 private:
  /// An ack that waits until what its stanza meant is on disk, 5 s at most.
  struct OwedAck {
    OwedAck(Scheduler& scheduler, wire::Node a) : ack(std::move(a)), timer(scheduler) {}
    wire::Node ack;
    Timer timer;
  };
  /// Losses right after the login or the handshake; several in a short time mean something.
  struct AbruptCloses {
    std::deque<Mono> at;       ///< at most kAbruptCloses
    std::optional<Mono> told;  ///< what that means holds for kPause
    [[nodiscard]] bool too_many(Mono now);
  };

  // core_connect.cpp
  void begin();
  void enter(StateChanged next);
  void enter(State state) { enter(StateChanged{state, 0, {}, {}, {}}); }
  void connect();
  void connect_in(milliseconds wait);
  bool must_rest();
  Result<Bytes> client_payload();
  std::optional<wire::Key32> resumable_key() const;
  void on_dialled() override;
  void on_open(const std::optional<wire::ServerCertificate>& certificate) override;
  void on_lost(Error why) override;
  void go_off_line(const Error& why);
  [[nodiscard]] Reached reached() const;
  void back_off(const Error& why, Reached reached);
  void wait_for_storage(const Trouble& trouble);
  void note_loss(const Error& why);
  void note_abrupt_close(AbruptCloses& closes, Mono now);
  void close_connection(const Error& why);
  void save_credentials();
  [[nodiscard]] Version version() const { return versions_.version(); }

  // core_linking.cpp
  enum class Asked : std::uint8_t { by_looking, on_purpose };
  void start_pairing(Asked asked);
  void want_pairing();
  bool pairing_wanted() const;
  void after_disconnect(const Error& why, Reached reached, bool passkey_open);
  void forget_account();
  // Pairing::Host
  void write_pairing(wire::Node stanza) override { connection_.write(stanza); }
  void on_paired() override;
  void on_round_over() override;
  void on_passkey() override;
  void on_pairing_failed(std::string cause, std::string what_to_do, Again again) override;

  // core_stops.cpp
  void remember_missed_ack(const wire::Node& missed);
  void on_stop_stanza(const wire::Node& stanza);
  void apply_stop(const Stop& stop, const wire::Node& stanza);
  void look_for_version(StateChanged refused);
  milliseconds wait_after_replaced();
  void announce_stop(const Stop& stop, const wire::Node& stanza, std::optional<Wall> until);
  void stand_still(StateChanged next, std::optional<milliseconds> retry_after, int attempts = 0);
  void resume_standstill(const Standstill& standstill);
  void end_standstill();

  // core_login.cpp
  void on_success(const wire::Node& success);
  void take_success_facts(const wire::Node& success);
  void take_certificate();
  void send_active(int attempt);
  void on_drained(std::uint64_t missing);
  void maybe_online();
  void after_login();
  void next_chore();
  void ask_props();
  void ping();
  bool on_ping_answer(const wire::Node& iq);
  void check_hearing();
  void on_question_answered() override { hearing_.on_question_answered(); }
  void on_question_timed_out() override;
  void on_ack_arrived() override { hearing_.on_ack_arrived(); }
  void on_ack_timed_out() override;

  // core_stanzas.cpp
  void on_stanza(wire::Node stanza) override;
  void hold_back();
  void look_again();
  void on_iq(const wire::Node& iq);
  void on_ack(const wire::Node& ack);
  void on_ib(const wire::Node& ib);
  void on_dirty(const wire::Node& ib, const wire::Node& dirty);
  void on_expiration(const wire::Node& expiration);
  void on_notification(wire::Node notification);
  void on_call(wire::Node call);
  void on_takeover_notice(const wire::Node& notification);
  /// Runs `effect`, and acks the stanza when it says that it has settled, after 5 s at the latest.
  void ack_later(const wire::Node& stanza, Function<void(Once<void()> settled)> effect);
  void settle(std::uint64_t owed);
  void on_account_news(wire::Node notification, Once<void()> settled);
  void note_rate_limit(const wire::Node& iq);
  /// Something a person should do while all goes on: shown with the state `online`.
  void advise(std::string cause, std::string what_to_do, std::optional<Wall> until = {});

  WhatsAppConfig config_;
  Outside out_;
  EventSink sink_;
  Result<Target> target_;
  signal::Protocol protocol_;
  CredentialStore credentials_;
  Connection connection_;
  Questions questions_;
  Keepalive keepalive_;
  Hearing hearing_;
  OfflineDrain drain_;
  AccountWatch account_watch_;
  PreKeyKeeper prekeys_;
  Pairing pairing_;
  VersionFinder versions_;
  Listener* listener_ = nullptr;  ///< there from join() on

  StateChanged state_;
  BackOff back_off_;
  Timer retry_timer_;
  Timer stable_timer_;
  Timer restart_timer_;
  Timer greeting_timer_;
  Timer pause_timer_;
  Timer chore_timer_;
  Timer hearing_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< shared with the disk's answers
  bool running_ = false;
  std::optional<Wall> account_made_;
  bool logged_in_ = false;  ///< <success> of a linked account was seen on this connection
  bool active_ = false;     ///< the server took <active/>
  bool drained_ = false;
  bool resumed_attempt_ = false;  ///< this connection tried IK
  bool used_routing_ = false;
  bool dialled_ = false;       ///< this connection has reached the other end
  bool opened_ = false;        ///< Noise is done on this connection
  bool registering_ = false;   ///< this connection introduced itself without an account
  bool stream_ended_ = false;  ///< the server has said that it ends this one
  bool logging_out_ = false;
  bool standing_still_ = false;  ///< the record on disk says so
  std::optional<wire::ServerCertificate> certificate_;
  std::optional<Mono> pairing_wanted_until_;
  int pairing_rounds_ = 0;  ///< in a row that nobody used
  std::optional<Mono> pairing_rests_until_;
  std::optional<Mono> restarted_at_;
  std::optional<Mono> replaced_at_;
  unsigned replaced_in_a_row_ = 0;
  std::optional<Mono> success_at_;
  AbruptCloses abrupt_logins_;
  AbruptCloses abrupt_handshakes_;
  int chore_ = 0;
  StateChanged advice_{State::online, 0, {}, {}, {}};
  std::string ping_id_;
  std::uint64_t next_owed_ = 0;
  std::map<std::uint64_t, OwedAck> owed_acks_;
  std::vector<wire::Node> missed_acks_;  ///< the server missed them: after the next login
};

}  // namespace posthorn::session
