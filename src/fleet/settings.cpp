#include "posthorn/fleet/settings.h"

#include <map>

#include "posthorn/base/bytes.h"
#include "posthorn/base/toml_value.h"

namespace posthorn::fleet {

namespace {

using Keys = std::map<std::string, Take, std::less<>>;

Take time(seconds& out, std::int64_t low, std::int64_t high) {
  return [&out, low, high](const toml::node& node) -> Result<void> {
    std::int64_t value = 0;
    TRY(number(value, low, high)(node));
    out = seconds(value);
    return {};
  };
}

Take checked(std::string& out, bool (*good)(std::string_view), const char* what) {
  return [&out, good, what](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<std::string>();
    if (!value || !good(*value)) return fail(Errc::malformed, what);
    out = *value;
    return {};
  };
}

bool is_word(std::string_view word) {
  return !word.empty() && word.size() <= 32 &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

bool is_prefix(std::string_view topic) {
  return !topic.empty() && topic.size() <= 64 &&
         topic.find_first_of("+#") == std::string_view::npos && topic.front() != '/' &&
         topic.back() != '/';
}

bool is_hash_key(std::string_view key) {
  const auto bytes = hex_decode(key);
  return bytes && bytes->size() == 32;
}

bool is_https(std::string_view url) {
  const auto local = [&](std::string_view host) { return url.starts_with(host); };
  return url.size() < 300 && (url.starts_with("https://") || local("http://127.0.0.1:") ||
                              local("http://[::1]:") || local("http://localhost:"));
}

bool is_hour(std::string_view time) {
  const auto digit = [&](std::size_t at) { return time[at] >= '0' && time[at] <= '9'; };
  return time.size() == 5 && time[2] == ':' && digit(0) && digit(1) && digit(3) && digit(4) &&
         time.substr(0, 2) < "24" && time.substr(3) < "60";
}

Take share(Share& out) {
  return [&out](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<std::string>();
    if (value == "metadata") out = Share::metadata;
    if (value == "full") out = Share::full;
    if (value == "none") out = Share::none;
    if (value == "metadata" || value == "full" || value == "none") return {};
    return fail(Errc::malformed, "must be \"metadata\", \"full\" or \"none\"");
  };
}

Take words(std::vector<std::string>& out) {
  return [&out](const toml::node& node) -> Result<void> {
    const toml::array* list = node.as_array();
    if (list == nullptr || list->size() > 32) return fail(Errc::malformed, "must be a list");
    for (const toml::node& one : *list) {
      const auto word = one.value_exact<std::string>();
      if (!word) return fail(Errc::malformed, "must be a list of names of commands in quotes");
      out.push_back(*word);
    }
    return {};
  };
}

constexpr const char* kHour = "must be a time of day, \"21:00\"";

std::map<std::string, Keys, std::less<>> tables_of(Settings& s) {
  return {
      {"fleet", {{"org", checked(s.org, is_word, "must be 1 to 32 of a-z, 0-9 and -")}}},
      {"broker",
       {{"host", text(s.host)},
        {"port", number(s.port, 1, 65535)},
        {"alpn", text(s.alpn)},
        {"keep_alive_s", time(s.keep_alive, 5, 3600)},
        {"will_delay_s", time(s.will_delay, 0, 600)},
        {"spread_s", time(s.spread, 1, 600)}}},
      {"events",
       {{"share", share(s.share)},
        {"hash_key", checked(s.hash_key, is_hash_key, "must be 64 hexadecimal digits")}}},
      {"state",
       {{"poll_s", time(s.poll, 1, 600)},
        {"at_least_s", time(s.at_least, 10, 86400)},
        {"metrics", flag(s.metrics)}}},
      {"commands", {{"care", flag(s.care)}, {"allow", words(s.allow)}}},
      {"home_assistant",
       {{"discovery", flag(s.home_assistant)},
        {"prefix", checked(s.discovery_prefix, is_prefix, "must be a topic without + and #")}}},
      {"hawkbit",
       {{"url", checked(s.hawkbit_url, is_https, "must be https://SERVER/TENANT")},
        {"target_token", text(s.target_token)},
        {"gateway_token", text(s.gateway_token)},
        {"ca_file", text(s.hawkbit_ca)},
        {"bytes_per_second", number(s.bytes_per_second, 0, 1'000'000'000)},
        {"install_from", checked(s.install_from, is_hour, kHour)},
        {"install_to", checked(s.install_to, is_hour, kHour)},
        {"confirm_s", time(s.confirm, 1, 86400)}}},
  };
}

std::string where(std::string_view file, const toml::node& node, const std::string& key) {
  return std::string(file) + ":" + std::to_string(node.source().begin.line) + ": " + key + ": ";
}

std::string names_of(const Keys& keys) {
  std::string out;
  for (const auto& [name, take] : keys) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Result<Settings> parse_settings(std::string_view text, std::string_view file) {
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return fail(Errc::malformed, std::string(file) + ":" +
                                     std::to_string(error.source().begin.line) + ": " +
                                     std::string(error.description()));
  }
  Settings out;
  const auto tables = tables_of(out);
  for (const auto& [name, node] : parsed.table()) {
    const auto table = tables.find(std::string_view(name));
    const std::string path(name.str());
    if (table == tables.end() || !node.is_table()) {
      return fail(Errc::malformed, where(file, node, path) +
                                       "no such section; there are [fleet], [broker], [events], "
                                       "[state], [commands], [home_assistant], [hawkbit]");
    }
    for (const auto& [key, value] : *node.as_table()) {
      const auto known = table->second.find(std::string_view(key));
      const std::string full = path + "." + std::string(key.str());
      if (known == table->second.end()) {
        return fail(Errc::malformed,
                    where(file, value, full) + "no such key; there are " + names_of(table->second));
      }
      if (auto taken = known->second(value); !taken) {
        return fail(Errc::malformed, where(file, value, full) + taken.error().detail);
      }
    }
  }
  if (out.org.empty()) return fail(Errc::malformed, std::string(file) + ": fleet.org is missing");
  if (out.host.empty()) {
    return fail(Errc::malformed, std::string(file) + ": broker.host is missing");
  }
  return out;
}

}  // namespace posthorn::fleet
