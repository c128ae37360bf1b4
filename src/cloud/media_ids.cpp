#include "posthorn/cloud/media_ids.h"

#include <algorithm>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"

namespace posthorn::cloud {
namespace {

constexpr std::size_t kPerBucket = 64;
constexpr std::uint64_t kLow = 1'000'000'000'000'000;  // 16 digits

std::string id_of(const MediaIds::Media& media, std::string_view salt) {
  const crypto::Sha256 digest = crypto::sha256(
      as_bytes(media.ref + "\n" + media.mime + "\n" + media.name + "\n" + std::string(salt)));
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8U | std::to_integer<unsigned>(digest[i]);
  return std::to_string(kLow + number % (9 * kLow));
}

}  // namespace

MediaIds::MediaIds(BlobStore& blobs) : ledger_(blobs, "cloud/media", kPerBucket) {}

Result<std::string> MediaIds::add(const Media& media, std::string_view salt) {
  std::string id = id_of(media, salt);
  json::Value out;
  out["ref"] = media.ref;
  out["mime"] = media.mime;
  out["name"] = media.name;
  out["size"] = static_cast<::Json::UInt64>(media.size);
  TRY(ledger_.put(id, json::write(out)));
  return id;
}

std::optional<MediaIds::Media> MediaIds::find(const std::string& id) const {
  const auto fact = ledger_.find(id);
  const auto in = fact ? json::parse(*fact) : Result<json::Value>(json::Value());
  if (!fact || !in) return std::nullopt;
  Media out;
  out.ref = json::string_at(*in, "ref").value_or("");
  out.mime = json::string_at(*in, "mime").value_or("");
  out.name = json::string_at(*in, "name").value_or("");
  out.size =
      static_cast<std::uint64_t>(std::max<std::int64_t>(json::int_at(*in, "size").value_or(0), 0));
  if (out.ref.empty()) return std::nullopt;
  return out;
}

}  // namespace posthorn::cloud
