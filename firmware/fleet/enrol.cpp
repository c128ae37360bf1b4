#include "fleet/enrol.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

#include "fleet/files.h"
#include "posthorn/base/folder.h"
#include "posthorn/base/json.h"
#include "posthorn/base/utf8.h"
#include "posthorn/fleet/settings.h"
#include "posthorn/loop/loop.h"
#include "posthorn/net/certificate.h"
#include "posthorn/net/http_client.h"

namespace posthorn::fleet {

namespace {

constexpr std::size_t kPemAtMost = 65536;
constexpr std::size_t kConfigAtMost = 65536;

/// Who runs the service owns the folder, and must read what root wrote into it.
void give_to_owner(const std::string& folder, const char* name) {
  struct stat found {};
  if (geteuid() != 0 || stat(folder.c_str(), &found) != 0) return;
  const std::string path = folder + "/" + name;
  if (lchown(path.c_str(), found.st_uid, found.st_gid) != 0) std::perror(path.c_str());
}

Result<void> keep(const std::string& folder, const char* name, const std::string& text) {
  TRY(write_file(folder + "/" + name, text));
  give_to_owner(folder, name);
  return {};
}

Result<std::string> own_key(const std::string& state_dir, Random& random) {
  if (auto key = read_file(state_dir + "/key.pem", kPemAtMost)) return *key;
  TRY(std::string key, net::make_p256_key(random));
  TRY(keep(state_dir, "key.pem", key));
  return key;
}

std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return "\"" + out + "\"";
}

std::string config_of(const json::Value& answer) {
  const auto text = [&](const char* key) { return json::string_at(answer, key).value_or(""); };
  std::string out =
      "# Written by posthorn-fleet enrol; /usr/share/doc/posthorn-fleet has every key.\n";
  out += "[fleet]\norg = " + quoted(text("org")) + "\n\n[broker]\nhost = " + quoted(text("host"));
  out += "\nport = " + std::to_string(json::int_at(answer, "port").value_or(8883)) + "\n";
  if (!text("alpn").empty()) out += "alpn = " + quoted(text("alpn")) + "\n";
  if (!text("hash_key").empty()) out += "\n[events]\nhash_key = " + quoted(text("hash_key")) + "\n";
  return out;
}

Result<net::HttpResponse> post(const EnrolWish& wish, const std::string& body) {
  loop::Loop loop;
  const auto http = net::make_http_client(loop);
  net::HttpRequest request;
  request.method = "POST";
  request.url = wish.url;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  request.ca_file = wish.ca_file;
  request.pinned_public_key = wish.pin;
  std::optional<Result<net::HttpResponse>> answer;
  http->send(std::move(request), [&](Result<net::HttpResponse> got) {
    answer.emplace(std::move(got));
    loop.stop();
  });
  while (!answer) loop.run_once(milliseconds(100));
  return std::move(*answer);
}

Result<json::Value> ask(const EnrolWish& wish, const std::string& box, const std::string& csr) {
  json::Value question(::Json::objectValue);
  question["code"] = wish.code;
  question["box"] = box;
  question["csr"] = csr;
  question["version"] = POSTHORN_VERSION;
  TRY(const net::HttpResponse answer, post(wish, json::write(question)));
  if (answer.status != 200) {
    return fail(Errc::refused, "the head office answered " + std::to_string(answer.status) + ": " +
                                   cut_utf8(answer.body, 300));
  }
  TRY(json::Value value, json::parse(answer.body, 200));
  for (const char* key : {"certificate", "ca", "org", "host"}) {
    if (json::string_at(value, key).value_or("").empty()) {
      return fail(Errc::malformed, std::string("the head office's answer has no \"") + key + "\"");
    }
  }
  return value;
}

Result<void> check_certificate(const std::string& state_dir, const std::string& pem) {
  TRY(const CertificateFacts facts, read_certificate(pem));
  TRY(const std::string key, read_file(state_dir + "/key.pem", kPemAtMost));
  if (!net::belong_together(pem, key)) {
    return fail(Errc::refused,
                "that certificate (for " + facts.box + ") is not for this box's key");
  }
  return {};
}

/// The settings that are kept; nullopt where there are none, or none that hold and may be replaced.
Result<std::optional<Settings>> settings_there(const std::string& file) {
  const auto text = read_file(file, kConfigAtMost);
  if (!text && text.error().code == Errc::not_found) return std::optional<Settings>();
  if (!text) return tl::unexpected(text.error());
  auto settings = parse_settings(*text, file);
  if (settings) return std::optional<Settings>(std::move(*settings));
  if (access(file.c_str(), W_OK) == 0) return std::optional<Settings>();
  return tl::unexpected(settings.error());
}

}  // namespace

Result<std::string> own_box_id() {
  TRY(const std::string machine, read_file("/etc/machine-id", 100));
  if (machine.size() < 32) return fail(Errc::malformed, "/etc/machine-id has no id yet");
  return box_id_of(machine);
}

Result<std::string> make_own_request(const std::string& state_dir) {
  loop::SystemRandom random;
  TRY(const std::string box, own_box_id());
  TRY(const std::string key, own_key(state_dir, random));
  return make_request(random, key, box);
}

Result<void> install_certificate(const std::string& state_dir, const std::string& pem) {
  TRY(check_certificate(state_dir, pem));
  return keep(state_dir, "certificate.pem", pem);
}

std::string own_settings_file(const std::string& state_dir) { return state_dir + "/fleet.toml"; }

Result<std::string> enrol(const EnrolWish& wish) {
  const bool local = wish.url.starts_with("http://127.0.0.1:");
  if (!wish.url.starts_with("https://") && !local) {
    return fail(Errc::malformed, "the head office's address must begin with https://");
  }
  TRY(const std::string box, own_box_id());
  // Before the head office is asked: a code is good for once.
  TRY(const auto kept, settings_there(wish.config_file));
  TRY(const std::string csr, make_own_request(wish.state_dir));
  TRY(const json::Value answer, ask(wish, box, csr));
  const auto text = [&](const char* key) { return json::string_at(answer, key).value_or(""); };
  const std::string config = config_of(answer);
  TRY(const Settings wanted, parse_settings(config, "the head office's answer"));
  if (kept && kept->org != wanted.org) {
    return fail(Errc::refused, wish.config_file + " is of the fleet \"" + kept->org + "\", not \"" +
                                   wanted.org +
                                   "\": remove that file and enrol again, with a new code");
  }
  TRY(check_certificate(wish.state_dir, text("certificate")));
  TRY(keep(wish.state_dir, "ca.pem", text("ca")));
  if (!kept) {
    TRY(write_file(wish.config_file, config));
    if (chmod(wish.config_file.c_str(), 0644) != 0) return fail(Errc::io, wish.config_file);
  }
  TRY(keep(wish.state_dir, "certificate.pem", text("certificate")));
  return "enrolled as " + box + " in " + wanted.org + ", broker " + wanted.host + "\n" +
         wish.config_file +
         (kept ? " is kept as it is; the head office's words would be:\n" + config
               : " is written\n") +
         "now: systemctl restart posthorn-fleet\n";
}

Result<void> forget_enrolment(const std::string& state_dir) {
  const std::string first = state_dir + "/certificate.pem";
  if (unlink(first.c_str()) != 0 && errno != ENOENT) {
    return fail(Errc::io, first + ": " + std::strerror(errno));
  }
  std::error_code error;
  for (const auto& entry : list_folder(state_dir, error)) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(entry, ignored)) std::filesystem::remove(entry, ignored);
  }
  if (error) return fail(Errc::io, state_dir + ": " + error.message());
  return sync_folder(state_dir);
}

}  // namespace posthorn::fleet
