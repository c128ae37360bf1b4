#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn {

/// posthorn.toml. The member defaults are the documented defaults; each module gets its own part.

/// Does a box prove to the phone that it holds the secret of the code that was scanned, so that
/// nobody compares eight characters when a passkey links it?
enum class PasskeyHandoff : std::uint8_t {
  automatic,  ///< only a box that was linked before
  always,
};

/// [whatsapp]: everything that points at WhatsApp, so that a stand-in can take its place.
struct WhatsAppConfig {
  std::string url = "wss://web.whatsapp.com/ws/chat";  ///< ws:// for loopback only
  std::string noise_root_key;  ///< 64 hex digits; empty: WhatsApp's own, pinned in wire
  std::string tls_ca_file;     ///< PEM; empty: the system's roots
  std::array<std::uint32_t, 3> version{2, 3000, 1043028647};  ///< web version, "2.3000.1043028647"
  std::string media_ca_file;
  std::vector<std::string> media_insecure_hosts;  ///< loopback only
  std::string device_name = "Posthorn";           ///< shown under Linked devices on the phone
  PasskeyHandoff passkey_handoff = PasskeyHandoff::automatic;  ///< "auto" or "always"
};

/// [api]
struct ApiConfig {
  std::string listen = "0.0.0.0";
  std::uint16_t port = 8080;  ///< 0: any free one, printed at start
  /// HTTPS beside it, with a certificate made on the box; 0: any free one; nullopt: none.
  std::optional<std::uint16_t> https_port;
  std::uint64_t id_instance = 0;  ///< 0: made on first start and kept
  std::string token;          ///< 50 lower-case hex characters; empty: made on first start and kept
  std::string public_url;     ///< in links that clients follow; empty: from the request's Host
  std::string care_token;     ///< the technician's, same form and rule as `token`
  std::string page_password;  ///< the technician's for people, in HTTP Basic; empty: none
  /// Further host names that the box answers to, e.g. "posthorn.shop.example".
  std::vector<std::string> names;
  /// False: HTTP only on the box itself, where posthornctl uses it; the network has HTTPS.
  bool plain_http = true;
};

/// [network]
struct NetworkConfig {
  /// "http://[user:password@]host:port": WhatsApp is reached through this HTTP proxy (CONNECT);
  /// empty: straight. Webhooks go to the shop's own network and never through it.
  std::string proxy;
};

/// [queue]
struct QueueConfig {
  std::uint64_t outbox_bytes = 16ULL << 20;
  std::uint64_t inbox_bytes = 16ULL << 20;
  hours keep{24};  ///< life of a job and of a notification, 1 .. 168 h
};

/// [webhook]
struct WebhookConfig {
  seconds wait{30};  ///< for the receiver's answer, 30 .. 180 s
};

/// [files]
struct FilesConfig {
  std::uint64_t quota_bytes = 512ULL << 20;  ///< of all files on the box; the oldest go
  bool fetch_on_arrival = false;             ///< files of messages, else when somebody wants one
  bool private_urls = false;                 ///< urlFile may lead into the shop's own network
  bool resume_uploads = true;
};

/// [journal]: what was said, for getChatHistory and its sisters
struct JournalConfig {
  std::uint32_t days = 30;                  ///< 0: nothing is kept
  std::uint64_t limit_bytes = 64ULL << 20;  ///< the oldest goes
};

/// [log]
struct LogConfig {
  std::string level = "info";
};

/// [throttle]: limits of the policy that a shop may change, inside the policy's ranges.
struct ThrottleConfig {
  std::string time_zone;        ///< for quiet hours, e.g. "Europe/Berlin"; empty: the system's
  std::string time_zone_where;  ///< "posthorn.toml:12: throttle.time_zone", for messages
  std::string quiet_from = "21:00";
  std::string quiet_to = "08:00";          ///< same as quiet_from: off
  std::uint32_t number_in_use_months = 0;  ///< declared by the installer; credited once
  /// No pace at all, nor HTTP rate limits: for benchmarks and demos, refused unless whatsapp.url
  /// points at loopback.
  bool unpaced_for_benchmarks = false;
  /// Any other key of the section: a setting of the throttle, checked by the throttle's own table.
  struct Setting {
    std::string name;
    std::int64_t value = 0;
    std::string where;  ///< "posthorn.toml:12: throttle.gap_any_ms", for messages
  };
  std::vector<Setting> settings;
};

/// [board]: LED, button and sensors of the box; on a computer without them nothing happens.
struct BoardConfig {
  std::string data = "/usr/share/posthorn/board";  ///< folder of board files
  std::string sysfs = "/sys";
  std::string device_tree = "/sys/firmware/devicetree/base/compatible";
};

/// Which transport carries a message: the linked account, the official API, or whichever is right.
enum class Transport : std::uint8_t { own, official, automatic };

/// [cloud]: the official WhatsApp Cloud API as a second transport; none without phone_number_id.
struct CloudConfig {
  /// How the box hears what becomes of a message.
  enum class Mode : std::uint8_t {
    send_only,  ///< it does not: "sent" is all that is known
    relay,      ///< it fetches webhooks from a relay in the internet
    direct,     ///< they come to its own path /webhook/cloud
  };
  std::string url = "https://graph.facebook.com";  ///< http:// for loopback only
  std::string version = "v26.0";
  std::string phone_number_id;  ///< digits; empty: off
  std::string waba_id;
  std::string token_file;        ///< a file that holds the access token
  std::string app_secret_file;   ///< a file that holds the app secret; needed but for send-only
  std::string verify_token;      ///< what Meta shows when it asks whether the webhook is ours
  Mode mode = Mode::send_only;   ///< "send-only", "relay", "direct"
  std::string relay_url;         ///< "https://relay.example/out/box7"
  std::string relay_token_file;  ///< a file that holds the relay's token for this box
  Transport transport = Transport::own;  ///< "own", "official", "auto": when a message says nothing
  std::uint32_t auto_minutes = 30;       ///< auto: an opening that would wait longer goes official
  bool direct_send = false;              ///< Meta has let the account into Direct Send
  std::string receipt_template;          ///< template with one parameter, the text; empty: none
  std::string template_language = "en_US";
  bool repeat_unknown = false;  ///< send again when nobody knows whether it was sent
  std::string currency;         ///< of the prices, for people
  /// Thousandths of the currency for one message, by category; 0: not said.
  std::uint32_t price_service = 0, price_utility = 0, price_marketing = 0, price_authentication = 0;
};

/// [printer.NAME]: one printer that tills reach through the box.
struct PrinterConfig {
  std::string name;
  std::uint16_t listen = 9100;  ///< port of the box; 0: any free one
  std::string address;          ///< of the box to listen at; empty: as api.listen
  std::string forward_host;     ///< of the printer; empty: none, the box answers itself
  std::uint16_t forward_port = 9100;
  bool receipts = true;           ///< what it prints is kept as receipts
  std::uint16_t width = 80;       ///< of the paper, 80 or 58 mm
  std::string language = "auto";  ///< "auto", "escpos" or "star"
  std::string code_page = "auto";
  std::uint16_t lpd = 0;   ///< port of the box for LPD (515); 0: none
  bool epos = false;       ///< takes ePOS-Print XML over the API's port (Odoo, web tills)
  std::string qr = "off";  ///< at a receipt's end: "off", "native" (the printer's own) or "raster"
  std::string trouble;     ///< why nothing can be printed through it, one of Config::troubles
};

/// [receipts]
struct ReceiptsConfig {
  std::string shop;          ///< its name
  std::string form = "png";  ///< "png", "pdf" or "text"
  std::uint32_t keep_minutes = 10;
  std::uint32_t token_hours = 48;
  std::string country;         ///< digits in front of national numbers
  bool phone_pattern = false;  ///< whatever looks like a phone number is one
  /// Texts, tags and words that are not given keep the module's own.
  std::optional<std::string> caption, unknown, above_qr, below_qr;
  std::optional<std::string> regular_question, regular_word, regular_thanks;
  std::optional<std::vector<std::string>> tags, customer_words;
};

struct Config {
  std::string data_dir = "/var/lib/posthorn";
  WhatsAppConfig whatsapp;
  ApiConfig api;
  NetworkConfig network;
  QueueConfig queue;
  WebhookConfig webhook;
  FilesConfig files;
  JournalConfig journal;
  CloudConfig cloud;
  ThrottleConfig throttle;
  ReceiptsConfig receipts;
  std::vector<PrinterConfig> printers;
  BoardConfig board;
  LogConfig log;
  /// What is off because it cannot work as it is written, and what to do, a sentence for each: no
  /// reason for the box not to start, as the release before may have started with it.
  std::vector<std::string> troubles;
};

/// Reads the text of a configuration file. `file` is its name for messages.
/// Errors: malformed, "posthorn.toml:12: whatsapp.url: must begin with wss:// (ws:// only for
/// 127.0.0.1, ::1 and localhost)"; unknown keys are errors and the message lists the known ones.
[[nodiscard]] Result<Config> parse_config(std::string_view text, std::string_view file);

}  // namespace posthorn
