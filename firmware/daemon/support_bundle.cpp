#include "daemon/support_bundle.h"

#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <filesystem>
#include <fstream>

#include "daemon/metrics.h"
#include "posthorn/base/folder.h"
#include "posthorn/base/json.h"
#include "posthorn/base/proxy.h"

namespace posthorn::daemon {

namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

void section(std::string& out, const char* name) { out += std::string("\n[") + name + "]\n"; }

void key(std::string& out, const char* name, const std::string& value) {
  out += std::string(name) + " = " + value + "\n";
}

std::string secret(const std::string& value) { return quoted(value.empty() ? "" : "(set)"); }

/// Host and port tell why a proxy does not answer; who uses it is nobody else's business.
std::string proxy_without_user(const std::string& url) {
  if (url.empty()) return quoted("");
  const auto proxy = parse_proxy(url);
  if (!proxy) return quoted("(unreadable)");
  return quoted(proxy->host + ":" + std::to_string(proxy->port) +
                (proxy->user.empty() ? "" : " (with user and password)"));
}

template <class T>
json::Value known(const std::optional<T>& value) {
  return value ? json::Value(*value) : json::Value();
}

json::Value said(const std::string& text) {
  return text.empty() ? json::Value() : json::Value(text);
}

std::optional<std::uint64_t> free_bytes(const std::string& folder) {
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) != 0) return std::nullopt;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

}  // namespace

std::string describe_config(const Config& config) {
  std::string out;
  key(out, "data_dir", quoted(config.data_dir));
  section(out, "whatsapp");
  key(out, "url", quoted(config.whatsapp.url));
  key(out, "noise_root_key", secret(config.whatsapp.noise_root_key));
  key(out, "tls_ca_file", quoted(config.whatsapp.tls_ca_file));
  const auto& version = config.whatsapp.version;
  key(out, "version",
      quoted(std::to_string(version[0]) + "." + std::to_string(version[1]) + "." +
             std::to_string(version[2])));
  section(out, "api");
  key(out, "listen", quoted(config.api.listen));
  key(out, "port", std::to_string(config.api.port));
  if (config.api.https_port) key(out, "https_port", std::to_string(*config.api.https_port));
  key(out, "token", secret(config.api.token));
  key(out, "care_token", secret(config.api.care_token));
  key(out, "page_password", secret(config.api.page_password));
  key(out, "public_url", quoted(config.api.public_url));
  key(out, "plain_http", config.api.plain_http ? "true" : "false");
  section(out, "network");
  key(out, "proxy", proxy_without_user(config.network.proxy));
  section(out, "queue");
  key(out, "outbox_bytes", std::to_string(config.queue.outbox_bytes));
  key(out, "inbox_bytes", std::to_string(config.queue.inbox_bytes));
  key(out, "keep_hours", std::to_string(config.queue.keep.count()));
  section(out, "cloud");
  key(out, "url", quoted(config.cloud.url));
  key(out, "phone_number_id", quoted(config.cloud.phone_number_id));
  key(out, "verify_token", secret(config.cloud.verify_token));
  section(out, "throttle");
  key(out, "time_zone", quoted(config.throttle.time_zone));
  key(out, "quiet_from", quoted(config.throttle.quiet_from));
  key(out, "quiet_to", quoted(config.throttle.quiet_to));
  key(out, "number_in_use_months", std::to_string(config.throttle.number_in_use_months));
  for (const auto& setting : config.throttle.settings) {
    key(out, setting.name.c_str(), std::to_string(setting.value));
  }
  section(out, "receipts");
  key(out, "form", quoted(config.receipts.form));
  key(out, "keep_minutes", std::to_string(config.receipts.keep_minutes));
  key(out, "token_hours", std::to_string(config.receipts.token_hours));
  for (const PrinterConfig& printer : config.printers) {
    section(out, ("printer." + printer.name).c_str());
    key(out, "listen", std::to_string(printer.listen));
    const std::string port = std::to_string(printer.forward_port);
    key(out, "forward",
        quoted(printer.forward_host.empty() ? "" : printer.forward_host + ":" + port));
    key(out, "language", quoted(printer.language));
    key(out, "codepage", quoted(printer.code_page));
    if (printer.lpd != 0) key(out, "lpd", std::to_string(printer.lpd));
    key(out, "qr", quoted(printer.qr));
  }
  section(out, "log");
  key(out, "level", quoted(config.log.level));
  return out;
}

std::string board_json(const board::BoardData& board, bool led, bool button,
                       const board::Health& health, const Hardware& hardware,
                       const std::string& data_dir) {
  json::Value out(::Json::objectValue);
  out["board"] = said(board.name);
  out["model"] = said(hardware.model);
  out["serial"] = said(hardware.serial);
  out["slot"] = said(hardware.slot);
  out["updates"] = board.update;
  out["led"] = led;
  out["button"] = button;
  out["temperatureCelsius"] = known(health.temperature_celsius);
  out["storageWornPercent"] = known(health.storage_worn_percent);
  out["storageNearEnd"] = known(health.storage_near_end);
  out["underVoltage"] = known(health.under_voltage);
  out["watchdogArmed"] = known(health.watchdog_armed);
  const auto free = free_bytes(data_dir);
  out["freeBytes"] = free ? json::Value(static_cast<::Json::UInt64>(*free)) : json::Value();
  struct sysinfo system {};
  const bool told = sysinfo(&system) == 0;
  const std::uint64_t memory = static_cast<std::uint64_t>(system.totalram) * system.mem_unit;
  out["memoryBytes"] = told ? json::Value(static_cast<::Json::UInt64>(memory)) : json::Value();
  out["uptimeSeconds"] =
      told ? json::Value(static_cast<::Json::Int64>(system.uptime)) : json::Value();
  const auto resident = resident_bytes();
  out["residentBytes"] =
      resident ? json::Value(static_cast<::Json::UInt64>(*resident)) : json::Value();
  return json::write(out);
}

std::string describe_storage(const std::string& data_dir) {
  std::string out = "free bytes: ";
  const auto free = free_bytes(data_dir);
  out += free ? std::to_string(*free) : "unknown";
  out += "\n";
  std::error_code error;
  for (const auto& path : list_tree(data_dir, error)) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) continue;
    const std::uintmax_t size = fs::file_size(path, ignored);
    if (ignored) continue;
    out += std::to_string(size) + "  " + path.lexically_relative(data_dir).string() + "\n";
  }
  if (error) out += "the list ends here: " + error.message() + "\n";
  return out;
}

std::string describe_system() {
  std::string out = "posthornd " POSTHORN_VERSION "\n";
  utsname system{};
  if (uname(&system) == 0) {
    out += std::string(system.sysname) + " " + system.release + " " + system.machine + "\n";
  }
  std::ifstream release("/etc/os-release");
  for (std::string line; std::getline(release, line);) {
    if (line.starts_with("PRETTY_NAME=") || line.starts_with("VERSION_ID=") ||
        line.starts_with("IMAGE_VERSION=")) {
      out += line + "\n";
    }
  }
  return out;
}

}  // namespace posthorn::daemon
