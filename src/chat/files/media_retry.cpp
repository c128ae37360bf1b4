#include "chat/files/media_retry.h"

#include "posthorn/base/crypto.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {
namespace {

using wire::Node;

constexpr std::size_t kIvBytes = 12;

Bytes retry_key(ByteView media_key) {
  return crypto::hkdf_sha256(media_key, {}, as_bytes("WhatsApp Media Retry Notification"), 32);
}

}  // namespace

Node build_media_retry(const MediaRetryRequest& request, ByteView media_key, Random& random) {
  wa::ServerErrorReceipt plain;
  plain.set_stanzaid(request.message_id);
  const Bytes iv = random.bytes(kIvBytes);
  Bytes sealed = crypto::aes_gcm_encrypt(retry_key(media_key), iv, as_bytes(request.message_id),
                                         as_bytes(plain.SerializeAsString()));
  Node encrypt("encrypt", {},
               std::vector{Node("enc_p", {}, std::move(sealed)), Node("enc_iv", {}, iv)});
  Node rmr("rmr", {{"jid", request.chat}, {"from_me", request.from_me ? "true" : "false"}});
  if (!request.participant.empty()) rmr.set_attr("participant", request.participant);
  return Node("receipt",
              {{"id", request.message_id}, {"to", request.own}, {"type", "server-error"}},
              std::vector{std::move(encrypt), std::move(rmr)});
}

Result<std::string> parse_media_retry(const Node& notification, ByteView media_key) {
  const Node* encrypt = notification.child("encrypt");
  const Node* payload = encrypt == nullptr ? nullptr : encrypt->child("enc_p");
  const Node* iv = encrypt == nullptr ? nullptr : encrypt->child("enc_iv");
  if (payload == nullptr || iv == nullptr) {
    return fail(Errc::not_found, "the phone does not have the file any more");
  }
  if (iv->bytes().size() != kIvBytes) return fail(Errc::malformed, "media retry: iv");
  const std::string id = notification.text_attr("id");
  TRY(const Bytes plain,
      crypto::aes_gcm_decrypt(retry_key(media_key), iv->bytes(), as_bytes(id), payload->bytes()));
  wa::MediaRetryNotification answer;
  if (!answer.ParseFromArray(plain.data(), static_cast<int>(plain.size())) ||
      answer.stanzaid() != id) {
    return fail(Errc::malformed, "media retry: not about this message");
  }
  if (answer.result() != wa::MediaRetryNotification::SUCCESS) {
    return fail(Errc::not_found, "the phone does not have the file any more");
  }
  if (!answer.directpath().starts_with("/")) return fail(Errc::malformed, "media retry: path");
  return answer.directpath();
}

}  // namespace posthorn::chat
