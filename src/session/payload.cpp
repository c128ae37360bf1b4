#include "session/payload.h"

#include <charconv>

#include "posthorn/base/crypto.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::session {
namespace {

std::string text(ByteView bytes) { return std::string(as_text(bytes)); }

Bytes serialise(const google::protobuf::MessageLite& message) {
  return to_bytes(std::string_view(message.SerializeAsString()));
}

// Zero values are set on purpose: the server expects these proto2 fields on the wire.
void fill_common(wa::ClientPayload& payload, const Version& version) {
  payload.set_passive(false);
  auto& agent = *payload.mutable_useragent();
  agent.set_platform(wa::ClientPayload::UserAgent::WEB);
  agent.mutable_appversion()->set_primary(version[0]);
  agent.mutable_appversion()->set_secondary(version[1]);
  agent.mutable_appversion()->set_tertiary(version[2]);
  agent.set_mcc("000");
  agent.set_mnc("000");
  agent.set_osversion("0.1");
  agent.set_manufacturer("");
  agent.set_device("Desktop");
  agent.set_osbuildnumber("0.1");
  agent.set_releasechannel(wa::ClientPayload::UserAgent::RELEASE);
  agent.set_localelanguageiso6391("en");
  agent.set_localecountryiso31661alpha2("US");
  payload.mutable_webinfo()->set_websubplatform(wa::ClientPayload::WebInfo::WEB_BROWSER);
  payload.set_connecttype(wa::ClientPayload::WIFI_UNKNOWN);
  payload.set_connectreason(wa::ClientPayload::USER_ACTIVATED);
}

std::string device_props(const std::string& device_name) {
  constexpr std::uint32_t kStorageQuotaMb = 10'240;
  constexpr std::uint32_t kThumbnailDays = 60;
  wa::DeviceProps props;
  props.set_os(device_name);
  props.set_platformtype(wa::DeviceProps::CHROME);
  props.set_requirefullsync(false);
  auto& history = *props.mutable_historysyncconfig();
  history.set_storagequotamb(kStorageQuotaMb);
  history.set_inlineinitialpayloadine2eemsg(true);
  history.set_supportcallloghistory(true);
  history.set_supportbotuseragentchathistory(true);
  history.set_supportcagreactionsandpolls(true);
  history.set_supportbizhostedmsg(true);
  history.set_supportrecentsyncchunkmessagecounttuning(true);
  history.set_supporthostedgroupmsg(true);
  history.set_supportfbidbotchathistory(true);
  history.set_supportmessageassociation(true);
  history.set_supportgrouphistory(true);
  history.set_thumbnailsyncdayslimit(kThumbnailDays);
  history.set_supportmanushistory(true);
  history.set_supporthatchhistory(true);
  return props.SerializeAsString();
}

}  // namespace

std::string to_string(const Version& version) {
  return std::to_string(version[0]) + "." + std::to_string(version[1]) + "." +
         std::to_string(version[2]);
}

Bytes big_endian(std::uint32_t n, std::size_t width) {
  Bytes out(width);
  for (std::size_t i = 0; i < width; ++i)
    out[width - 1 - i] = static_cast<std::byte>((n >> (8 * i)) & 0xFF);
  return out;
}

Bytes build_registration_payload(const Version& version, const RegistrationKeys& keys,
                                 const std::string& device_name) {
  wa::ClientPayload payload;
  fill_common(payload, version);
  payload.set_pull(false);
  auto& pairing = *payload.mutable_devicepairingdata();
  pairing.set_eregid(text(big_endian(keys.registration_id, 4)));
  pairing.set_ekeytype("\x05");
  pairing.set_eident(text(keys.identity_public));
  pairing.set_eskeyid(text(big_endian(keys.signed_prekey_id, 3)));
  pairing.set_eskeyval(text(keys.signed_prekey_public));
  pairing.set_eskeysig(text(keys.signed_prekey_signature));
  pairing.set_buildhash(text(crypto::md5(as_bytes(to_string(version)))));
  pairing.set_deviceprops(device_props(device_name));
  return serialise(payload);
}

Result<Bytes> build_login_payload(const Version& version, const wire::Jid& own,
                                  std::uint32_t login_counter) {
  std::uint64_t username = 0;
  const char* end = own.user.data() + own.user.size();
  const auto [stop, error] = std::from_chars(own.user.data(), end, username);
  if (error != std::errc() || stop != end || own.user.empty())
    return fail(Errc::malformed, "the own number is not made of digits");
  wa::ClientPayload payload;
  fill_common(payload, version);
  payload.set_username(username);
  payload.set_device(own.device);
  payload.set_connectattemptcount(0);
  payload.set_lc(static_cast<std::int32_t>(login_counter & 0x7FFF'FFFF));
  payload.set_pull(true);
  // We address people by phone number and by LID, so we do not claim a migrated database.
  payload.set_liddbmigrated(false);
  return serialise(payload);
}

}  // namespace posthorn::session
