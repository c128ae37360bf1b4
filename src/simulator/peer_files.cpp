#include "simulator/peer_files.h"

#include <array>
#include <string_view>

#include "posthorn/base/crypto.h"
#include "posthorn/base/media_cipher.h"
#include "simulator/media_shelf.h"

namespace posthorn::simulator {
namespace {

struct Kind {
  std::string_view name;
  std::string_view type;  ///< of the upload
  std::string_view info;
};
constexpr std::array<Kind, 8> kKinds{{
    {"image", "image", "WhatsApp Image Keys"},
    {"sticker", "image", "WhatsApp Image Keys"},
    {"video", "video", "WhatsApp Video Keys"},
    {"gif", "video", "WhatsApp Video Keys"},
    {"video_note", "video", "WhatsApp Video Keys"},
    {"audio", "audio", "WhatsApp Audio Keys"},
    {"voice", "audio", "WhatsApp Audio Keys"},
    {"document", "document", "WhatsApp Document Keys"},
}};

const Kind* kind_named(std::string_view name) {
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

struct Sealed {
  Bytes key, sha256, enc_sha256;
  std::string path;
};

Sealed seal(const PeerFile& file, const Kind& kind, MediaShelf& shelf, Random& random) {
  Sealed out;
  out.key = random.bytes(crypto::kMediaKeyBytes);
  crypto::MediaSealer sealer(out.key, kind.info);
  Bytes sealed = sealer.add(file.bytes);
  append(sealed, sealer.finish());
  out.sha256 = to_bytes(ByteView(crypto::sha256(file.bytes)));
  if (file.lies) out.sha256[0] ^= std::byte{1};
  out.enc_sha256 = to_bytes(ByteView(crypto::sha256(sealed)));
  out.path = shelf.put(std::string(kind.type), std::move(sealed));
  return out;
}

/// What every kind of file has; the rest where the type has it.
template <class Part>
void fill(const PeerFile& file, const Sealed& sealed, std::int64_t now, Part& part) {
  part.set_mimetype(file.mime);
  part.set_filesha256(to_string(sealed.sha256));
  part.set_filelength(file.bytes.size());
  part.set_mediakey(to_string(sealed.key));
  part.set_fileencsha256(to_string(sealed.enc_sha256));
  part.set_directpath(sealed.path);
  part.set_mediakeytimestamp(now);
  if constexpr (requires { part.set_caption(""); }) {
    if (!file.caption.empty()) part.set_caption(file.caption);
  }
  if constexpr (requires { part.set_seconds(0); }) part.set_seconds(file.seconds);
  if constexpr (requires { part.set_height(0); }) {
    part.set_height(file.height);
    part.set_width(file.width);
  }
  if constexpr (requires { part.set_jpegthumbnail(""); }) {
    if (!file.thumbnail.empty()) part.set_jpegthumbnail(to_string(file.thumbnail));
  }
  if constexpr (requires { part.set_viewonce(true); }) {
    if (file.view_once) part.set_viewonce(true);
  }
}

const wa::Message& inside(const wa::Message& message) {
  if (message.has_devicesentmessage()) return inside(message.devicesentmessage().message());
  if (message.has_documentwithcaptionmessage()) {
    return inside(message.documentwithcaptionmessage().message());
  }
  return message;
}

/// visit(part) for the file that a message brings.
template <class Visit>
void with_file(const wa::Message& outer, Visit visit) {
  const wa::Message& message = inside(outer);
  if (message.has_imagemessage()) visit(message.imagemessage());
  if (message.has_videomessage()) visit(message.videomessage());
  if (message.has_ptvmessage()) visit(message.ptvmessage());
  if (message.has_audiomessage()) visit(message.audiomessage());
  if (message.has_documentmessage()) visit(message.documentmessage());
  if (message.has_stickermessage()) visit(message.stickermessage());
}

}  // namespace

Result<wa::Message> build_peer_file(const PeerFile& file, MediaShelf& shelf, Random& random,
                                    std::int64_t now) {
  const Kind* kind = kind_named(file.kind);
  if (kind == nullptr) {
    return fail(Errc::malformed,
                "kind: image, video, gif, video_note, audio, voice, document, sticker");
  }
  const Sealed sealed = seal(file, *kind, shelf, random);
  wa::Message message;
  if (file.kind == "image") fill(file, sealed, now, *message.mutable_imagemessage());
  if (file.kind == "video") fill(file, sealed, now, *message.mutable_videomessage());
  if (file.kind == "gif") {
    fill(file, sealed, now, *message.mutable_videomessage());
    message.mutable_videomessage()->set_gifplayback(true);
  }
  if (file.kind == "video_note") fill(file, sealed, now, *message.mutable_ptvmessage());
  if (file.kind == "audio" || file.kind == "voice") {
    fill(file, sealed, now, *message.mutable_audiomessage());
    message.mutable_audiomessage()->set_ptt(file.kind == "voice");
  }
  if (file.kind == "document") {
    wa::Message& target = file.caption.empty()
                              ? message
                              : *message.mutable_documentwithcaptionmessage()->mutable_message();
    fill(file, sealed, now, *target.mutable_documentmessage());
    target.mutable_documentmessage()->set_filename(file.name);
  }
  if (file.kind == "sticker") fill(file, sealed, now, *message.mutable_stickermessage());
  message.mutable_messagecontextinfo()->set_messagesecret(to_string(random.bytes(32)));
  return message;
}

std::string file_kind(const wa::Message& outer) {
  const wa::Message& message = inside(outer);
  if (message.has_imagemessage()) return "image";
  if (message.has_videomessage()) return message.videomessage().gifplayback() ? "gif" : "video";
  if (message.has_ptvmessage()) return "video_note";
  if (message.has_audiomessage()) return message.audiomessage().ptt() ? "voice" : "audio";
  if (message.has_documentmessage()) return "document";
  if (message.has_stickermessage()) return "sticker";
  return "";
}

std::optional<Bytes> open_peer_file(const wa::Message& message, const MediaShelf& shelf) {
  const Kind* kind = kind_named(file_kind(message));
  std::optional<Bytes> out;
  if (kind == nullptr) return out;
  with_file(message, [&](const auto& part) {
    const Bytes* sealed = shelf.find(part.directpath());
    if (sealed == nullptr || part.mediakey().size() != crypto::kMediaKeyBytes) return;
    crypto::MediaOpener opener(as_bytes(part.mediakey()), kind->info);
    Bytes plain = opener.add(*sealed);
    const auto last = opener.finish(as_bytes(part.fileencsha256()));
    if (!last) return;
    append(plain, *last);
    const auto hash = crypto::sha256(plain);
    if (part.filelength() != plain.size() || as_text(hash) != part.filesha256()) return;
    out = std::move(plain);
  });
  return out;
}

std::string file_caption(const wa::Message& message) {
  std::string out;
  with_file(message, [&out](const auto& part) {
    if constexpr (requires { part.caption(); }) out = part.caption();
  });
  return out;
}

PeerFilePlace file_place(const wa::Message& message) {
  PeerFilePlace out;
  with_file(message, [&out](const auto& part) {
    out = {part.directpath(), to_bytes(part.mediakey())};
  });
  return out;
}

Result<wire::Node> answer_media_retry(const PeerFilePlace& place, const wire::Node& receipt,
                                      const std::string& id, const std::string& new_path,
                                      Random& random) {
  const Bytes key =
      crypto::hkdf_sha256(place.media_key, {}, as_bytes("WhatsApp Media Retry Notification"), 32);
  const wire::Node* encrypt = receipt.child("encrypt");
  const wire::Node* payload = encrypt == nullptr ? nullptr : encrypt->child("enc_p");
  const wire::Node* iv = encrypt == nullptr ? nullptr : encrypt->child("enc_iv");
  if (payload == nullptr || iv == nullptr || iv->bytes().size() != 12) {
    return fail(Errc::malformed, "media retry");
  }
  TRY(const Bytes asked, crypto::aes_gcm_decrypt(key, iv->bytes(), as_bytes(id), payload->bytes()));
  wa::ServerErrorReceipt request;
  if (!request.ParseFromArray(asked.data(), static_cast<int>(asked.size())) ||
      request.stanzaid() != id) {
    return fail(Errc::malformed, "media retry: another message");
  }
  wa::MediaRetryNotification answer;
  answer.set_stanzaid(id);
  answer.set_result(new_path.empty() ? wa::MediaRetryNotification::GENERAL_ERROR
                                     : wa::MediaRetryNotification::SUCCESS);
  if (!new_path.empty()) answer.set_directpath(new_path);
  const Bytes nonce = random.bytes(12);
  Bytes sealed =
      crypto::aes_gcm_encrypt(key, nonce, as_bytes(id), as_bytes(answer.SerializeAsString()));
  return wire::Node(
      "encrypt", {},
      std::vector{wire::Node("enc_p", {}, std::move(sealed)), wire::Node("enc_iv", {}, nonce)});
}

}  // namespace posthorn::simulator
