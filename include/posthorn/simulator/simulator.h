#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/once.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/simulator/fault.h"
#include "posthorn/simulator/media_rule.h"
#include "posthorn/wire/channel.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

/// The other end of the wire: WhatsApp's server, the phones of its accounts and scripted customers,
/// for any client. The server part relays ciphertext and never opens it; only the virtual devices
/// (the phone of every account, the customers) hold Signal keys.
/// Source: protocol chapter 13 part B.
namespace posthorn::simulator {

class World;
class Control;

struct Options {
  std::uint64_t seed = 1;  ///< phone numbers and LIDs; keys come from the Random given
  wire::ChainFlaw chain_flaw = wire::ChainFlaw::none;  ///< for clients that must refuse
  bool allow_resume = true;            ///< false: Noise IK hellos are answered with XXfallback
  std::size_t journal_limit = 20'000;  ///< stanzas kept; the oldest go first
  std::array<std::uint32_t, 3> minimum_version{2, 2000, 0};  ///< older clients get failure 405
  bool omit_unknown_prekeys = false;  ///< leave unknown devices out of prekey answers (no <error>)
  bool lid_addressing = true;  ///< relayed 1:1 messages name senders by LID, unless an account is
                               ///< not migrated (else by PN)
  bool compress = false;       ///< deflate every stanza sent
  wire::ServerChannel::Framing framing = wire::ServerChannel::Framing::one_per_message;
  bool offline_strict = false;    ///< nothing after the primer without <offline_batch>
  milliseconds restart_after{0};  ///< from the signed identity to <stream:error code="515"/>
  seconds silence_limit{180};     ///< connections silent for longer are dropped
};

/// What the phone puts wrong in pair-success, for clients that must refuse to be linked.
enum class LinkFlaw : std::uint8_t {
  none,
  hmac,               ///< made with another secret than the QR code's
  account_signature,  ///< by another key than the account's
  other_identity,     ///< signature over another companion's identity key
};

/// What goes wrong between the scan and pair-success of an account with a passkey.
enum class PasskeyFlaw : std::uint8_t {
  none,
  options_missing,   ///< the question comes without options; they are given when asked for
  options_damaged,   ///< the same with options that are no JSON
  options_withheld,  ///< missing, and refused when asked for
  stranger_asks,     ///< another question follows that is not the server's
  secret_retired,    ///< companion_reg_refresh while the owner is busy
  new_refs,          ///< pair-device again while the owner is busy
  bare_code_notice,  ///< a link-code notification without keys while the owner is busy
  answer_refused,    ///< the first assertion, though it is right
  phone_first,       ///< the phone's keys come before the prologue's result
  phone_twice,       ///< they come twice, with other keys
  phone_silent,      ///< they never come
  short_key,
  short_nonce,
  zero_key,
  nonce_refused,
  request_refused,
  success_first,  ///< pair-success comes before the request's result
  no_success,     ///< it never comes
  old_secret,     ///< it is made with the secret of before
};

/// What a browser puts wrong in its answer.
enum class AssertionFlaw : std::uint8_t {
  none,
  challenge,
  origin,
  rp_id,
  flags,  ///< the user was not verified
  signature,
  credential,
};

/// What add_account makes; every field may stay empty.
struct NewAccount {
  std::string phone;  ///< digits; empty: the next free one
  std::string name;   ///< push name; empty: "Phone …" and the last digits
};

struct AccountInfo {
  wire::Jid pn;  ///< without device
  wire::Jid lid;
  std::string name;
};

/// One stanza that passed the server, decoded.
struct JournalEntry {
  std::uint64_t sequence = 0;
  enum class Direction : std::uint8_t {
    in,
    out
  } direction = Direction::in;   ///< seen by the server
  std::uint64_t connection = 0;  ///< 0: a virtual device
  std::string device;            ///< PN form with device; empty before login
  Wall at;
  wire::Node node;
};

/// Something a client did that the real server would refuse or that breaks the protocol.
struct Violation {
  std::uint64_t connection = 0;
  std::string device;
  std::string what;
  Wall at;
};

/// A message that a virtual device decrypted.
struct Received {
  std::uint64_t sequence = 0;
  std::string id;
  std::string chat;          ///< PN or LID user of the other side, as the stanza named it
  std::string sender;        ///< the device that wrote it, PN form
  std::uint16_t device = 0;  ///< which device of the account decrypted it
  bool from_me = false;      ///< copy of what another device of this account sent
  std::string kind;          ///< "text", "edit", "revoke", "key_share_request", a PeerFile's kind,
                             ///< "location", "contacts", "poll", "reaction", "other"
  std::string text;          ///< plain text of text and edit
  std::string target_id;     ///< of edit, revoke and quoted messages
  std::string enc_type;      ///< "pkmsg" or "msg"
  Bytes protobuf;            ///< the whole Message, unpadded
  Wall at;
  /// What the media host had for the message's file; nullopt: nothing, or it could not be opened
  /// with what the message says.
  struct File {
    std::uint64_t size = 0;
    std::string sha256;  ///< hex
  };
  std::optional<File> file;
};

/// A text that a customer or a phone sends.
struct PeerText {
  std::string to;  ///< phone digits, or a PN or LID JID
  std::string text;
  std::uint16_t from_device = 0;
  std::string id;         ///< empty: made here
  std::string quoted_id;  ///< answers this message (of quoted_sender's, empty: of `to`)
  std::string quoted_text;
  std::string edit_of;      ///< replaces the text of this earlier message
  std::string revoke_of;    ///< deletes this earlier message for everyone; text is not used
  std::string reaction_to;  ///< text is a reaction to this message of `to`'s; empty: taken back
  Bytes content;            ///< a serialised Message instead of a text; empty: none
  /// A vote in this poll, which the peer has received or sent, for `options`; none: withdrawn.
  std::string vote_in;
  std::vector<std::string> options;
  bool extended = false;    ///< extendedTextMessage instead of conversation
  bool tamper = false;      ///< flips a bit of the ciphertext: the receiver must ask again
  bool tamper_all = false;  ///< the resends too
  /// Companions get <unavailable> of this type instead of the text ("none": without a type); phones
  /// get it and give it away when asked. Empty: everybody gets it.
  std::string unavailable;
};

/// A file that a customer or a phone sends: encrypted here, put on the media host's shelf.
struct PeerFile {
  std::string to;
  std::string kind =
      "document";  ///< image, video, gif, video_note, audio, voice, document, sticker
  Bytes bytes;
  std::string mime, name, caption;
  std::uint16_t from_device = 0;
  std::string id;  ///< empty: made here
  std::uint32_t seconds = 0, width = 0, height = 0;
  Bytes thumbnail;
  bool view_once = false;
  bool lies = false;  ///< says another SHA-256 of the file than it has
};

/// A message of earlier days that a phone keeps.
struct OldMessage {
  std::string chat;  ///< phone digits or a JID
  std::string id;    ///< empty: made here
  bool from_me = false;
  std::string text;
  std::int64_t at = 0;  ///< unix seconds
};

/// What the media host answers; bytes or text.
struct MediaAnswer {
  int status = 200;
  std::string text;                        ///< JSON
  std::shared_ptr<const Bytes> bytes;      ///< of a file; shared: while it is sent
  std::optional<std::uint64_t> cut_after;  ///< the connection breaks after so many bytes
};

/// What a virtual peer does by itself with what it receives.
struct PeerScript {
  std::optional<milliseconds> reply_after;  ///< answers `reply_text` ("%s": the text it got)
  std::string reply_text = "echo: %s";
  std::optional<milliseconds> read_after;
  bool deliver = true;  ///< sends delivery receipts
  bool retry = true;    ///< asks again for what it cannot decrypt
};

class Simulator {
 public:
  /// scheduler and random outlive the simulator. Keys, refs and ids come from random.
  Simulator(Scheduler& scheduler, Random& random, Options options = {});
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;
  ~Simulator();

  /// A client's fresh connection: HTTP upgrade, WebSocket, Noise, stanzas.
  void accept(std::unique_ptr<Stream> stream);
  /// What clients must pin instead of WhatsApp's root.
  [[nodiscard]] const crypto::Key32& root_key() const;
  [[nodiscard]] Wall now() const;

  // Accounts and linking.
  AccountInfo add_account(const NewAccount& account = {});
  [[nodiscard]] std::optional<AccountInfo> account(std::string_view phone_or_jid) const;
  /// The phone scans a QR code (with or without the URL before '#'). account: phone digits; empty:
  /// a new account. done: the new device (PN form) once the client has signed, or: malformed,
  /// not_found (no connection shows this code), refused (the client said no), disconnected.
  void scan(std::string_view qr, std::string_view account, Once<void(Result<wire::Jid>)> done,
            LinkFlaw flaw = LinkFlaw::none);
  /// Gives the account a passkey, so that linking asks for it, or takes it away (nullopt).
  Result<void> set_passkey(std::string_view account, std::optional<PasskeyFlaw> flaw);
  /// What a browser answers after the phone has confirmed: PublicKeyCredential.toJSON().
  Result<json::Value> passkey_answer(std::string_view account, const json::Value& options,
                                     AssertionFlaw flaw = AssertionFlaw::none);
  /// How far the last linking with the passkey has come, as server and phone see it.
  struct PasskeySeen {
    std::string stage;  ///< "asked", "answered", "compared", "requested"; empty: none yet
    std::string code;   ///< that the phone shows
    bool handoff_proof = false;
  };
  [[nodiscard]] Result<PasskeySeen> passkey_seen(std::string_view account) const;
  /// The account's owner types a link code on the phone.
  void type_link_code(std::string_view account, std::string_view code,
                      Once<void(Result<wire::Jid>)> done);
  /// The phone unlinks a device: device list, then conflict device_removed.
  Result<void> unlink(const wire::Jid& device);
  /// Breaks the device's connection without a word.
  Result<void> drop(const wire::Jid& device);
  [[nodiscard]] bool connected(const wire::Jid& device) const;

  // Virtual customers and phones (device 0 and companions added by add_companion).
  Result<std::string> peer_send(std::string_view account, const PeerText& text);
  Result<std::string> peer_send(std::string_view account, const PeerFile& file);
  Result<void> peer_read(std::string_view account, std::string_view message_id);
  Result<void> peer_script(std::string_view account, const PeerScript& script);
  /// Forgets its Signal sessions with everybody (messages to it need a retry).
  Result<void> peer_lose_session(std::string_view account);
  /// New identity, new registration id, all companions gone; contacts get the notification.
  Result<void> peer_reregister(std::string_view account);
  /// A virtual companion; gives its device number.
  Result<std::uint16_t> peer_add_companion(std::string_view account);
  Result<void> peer_remove_companion(std::string_view account, std::uint16_t device);
  /// Takes all one-time prekeys off the server.
  Result<void> peer_drain_prekeys(std::string_view account);
  /// Offline virtual devices receive nothing until they are online again.
  Result<void> peer_online(std::string_view account, bool online);
  /// A call rings on all devices of `to`; gives its id. The peer's own number is who calls.
  Result<std::string> peer_call(std::string_view account, std::string_view to, bool video = false);
  /// What becomes of it: the caller hangs up; the called one's phone takes or declines it.
  enum class CallEnd : std::uint8_t { hang_up, take, decline };
  Result<void> end_call(std::string_view call_id, CallEnd end);

  [[nodiscard]] std::vector<Received> inbox(std::string_view account,
                                            std::uint64_t after = 0) const;

  // Account state that clients notice.
  struct Timelock {
    bool active = false;
    std::string enforcement_type = "DEFAULT";
    std::int64_t ends = 0;  ///< unix seconds; then it is over by itself. 0: only when set anew

    [[nodiscard]] bool holds(std::int64_t now) const { return active && (ends == 0 || now < ends); }
  };
  struct Cap {
    std::string status = "NONE";
    std::int64_t total = 0, used = 0, cycle_start = 0, cycle_end = 0;
  };
  /// Stores the state and pushes the MEX notification to the account's devices.
  Result<void> set_timelock(std::string_view account, const Timelock& lock);
  Result<void> set_cap(std::string_view account, const Cap& cap);
  /// A restricted account gets ack 463 for messages to people that never wrote to it.
  Result<void> set_restricted(std::string_view account, bool restricted);
  /// Logins get <failure reason code expire>; reason 0 ends it. Live connections are closed.
  Result<void> set_failure(std::string_view account, int reason, int code = 0,
                           std::int64_t expire_seconds = 0);

  // The media host: its HTTP is the program's, see firmware/simulator.
  /// host: as clients are told, "127.0.0.1:PORT".
  void set_media_host(std::string host);
  /// target: path and query. Of a GET body is empty.
  MediaAnswer media(std::string_view method, std::string_view target, Bytes body);
  void add_media_rule(const MediaRule& rule);
  /// Every file has expired: 404 until the phone uploads it again.
  void expire_media();
  /// What the phone answers when it is asked to upload a file again: "success" (default),
  /// "not_found", "error" or "silence".
  Result<void> set_media_retry(std::string_view account, std::string_view answer);

  /// The phone has these too; a companion may ask for them (history on demand).
  Result<void> keep_old_messages(std::string_view account, std::vector<OldMessage> messages);
  /// How it answers then: "inline" (default), "file" (at the media host) or "silence".
  Result<void> set_history_answers(std::string_view account, std::string_view how);

  // Faults, raw stanzas, time.
  std::uint64_t add_fault(Fault fault);
  bool remove_fault(std::uint64_t id);
  void clear_faults();
  /// Any stanza to a connected device. Errors: not_found, disconnected.
  Result<void> push(const wire::Jid& device, wire::Node node);
  /// The same to a connection, by the journal's number: also before it is linked.
  Result<void> push_to_connection(std::uint64_t connection, const wire::Node& node);
  /// Shifts the server's clock against real time.
  void set_clock_offset(milliseconds offset);

  // What happened.
  [[nodiscard]] std::vector<JournalEntry> journal(std::uint64_t after = 0) const;
  [[nodiscard]] const std::vector<Violation>& violations() const;
  /// What clients do otherwise than most, and the real server takes.
  [[nodiscard]] const std::vector<Violation>& remarks() const;

  // The same for programs in any language: the control interface without its HTTP.
  struct Response {
    int status = 200;
    json::Value body;
  };
  /// path with query string: "/v1/peers/5500…/inbox?after=3&wait=2000". Long polls (wait,
  /// /v1/expect, /v1/scan) answer later. See src/simulator/CONTROL.md for all verbs.
  void control(std::string_view method, std::string_view path, std::string_view body,
               Once<void(Response)> done);

 private:
  std::unique_ptr<World> world_;
  std::unique_ptr<Control> control_;
};

}  // namespace posthorn::simulator
