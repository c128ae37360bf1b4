#include <algorithm>
#include <array>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "simulator/cloud/impl.h"

// Media up and down.
namespace posthorn::simulator {
namespace {

constexpr std::int64_t kUploadLife = 30 * 86'400;
constexpr std::int64_t kLinkLife = 300;
constexpr std::uint64_t kMiB = 1'048'576;

/// Kinds that are taken, and how large they may be. Source: Meta's table of supported media.
struct Limit {
  std::string_view type;
  std::uint64_t bytes;
};
constexpr std::array kLimits{Limit{"image/jpeg", 5 * kMiB},   Limit{"image/png", 5 * kMiB},
                             Limit{"image/webp", kMiB / 2},   Limit{"audio/", 16 * kMiB},
                             Limit{"video/mp4", 16 * kMiB},   Limit{"video/3gpp", 16 * kMiB},
                             Limit{"text/plain", 100 * kMiB}, Limit{"application/", 100 * kMiB}};

struct Part {
  std::string name, file_name, type, body;
};

std::string quoted_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(std::string(name) + "=\"");
  if (at == std::string_view::npos) return "";
  const std::size_t begin = at + name.size() + 2;
  const std::size_t end = text.find('"', begin);
  return end == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin));
}

/// RFC 7578, as far as clients of this API use it.
std::vector<Part> parts_of(std::string_view body, const std::string& boundary) {
  std::vector<Part> out;
  const std::string mark = "--" + boundary;
  std::size_t at = body.find(mark);
  while (at != std::string_view::npos && !boundary.empty()) {
    const std::size_t head = at + mark.size() + 2;
    const std::size_t next = body.find("\r\n" + mark, at + mark.size());
    const std::size_t blank = body.find("\r\n\r\n", head);
    if (next == std::string_view::npos || blank == std::string_view::npos || blank > next) break;
    const std::string_view headers = body.substr(head, blank - head);
    Part part;
    part.name = quoted_after(headers, " name");
    part.file_name = quoted_after(headers, "filename");
    const std::size_t type = headers.find("Content-Type: ");
    if (type != std::string_view::npos) {
      part.type = headers.substr(type + 14, headers.find('\r', type) - type - 14);
    }
    part.body = body.substr(blank + 4, next - blank - 4);
    out.push_back(std::move(part));
    at = next + 2;
  }
  return out;
}

}  // namespace

CloudAnswer Cloud::Impl::upload(const CloudRequest& request) {
  if (const auto wrong = fault("media", "")) return refuse(wrong->error);
  const std::size_t at = request.content_type.find("boundary=");
  std::string boundary = at == std::string::npos ? "" : request.content_type.substr(at + 9);
  std::erase(boundary, '"');
  CloudMedia one;
  bool product = request.query.contains("messaging_product");
  bool has_file = false;
  std::string type;
  for (Part& part : parts_of(request.body, boundary)) {
    product = product || (part.name == "messaging_product" && part.body == "whatsapp");
    if (part.name == "type") type = part.body;
    if (part.name != "file") continue;
    has_file = true;
    one.mime = part.type;
    one.name = part.file_name;
    one.bytes = std::move(part.body);
  }
  if (!type.empty()) one.mime = type;
  one.mime = one.mime.substr(0, one.mime.find(';'));
  if (!product) return refuse({100, "messaging_product is missing"});
  if (!has_file || one.bytes.empty()) return refuse({100, "file is missing"});
  const auto* limit = std::find_if(kLimits.begin(), kLimits.end(), [&one](const Limit& limit_one) {
    return one.mime.starts_with(limit_one.type);
  });
  if (limit == kLimits.end()) return refuse({100, "files of type " + one.mime + " are not taken"});
  if (one.bytes.size() > limit->bytes) return refuse({131053, "the file is too large", 400});
  one.made = now();
  const std::string id = next_id();
  json::Value shown;
  shown["id"] = id;
  shown["type"] = one.mime;
  shown["name"] = one.name;
  shown["size"] = static_cast<::Json::UInt64>(one.bytes.size());
  shown["sha256"] = hex_encode(crypto::sha256(as_bytes(one.bytes)));
  uploads.append(std::move(shown));
  add_media(id, std::move(one));
  return {.body = R"({"id":")" + id + "\"}"};
}

CloudAnswer Cloud::Impl::media_object(const CloudRequest& request, const std::string& id) {
  CloudMedia& one = media[id];
  if (now() - one.made > kUploadLife) return refuse({100, "the media is gone", 400, 33});
  if (request.method == "DELETE") {
    media.erase(id);
    return {.body = R"({"success":true})"};
  }
  const auto asked = request.query.find("phone_number_id");
  if (asked != request.query.end() && asked->second != options.number_id) {
    return refuse({100, "the media is another number's", 400, 33});
  }
  one.looked_up = now();
  json::Value out;
  out["messaging_product"] = "whatsapp";
  out["url"] = "http://" + request.host + "/lookaside/" + id;
  out["mime_type"] = one.mime;
  out["sha256"] = hex_encode(crypto::sha256(as_bytes(one.bytes)));
  out["file_size"] = std::to_string(one.bytes.size());
  out["id"] = id;
  return {.body = json::write(out)};
}

CloudAnswer Cloud::Impl::media_bytes(const std::string& id) {
  const auto found = media.find(id);
  if (found == media.end() || now() - found->second.looked_up > kLinkLife) {
    return {.status = 404, .body = "{}"};
  }
  return {.content_type = found->second.mime, .body = found->second.bytes};
}

}  // namespace posthorn::simulator
