#include "posthorn/cloud/box_identity.h"

#include "posthorn/base/json.h"

namespace posthorn::cloud {
namespace {

constexpr const char* kBlob = "cloud/identity";
constexpr std::uint64_t kIdLow = 100'000'000'000'000;
constexpr std::uint64_t kIdHigh = 999'999'999'999'999;
constexpr std::size_t kSecretBytes = 16;

}  // namespace

Result<BoxIdentity> load_identity(BlobStore& blobs, Random& random) {
  BoxIdentity out;
  TRY(const auto blob, blobs.load(kBlob));
  if (blob) {
    const auto in = json::parse(as_text(*blob));
    const json::Value kept = in ? *in : json::Value();
    out.phone_number_id = json::string_at(kept, "phone_number_id").value_or("");
    out.waba_id = json::string_at(kept, "waba_id").value_or("");
    out.app_secret = json::string_at(kept, "app_secret").value_or("");
    out.verify_token = json::string_at(kept, "verify_token").value_or("");
    out.callback_url = json::string_at(kept, "callback_url").value_or("");
  }
  if (!out.phone_number_id.empty() && !out.waba_id.empty() && !out.app_secret.empty()) return out;
  out.phone_number_id = std::to_string(random.between(kIdLow, kIdHigh));
  do {
    out.waba_id = std::to_string(random.between(kIdLow, kIdHigh));
  } while (out.waba_id == out.phone_number_id);
  out.app_secret = hex_encode(random.bytes(kSecretBytes));
  out.verify_token = hex_encode(random.bytes(kSecretBytes));
  TRY(save_identity(blobs, out));
  return out;
}

Result<void> save_identity(BlobStore& blobs, const BoxIdentity& identity) {
  json::Value out;
  out["phone_number_id"] = identity.phone_number_id;
  out["waba_id"] = identity.waba_id;
  out["app_secret"] = identity.app_secret;
  out["verify_token"] = identity.verify_token;
  out["callback_url"] = identity.callback_url;
  return blobs.save(kBlob, as_bytes(json::write(out)));
}

}  // namespace posthorn::cloud
