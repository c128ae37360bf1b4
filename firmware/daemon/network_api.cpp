#include "daemon/network_api.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "daemon/own_addresses.h"
#include "daemon/route.h"
#include "daemon/system_requests.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "setup/plan.h"
#include "setup/settings_file.h"
#include "setup/trial.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kFileAtMost = 65536;
constexpr std::size_t kDnsAtMost = 8;

/// The body's names for settings of posthorn.txt.
constexpr std::array<std::pair<const char*, const char*>, 4> kSettings{{
    {"address", "address"},
    {"gateway", "gateway"},
    {"dns", "dns"},
    {"timeServer", "time_server"},
}};

json::Value file_as_json(const std::string& path) {
  const auto text = setup::read_file(path, kFileAtMost);
  if (!text) return {};
  auto value = json::parse(*text, 1000);
  return value && value->isObject() ? std::move(*value) : json::Value();
}

/// "192.168.1.20/24" of each interface that leads out of this machine.
json::Value interfaces() {
  json::Value out(::Json::arrayValue);
  for (const OwnAddress& own : own_addresses()) {
    json::Value one(::Json::objectValue);
    one["name"] = own.interface;
    one["address"] = own.address + "/" + std::to_string(own.prefix);
    out.append(std::move(one));
  }
  return out;
}

/// Of IPv4: the kernel tells it in hexadecimal, in the machine's own order of bytes.
std::string gateway() {
  std::ifstream file("/proc/self/net/route");
  std::string line;
  std::getline(file, line);
  for (int rows = 0; rows < 100 && std::getline(file, line); ++rows) {
    std::istringstream fields(line);
    std::string name;
    std::string to;
    std::string via;
    fields >> name >> to >> via;
    std::uint32_t bytes = 0;
    const auto [end, error] = std::from_chars(via.data(), via.data() + via.size(), bytes, 16);
    if (to != "00000000" || error != std::errc{} || bytes == 0) continue;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = bytes;
    std::array<char, 32> text{};
    if (uv_ip4_name(&address, text.data(), text.size()) == 0) return text.data();
  }
  return "";
}

json::Value name_servers() {
  json::Value out(::Json::arrayValue);
  // systemd-resolved's own list, behind the 127.0.0.53 that others are told.
  for (const char* path : {"/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"}) {
    std::ifstream file(path);
    std::string line;
    for (int rows = 0; rows < 100 && out.size() < kDnsAtMost && std::getline(file, line); ++rows) {
      if (line.starts_with("nameserver ")) out.append(line.substr(11, 64));
    }
    if (!out.empty()) break;
  }
  return out;
}

bool is_asked(const std::string& data_dir) {
  struct stat found {};
  const std::string path =
      data_dir + "/" + std::string(kRequestsFolder) + "/" + setup::kChangeRequest;
  return lstat(path.c_str(), &found) == 0;
}

std::string sentence_of(bool managed, const std::string& state, const std::string& detail) {
  if (!managed) return "The network of this computer is set by its operating system.";
  if (state == "applying") return "The new settings are being applied.";
  if (state == "waiting") return "New settings are on trial: confirm them, or they go back.";
  if (state == "back") return "The settings of before hold again: " + detail + ".";
  if (state == "refused") return "The settings were not taken: " + detail + ".";
  return "Change it here; without a confirmation within 90 seconds it goes back.";
}

json::Value network_json(const NetworkPlaces& places) {
  const json::Value told = file_as_json(places.run_dir + "/network.json");
  const json::Value status = file_as_json(places.run_dir + "/network-status.json");
  const bool managed = !told.isNull();
  const std::string detail = json::string_at(status, "detail").value_or("");
  std::string state = json::string_at(status, "state").value_or("none");
  json::Value left;
  if (state == "waiting") {
    const std::int64_t until = json::int_at(status, "untilSeconds").value_or(0);
    left = static_cast<::Json::Int64>(
        std::clamp<std::int64_t>(until - setup::since_boot(), 0, setup::kTrialSeconds));
  }
  if (is_asked(places.data_dir)) state = "applying";
  json::Value out(::Json::objectValue);
  out["managed"] = managed;
  out["sentence"] = sentence_of(managed, state, detail);
  out["interfaces"] = interfaces();
  out["gateway"] = gateway();
  out["dns"] = name_servers();
  out["settings"] = json::Value(::Json::objectValue);
  if (json::at(told, "settings").isObject()) out["settings"] = json::at(told, "settings");
  out["onCard"] = json::Value(::Json::arrayValue);
  if (json::at(told, "onCard").isArray()) out["onCard"] = json::at(told, "onCard");
  out["state"] = state;
  out["detail"] = detail;
  out["secondsLeft"] = left;
  return out;
}

/// The lines for root, checked as root will check them. Errors: malformed, in words.
Result<std::string> lines_of(const json::Value& body) {
  std::string out;
  for (const auto& [name, setting] : kSettings) {
    if (!body.isMember(name)) continue;
    const auto value = json::string_at(body, name);
    if (!value) return fail(Errc::malformed, std::string(name) + ": must be a text");
    if (value->empty()) {
      out += std::string(setting) + " = none\n";
      continue;
    }
    const setup::Key* key = setup::find_key(setting);
    const auto checked = key->check(*value);
    if (!checked) return fail(Errc::malformed, std::string(name) + ": " + checked.error().detail);
    out += std::string(setting) + " = " + *checked + "\n";
  }
  if (out.empty()) return fail(Errc::malformed, "name address, gateway, dns or timeServer");
  return out;
}

void change(const NetworkPlaces& places, api::Call call) {
  const json::Value told = file_as_json(places.run_dir + "/network.json");
  if (told.isNull()) {
    return call.refuse(409, "the network of this computer is set by its operating system");
  }
  const json::Value status = file_as_json(places.run_dir + "/network-status.json");
  if (json::string_at(status, "state") == "waiting" &&
      json::int_at(status, "untilSeconds").value_or(0) > setup::since_boot()) {
    return call.refuse(409, "new settings are on trial: confirm them, or wait until they go back");
  }
  const auto lines = lines_of(call.body);
  if (!lines) return call.refuse(400, lines.error().detail);
  if (auto asked = ask_system_with(places.data_dir, setup::kChangeRequest, *lines); !asked) {
    return call.refuse(500, asked.error().detail);
  }
  log::warn("network", "a change was asked for", {{"from", call.request.peer}});
  json::Value out(::Json::objectValue);
  out["accepted"] = true;
  out["seconds"] = setup::kTrialSeconds;
  call.send(out);
}

void confirm(const NetworkPlaces& places, api::Call call) {
  const json::Value status = file_as_json(places.run_dir + "/network-status.json");
  if (json::string_at(status, "state") != "waiting") {
    return call.refuse(409, "nothing waits to be confirmed");
  }
  if (auto asked = ask_system(places.data_dir, setup::kConfirmRequest); !asked) {
    return call.refuse(500, asked.error().detail);
  }
  json::Value out(::Json::objectValue);
  out["accepted"] = true;
  call.send(out);
}

}  // namespace

std::vector<api::Route> network_routes(const NetworkPlaces& places) {
  return {
      care(get("getNetwork", [places](api::Call call) { call.send(network_json(places)); })),
      care(post("changeNetwork", [places](api::Call call) { change(places, std::move(call)); })),
      care(post("confirmNetwork", [places](api::Call call) { confirm(places, std::move(call)); })),
  };
}

}  // namespace posthorn::daemon
