#include "posthorn/base/proxy.h"

#include <charconv>
#include <optional>

#include "posthorn/base/bytes.h"

namespace posthorn {

namespace {

constexpr const char* kForm = "must be http://host:port or http://user:password@host:port";
constexpr std::size_t kAnswerAtMost = 8192;

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto byte = hex_decode(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    out += static_cast<char>(byte->front());
    i += 2;
  }
  return out;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
}

/// "host", "host:port", "[::1]:port"
Result<void> take_address(std::string_view text, Proxy& out) {
  const std::size_t colon = text.starts_with('[') ? text.find(':', text.find(']')) : text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size() || out.port == 0) {
      return fail(Errc::malformed, kForm);
    }
    text = text.substr(0, colon);
  }
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  for (const char c : text) {
    if (!is_host_character(c)) return fail(Errc::malformed, kForm);
  }
  if (text.empty()) return fail(Errc::malformed, kForm);
  out.host = text;
  return {};
}

}  // namespace

Result<Proxy> parse_proxy(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return fail(Errc::malformed, kForm);
  url.remove_prefix(kScheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  Proxy proxy;
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = url.substr(0, at);
    const std::size_t colon = who.find(':');
    const auto user = percent_decode(who.substr(0, colon));
    const auto password = colon == std::string_view::npos ? std::optional<std::string>("")
                                                          : percent_decode(who.substr(colon + 1));
    if (!user || user->empty() || !password) return fail(Errc::malformed, kForm);
    proxy.user = *user;
    proxy.password = *password;
    url.remove_prefix(at + 1);
  }
  TRY(take_address(url, proxy));
  return proxy;
}

std::string build_connect(const Proxy& proxy, std::string_view host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  const std::string target =
      (v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + std::to_string(port);
  std::string out = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy.user.empty()) {
    out += "Proxy-Authorization: Basic " +
           base64_encode(as_bytes(proxy.user + ":" + proxy.password)) + "\r\n";
  }
  return out + "\r\n";
}

Result<bool> parse_connect_answer(std::string_view so_far) {
  const std::size_t end = so_far.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (so_far.size() <= kAnswerAtMost) return false;
    return fail(Errc::malformed, "the proxy's answer has no end");
  }
  const std::string_view line = so_far.substr(0, so_far.find("\r\n"));
  if (!line.starts_with("HTTP/1.") || line.size() < 12) {
    return fail(Errc::malformed, "the proxy does not speak HTTP");
  }
  const std::string_view status = line.substr(9, 3);
  if (status == "200") return true;
  const bool who = status == "407";
  return fail(Errc::refused, "the proxy answered " + std::string(status) +
                                 (who ? ": user name or password are wrong" : ""));
}

}  // namespace posthorn
