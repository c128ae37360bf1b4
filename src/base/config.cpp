#include "posthorn/base/config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "base/config_take.h"
#include "posthorn/base/bytes.h"
#include "posthorn/base/log.h"
#include "posthorn/base/proxy.h"

namespace posthorn {

namespace {

/// One key that may stand in a table.
struct Key {
  std::string_view name;
  Take take;
  std::string* place = nullptr;  ///< takes "posthorn.toml:12: throttle.time_zone", for later checks
};

/// Takes a key that is not listed, with its place for messages; empty: such keys are errors.
using TakeOther =
    std::function<Result<void>(std::string_view name, std::string where, const toml::node&)>;

struct Table {
  std::string_view name;  ///< "" for the top of the file
  std::vector<Key> keys;
  TakeOther other = nullptr;
};

bool is_loopback(std::string_view host) {
  return host == "127.0.0.1" || host == "localhost" || host == "::1" || host == "[::1]";
}

/// The host of "ws://host:port/path", brackets of IPv6 kept.
std::string_view host_of(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  url = url.substr(0, url.find('/'));
  if (!url.empty() && url.front() == '[') return url.substr(0, url.find(']') + 1);
  return url.substr(0, url.find(':'));
}

/// Printable, without blanks, and with a port that exists if it has one.
bool is_plain_url(std::string_view url) {
  const bool printable =
      std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  const std::string_view host = host_of(url);
  if (!printable || host.empty() || host == "[") return false;
  std::string_view rest(host.data() + host.size(), url.data() + url.size());
  if (!rest.starts_with(':')) return rest.empty() || rest.starts_with('/');
  rest = rest.substr(1, rest.find('/') - 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  return error == std::errc{} && end == rest.data() + rest.size() && port >= 1 && port <= 65535;
}

Take whatsapp_url(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string url, text_of(node));
    const bool secure = url.starts_with("wss://");
    const bool plain = url.starts_with("ws://") && is_loopback(host_of(url));
    if ((!secure && !plain) || !is_plain_url(url)) {
      return fail(Errc::malformed,
                  "must begin with wss:// (ws:// only for 127.0.0.1, ::1 and localhost)");
    }
    out = url;
    return {};
  };
}

/// Where the API listens. A name would have to be looked up at a start without a network; this
/// machine's own is known.
Take listen_address(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(std::string value, text_of(node));
    if (value == "localhost") value = "127.0.0.1";
    std::array<unsigned char, 16> bytes{};
    if (inet_pton(AF_INET, value.c_str(), bytes.data()) != 1 &&
        inet_pton(AF_INET6, value.c_str(), bytes.data()) != 1) {
      return fail(Errc::malformed,
                  "must be an address of this machine, like \"192.168.1.20\", or \"0.0.0.0\" for "
                  "all of them (\"::\" with IPv6)");
    }
    out = value;
    return {};
  };
}

Take folder(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    if (value.empty() || value.find('\0') != std::string::npos) {
      return fail(Errc::malformed, "must be a folder, like \"/var/lib/posthorn\"");
    }
    out = value;
    return {};
  };
}

/// WhatsApp shows it on the phone.
Take device_name(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const bool shown = std::none_of(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (value.empty() || value.size() > 50 || !shown) {
      return fail(Errc::malformed, "must have 1 to 50 characters");
    }
    out = value;
    return {};
  };
}

Take passkey_handoff(PasskeyHandoff& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    if (value != "auto" && value != "always") {
      return fail(Errc::malformed, "must be \"auto\" or \"always\"");
    }
    out = value == "always" ? PasskeyHandoff::always : PasskeyHandoff::automatic;
    return {};
  };
}

/// Lower-case hexadecimal of an exact length, or empty.
Take hex(std::string& out, std::size_t digits) {
  return [&out, digits](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (!value.empty() &&
        (value.size() != digits || !std::all_of(value.begin(), value.end(), is_hex))) {
      return fail(Errc::malformed,
                  "must be " + std::to_string(digits) + " digits of 0-9 and a-f, or empty");
    }
    out = value;
    return {};
  };
}

Take version(std::array<std::uint32_t, 3>& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const char* at = value.data();
    const char* const end = at + value.size();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto [next, error] = std::from_chars(at, end, out[i]);
      const bool last = i + 1 == out.size();
      if (error != std::errc{} || (last ? next != end : next == end || *next != '.')) {
        return fail(Errc::malformed, "must be three numbers, e.g. \"2.3000.1043028647\"");
      }
      at = next + 1;
    }
    return {};
  };
}

Take loopback_hosts(std::vector<std::string>& out) {
  return [&out](const toml::node& node) -> Result<void> {
    const toml::array* list = node.as_array();
    if (list == nullptr) return fail(Errc::malformed, "must be a list of strings");
    out.clear();
    for (const toml::node& entry : *list) {
      TRY(const std::string host, text_of(entry));
      if (!is_loopback(host_of("://" + host))) {
        return fail(Errc::malformed, "may only name 127.0.0.1, ::1 and localhost");
      }
      out.push_back(host);
    }
    return {};
  };
}

/// A whole number of the unit.
template <class Unit>
Take duration(Unit& out, std::int64_t low, std::int64_t high) {
  return [&out, low, high](const toml::node& node) -> Result<void> {
    std::int64_t count = 0;
    TRY(number(count, low, high)(node));
    out = Unit(count);
    return {};
  };
}

/// "21:00"
Take time_of_day(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const auto digit = [&value](std::size_t i) { return value[i] >= '0' && value[i] <= '9'; };
    const bool shape =
        value.size() == 5 && value[2] == ':' && digit(0) && digit(1) && digit(3) && digit(4);
    if (!shape || value.substr(0, 2) > "23" || value.substr(3) > "59") {
      return fail(Errc::malformed, "must be a time of day from \"00:00\" to \"23:59\"");
    }
    out = value;
    return {};
  };
}

TakeOther throttle_setting(std::vector<ThrottleConfig::Setting>& out) {
  return [&out](std::string_view name, std::string where, const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<std::int64_t>();
    if (!value) return fail(Errc::malformed, "no such key, or not a whole number");
    out.push_back({std::string(name), *value, std::move(where)});
    return {};
  };
}

Take log_level(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    TRY([[maybe_unused]] const log::Level level, log::parse_level(value));
    out = value;
    return {};
  };
}

Take public_url(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const bool http = value.starts_with("http://") || value.starts_with("https://");
    if (!value.empty() && (!http || !is_plain_url(value))) {
      return fail(Errc::malformed,
                  "must begin with http:// or https://, like http://posthorn.local, or be empty");
    }
    out = value;
    return {};
  };
}

Take optional_port(std::optional<std::uint16_t>& out) {
  return [&out](const toml::node& node) -> Result<void> {
    std::uint16_t port = 0;
    TRY(number(port, 0, 65535)(node));
    out = port;
    return {};
  };
}

Take page_password(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    if (!value.empty() && (value.size() < 8 || value.size() > 128)) {
      return fail(Errc::malformed, "must have 8 to 128 characters, or be empty");
    }
    out = value;
    return {};
  };
}

Take host_names(std::vector<std::string>& out) {
  return [&out](const toml::node& node) -> Result<void> {
    const toml::array* list = node.as_array();
    if (list == nullptr) return fail(Errc::malformed, "must be a list of strings");
    out.clear();
    for (const toml::node& entry : *list) {
      TRY(const std::string name, text_of(entry));
      if (name.empty() || name.find_first_of("/:@ ") != std::string::npos) {
        return fail(Errc::malformed,
                    "may only hold host names like \"posthorn.shop.example\", without scheme and "
                    "port");
      }
      out.push_back(name);
    }
    return {};
  };
}

Take proxy(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    if (!value.empty()) TRY(parse_proxy(value));
    out = value;
    return {};
  };
}

Take https_url(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string url, text_of(node));
    const bool plain = url.starts_with("http://") && is_loopback(host_of(url));
    if ((!url.starts_with("https://") && !plain) || !is_plain_url(url)) {
      return fail(Errc::malformed,
                  "must begin with https:// (http:// only for 127.0.0.1, ::1 and localhost)");
    }
    out = url;
    return {};
  };
}

Table cloud_table(CloudConfig& c) {
  constexpr std::int64_t kDearest = 1'000'000;
  return {"cloud",
          {{"url", https_url(c.url)},
           {"version", graph_version(c.version)},
           {"phone_number_id", digits(c.phone_number_id)},
           {"waba_id", digits(c.waba_id)},
           {"token_file", text(c.token_file)},
           {"app_secret_file", text(c.app_secret_file)},
           {"verify_token", text(c.verify_token)},
           {"mode", cloud_mode(c.mode)},
           {"relay_url", https_url(c.relay_url)},
           {"relay_token_file", text(c.relay_token_file)},
           {"transport", transport(c.transport)},
           {"auto_minutes", number(c.auto_minutes, 1, 1440)},
           {"direct_send", flag(c.direct_send)},
           {"receipt_template", text(c.receipt_template)},
           {"template_language", text(c.template_language)},
           {"repeat_unknown", flag(c.repeat_unknown)},
           {"currency", text(c.currency)},
           {"price_service", number(c.price_service, 0, kDearest)},
           {"price_utility", number(c.price_utility, 0, kDearest)},
           {"price_marketing", number(c.price_marketing, 0, kDearest)},
           {"price_authentication", number(c.price_authentication, 0, kDearest)}}};
}

constexpr std::string_view kPrinters = "printer";

Table printer_table(std::string_view name, PrinterConfig& p) {
  return {name,
          {{"listen", number(p.listen, 0, 65535)},
           {"address", listen_address(p.address)},
           {"forward", host_and_port(p.forward_host, p.forward_port)},
           {"receipts", flag(p.receipts)},
           {"width", paper_width(p.width)},
           {"language", one_of(p.language, {"auto", "escpos", "star"})},
           {"codepage", text(p.code_page)},
           {"lpd", number(p.lpd, 0, 65535)},
           {"epos", flag(p.epos)},
           {"qr", one_of(p.qr, {"off", "native", "raster"})}}};
}

constexpr std::int64_t kMiB = 1 << 20;

std::vector<Table> tables(Config& c) {
  return {
      {"", {{"data_dir", folder(c.data_dir)}}},
      {"whatsapp",
       {{"url", whatsapp_url(c.whatsapp.url)},
        {"noise_root_key", hex(c.whatsapp.noise_root_key, 64)},
        {"tls_ca_file", text(c.whatsapp.tls_ca_file)},
        {"version", version(c.whatsapp.version)},
        {"media_ca_file", text(c.whatsapp.media_ca_file)},
        {"media_insecure_hosts", loopback_hosts(c.whatsapp.media_insecure_hosts)},
        {"device_name", device_name(c.whatsapp.device_name)},
        {"passkey_handoff", passkey_handoff(c.whatsapp.passkey_handoff)}}},
      {"api",
       {{"listen", listen_address(c.api.listen)},
        {"port", number(c.api.port, 0, 65535)},
        {"https_port", optional_port(c.api.https_port)},
        {"id_instance", number(c.api.id_instance, 0, 9'999'999'999)},
        {"token", hex(c.api.token, 50)},
        {"care_token", hex(c.api.care_token, 50)},
        {"names", host_names(c.api.names)},
        {"plain_http", flag(c.api.plain_http)},
        {"public_url", public_url(c.api.public_url)},
        {"page_password", page_password(c.api.page_password)}}},
      {"network", {{"proxy", proxy(c.network.proxy)}}},
      {"queue",
       {{"outbox_bytes", number(c.queue.outbox_bytes, kMiB, 1024 * kMiB)},
        {"inbox_bytes", number(c.queue.inbox_bytes, kMiB, 1024 * kMiB)},
        {"keep_hours", duration(c.queue.keep, 1, 168)}}},
      {"webhook", {{"wait_s", duration(c.webhook.wait, 30, 180)}}},
      {"files",
       {{"quota_bytes", number(c.files.quota_bytes, 16 * kMiB, 1024 * 1024 * kMiB)},
        {"fetch_on_arrival", flag(c.files.fetch_on_arrival)},
        {"private_urls", flag(c.files.private_urls)},
        {"resume_uploads", flag(c.files.resume_uploads)}}},
      {"journal",
       {{"days", number(c.journal.days, 0, 3650)},
        {"limit_bytes", number(c.journal.limit_bytes, kMiB, 16 * 1024 * kMiB)}}},
      cloud_table(c.cloud),
      {"throttle",
       {{"time_zone", text(c.throttle.time_zone), &c.throttle.time_zone_where},
        {"quiet_from", time_of_day(c.throttle.quiet_from)},
        {"quiet_to", time_of_day(c.throttle.quiet_to)},
        {"number_in_use_months", number(c.throttle.number_in_use_months, 0, 600)},
        {"unpaced_for_benchmarks", flag(c.throttle.unpaced_for_benchmarks)}},
       throttle_setting(c.throttle.settings)},
      {"receipts",
       {{"shop", text(c.receipts.shop)},
        {"form", one_of(c.receipts.form, {"png", "pdf", "text"})},
        {"keep_minutes", number(c.receipts.keep_minutes, 1, 1440)},
        {"token_hours", number(c.receipts.token_hours, 1, 168)},
        {"country", country_digits(c.receipts.country)},
        {"phone_pattern", flag(c.receipts.phone_pattern)},
        {"caption", wording(c.receipts.caption)},
        {"unknown", wording(c.receipts.unknown)},
        {"above_qr", wording(c.receipts.above_qr)},
        {"below_qr", wording(c.receipts.below_qr)},
        {"regular_question", wording(c.receipts.regular_question)},
        {"regular_word", wording(c.receipts.regular_word)},
        {"regular_thanks", wording(c.receipts.regular_thanks)},
        {"tags", word_list(c.receipts.tags)},
        {"customer_words", word_list(c.receipts.customer_words)}}},
      {kPrinters, {}},
      {"board",
       {{"data", text(c.board.data)},
        {"sysfs", text(c.board.sysfs)},
        {"device_tree", text(c.board.device_tree)}}},
      {"log", {{"level", log_level(c.log.level)}}},
  };
}

template <class Named>
std::string names(const std::vector<Named>& all) {
  std::string out;
  for (const Named& one : all) {
    if (one.name.empty()) continue;
    if (!out.empty()) out += ", ";
    out += one.name;
  }
  return out;
}

std::string where(std::string_view file, const toml::source_region& region) {
  return std::string(file) + ":" + std::to_string(region.begin.line) + ": ";
}

Result<void> read_table(const toml::table& from, const Table& table, const std::vector<Table>& all,
                        std::string_view file) {
  const std::string prefix = table.name.empty() ? "" : std::string(table.name) + ".";
  for (const auto& [key, node] : from) {
    const bool is_section =
        table.name.empty() && std::any_of(all.begin(), all.end(), [&key = key](const Table& t) {
          return !t.name.empty() && t.name == key.str();
        });
    if (is_section) continue;
    const auto known = std::find_if(table.keys.begin(), table.keys.end(),
                                    [&key = key](const Key& k) { return k.name == key.str(); });
    const std::string spot = where(file, key.source()) + prefix + std::string(key.str());
    const std::string place = spot + ": ";
    if (known == table.keys.end() && table.other) {
      if (auto taken = table.other(key.str(), spot, node); !taken) {
        return fail(Errc::malformed, place + taken.error().detail);
      }
      continue;
    }
    if (known == table.keys.end()) {
      const std::string sections = table.name.empty() ? "; sections: " + names(all) : "";
      return fail(Errc::malformed,
                  place + "unknown key; known here: " + names(table.keys) + sections);
    }
    if (auto taken = known->take(node); !taken) {
      return fail(Errc::malformed, place + taken.error().detail);
    }
    if (known->place != nullptr) *known->place = spot;
  }
  return {};
}

/// [printer.1], [printer.kitchen], …
Result<void> read_printers(const toml::table& from, Config& config, const std::vector<Table>& all,
                           std::string_view file) {
  constexpr std::size_t kMostPrinters = 8;
  for (const auto& [key, node] : from) {
    const std::string name = std::string(kPrinters) + "." + std::string(key.str());
    const toml::table* section = node.as_table();
    if (section == nullptr) {
      return fail(Errc::malformed,
                  where(file, key.source()) + name + ": must be a section: [printer.1]");
    }
    if (config.printers.size() == kMostPrinters) {
      return fail(Errc::malformed, where(file, key.source()) + name + ": at most 8 printers");
    }
    PrinterConfig printer;
    printer.name = std::string(key.str());
    TRY(read_table(*section, printer_table(name, printer), all, file));
    config.printers.push_back(std::move(printer));
  }
  return {};
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view file) {
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    return fail(Errc::malformed,
                where(file, parsed.error().source()) + std::string(parsed.error().description()));
  }
  Config config;
  const std::vector<Table> all = tables(config);
  for (const Table& table : all) {
    const toml::table* from = &parsed.table();
    if (!table.name.empty()) {
      const toml::node* section = from->get(table.name);
      if (section == nullptr) continue;
      from = section->as_table();
      if (from == nullptr) {
        return fail(Errc::malformed, where(file, section->source()) + std::string(table.name) +
                                         ": must be a section: [" + std::string(table.name) + "]");
      }
    }
    if (table.name == kPrinters) {
      TRY(read_printers(*from, config, all, file));
      continue;
    }
    TRY(read_table(*from, table, all, file));
  }
  if (config.api.port != 0 && config.api.port == config.api.https_port) {
    return fail(Errc::malformed, std::string(file) +
                                     ": api.https_port: must be another port than " +
                                     "api.port, which is " + std::to_string(config.api.port));
  }
  if (config.throttle.unpaced_for_benchmarks && !is_loopback(host_of(config.whatsapp.url))) {
    return fail(Errc::malformed,
                std::string(file) +
                    ": throttle.unpaced_for_benchmarks: only with a whatsapp.url on "
                    "this machine (127.0.0.1, ::1, localhost)");
  }
  TRY(check_cloud(config.cloud, file));
  if (!config.api.plain_http && !config.api.https_port) {
    return fail(Errc::malformed,
                std::string(file) + ": api.plain_http: false needs api.https_port, e.g. 443");
  }
  find_printer_troubles(config, file);
  find_cloud_trouble(config, file);
  return config;
}

}  // namespace posthorn
