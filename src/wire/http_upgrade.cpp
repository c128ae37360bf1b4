#include "wire/http_upgrade.h"

#include <algorithm>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"

namespace posthorn::wire {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
/// RFC 6455 section 1.3.
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeyNonceBytes = 16;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

struct Head {
  std::string_view first_line;
  struct Field {
    std::string_view name, value;
  };
  std::vector<Field> fields;

  /// nullopt: absent, or there more than once.
  [[nodiscard]] std::optional<std::string_view> only(std::string_view name) const {
    std::optional<std::string_view> found;
    for (const Field& field : fields) {
      if (!same_ignoring_case(field.name, name)) continue;
      if (found) return std::nullopt;
      found = field.value;
    }
    return found;
  }
  [[nodiscard]] bool has(std::string_view name) const {
    return std::any_of(fields.begin(), fields.end(),
                       [name](const Field& f) { return same_ignoring_case(f.name, name); });
  }
  /// Whether a comma-separated field, which may be repeated, lists the word.
  [[nodiscard]] bool lists(std::string_view name, std::string_view word) const {
    for (const Field& field : fields) {
      if (!same_ignoring_case(field.name, name)) continue;
      std::string_view rest = field.value;
      while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (same_ignoring_case(trim(rest.substr(0, comma)), word)) return true;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    }
    return false;
  }
};

Result<Head> read_head(std::string_view text) {
  Head head;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = text.find(kLineEnd);
    if (end == std::string_view::npos) return fail(Errc::malformed, "HTTP: line without end");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + kLineEnd.size());
    if (line.empty()) return head;
    if (first) {
      head.first_line = line;
      first = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, std::min(colon, line.size()));
    if (colon == std::string_view::npos || name.empty() ||
        name.find_first_of(" \t") != std::string_view::npos) {
      return fail(Errc::malformed, "HTTP: not a header field");
    }
    head.fields.push_back({name, trim(line.substr(colon + 1))});
  }
  return fail(Errc::malformed, "HTTP: head without end");
}

/// "101" of "HTTP/1.1 101 Switching Protocols"; empty: not a status line.
std::string_view status_of(std::string_view line) {
  if (!line.starts_with("HTTP/1.1 ")) return {};
  const std::string_view status = line.substr(9, 3);
  const bool digits = status.size() == 3 && std::all_of(status.begin(), status.end(), [](char c) {
                        return c >= '0' && c <= '9';
                      });
  const bool ends = line.size() == 12 || (line.size() > 12 && line[12] == ' ');
  return digits && ends ? status : std::string_view();
}

/// The path of "GET /path?query HTTP/1.1" without the query; nullopt: another method or version.
std::optional<std::string_view> path_of(std::string_view line) {
  constexpr std::string_view kMethod = "GET ";
  constexpr std::string_view kVersion = " HTTP/1.1";
  if (line.size() < kMethod.size() + kVersion.size() || !line.starts_with(kMethod) ||
      !line.ends_with(kVersion)) {
    return std::nullopt;
  }
  line.remove_prefix(kMethod.size());
  line.remove_suffix(kVersion.size());
  return line.substr(0, line.find('?'));
}

/// Text of a server, made safe for a log line.
std::string printable(std::string_view text) {
  constexpr std::size_t kMost = 100;
  std::string out(text.substr(0, kMost));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 404:
      return "Not Found";
    case 426:
      return "Upgrade Required";
    default:
      return "Bad Request";
  }
}

}  // namespace

std::optional<std::size_t> find_head_end(std::string_view received) {
  const std::size_t end = received.find(kHeadEnd);
  if (end == std::string_view::npos) return std::nullopt;
  return end + kHeadEnd.size();
}

std::string accept_value(std::string_view key) {
  return base64_encode(crypto::sha1(as_bytes(std::string(key) + std::string(kGuid))));
}

std::string build_upgrade_request(const WebSocketRequest& request, std::string_view key) {
  std::string out = "GET " + request.path + " HTTP/1.1\r\n";
  const auto field = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append(kLineEnd);
  };
  field("Host", request.host);
  field("Connection", "Upgrade");
  field("Upgrade", "websocket");
  field("Sec-WebSocket-Version", "13");
  field("Sec-WebSocket-Key", key);
  if (!request.origin.empty()) field("Origin", request.origin);
  field("Cache-Control", "no-cache");
  field("Pragma", "no-cache");
  return out.append(kLineEnd);
}

Result<void> parse_upgrade_response(std::string_view text, std::string_view key) {
  TRY(const Head head, read_head(text));
  const std::string_view status = status_of(head.first_line);
  if (status.empty()) return fail(Errc::malformed, "WebSocket upgrade: not an HTTP/1.1 answer");
  if (status != "101") {
    return fail(Errc::refused, "WebSocket upgrade: " + printable(head.first_line));
  }
  if (!head.lists("Upgrade", "websocket") || !head.lists("Connection", "Upgrade")) {
    return fail(Errc::malformed, "WebSocket upgrade: the answer is not an upgrade");
  }
  if (head.only("Sec-WebSocket-Accept") != accept_value(key)) {
    return fail(Errc::malformed, "WebSocket upgrade: wrong accept value");
  }
  if (head.has("Sec-WebSocket-Extensions") || head.has("Sec-WebSocket-Protocol")) {
    return fail(Errc::malformed, "WebSocket upgrade: an extension that was not offered");
  }
  return {};
}

UpgradeRequest parse_upgrade_request(std::string_view text, std::string_view path) {
  const auto answer = [](int status) { return UpgradeRequest{status, {}}; };
  const Result<Head> head = read_head(text);
  if (!head) return answer(400);
  const auto asked = path_of(head->first_line);
  if (!asked || !head->only("Host")) return answer(400);
  if (*asked != path) return answer(404);
  if (!head->lists("Upgrade", "websocket") || !head->lists("Connection", "Upgrade") ||
      head->only("Sec-WebSocket-Version") != "13") {
    return answer(426);
  }
  const auto key = head->only("Sec-WebSocket-Key");
  const auto nonce = key ? base64_decode(*key) : std::nullopt;
  if (!nonce || nonce->size() != kKeyNonceBytes) return answer(400);
  return {101, std::string(*key)};
}

std::string build_upgrade_response(const UpgradeRequest& request) {
  if (request.status == 101) {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           accept_value(request.key) + "\r\n\r\n";
  }
  std::string out = "HTTP/1.1 " + std::to_string(request.status) + " " +
                    std::string(reason_phrase(request.status)) +
                    "\r\nConnection: close\r\nContent-Length: 0\r\n";
  if (request.status == 426) out += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  return out + "\r\n";
}

}  // namespace posthorn::wire
