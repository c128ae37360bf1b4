
#include "chat/content/context.h"
#include "chat/content/kinds.h"
#include "posthorn/base/utf8.h"

// imageMessage, videoMessage, ptvMessage, audioMessage, documentMessage, stickerMessage (chapter 07
// section 5.2). They differ in which of the members they have, so each pair of functions below
// works on all of them and asks the type what it knows.
namespace posthorn::chat {
namespace {

using content::File;
using Image = wa::Message::ImageMessage;
using Video = wa::Message::VideoMessage;
using Audio = wa::Message::AudioMessage;
using Document = wa::Message::DocumentMessage;
using Sticker = wa::Message::StickerMessage;

/// Senders put in what they like; notifications and quotes carry it along.
constexpr std::size_t kMaxThumbnail = std::size_t{64} << 10;
constexpr std::size_t kMaxWaveform = 256;
constexpr std::size_t kMaxName = 1024;

std::string ours_or(const std::string& given, std::string fallback) {
  return given.empty() ? std::move(fallback) : given;
}

Bytes bounded(const std::string& value, std::size_t limit) {
  return value.size() <= limit ? to_bytes(value) : Bytes();
}

// Reading -----------------------------------------------------------------------------------------

template <class Part>
void read_part(const Part& part, File::Kind kind, File& file) {
  file.kind = kind;
  file.mime = cut_utf8(part.mimetype(), kMaxName);
  file.size = part.filelength();
  content::MediaPlace& place = file.place.emplace();
  place.direct_path = part.directpath();
  place.url = part.url();
  place.key = to_bytes(part.mediakey());
  place.sha256 = to_bytes(part.filesha256());
  place.enc_sha256 = to_bytes(part.fileencsha256());
  place.key_at = part.mediakeytimestamp();
  file.ref = hex_encode(place.sha256);
  if constexpr (requires { part.caption(); }) file.caption = part.caption();
  if constexpr (requires { part.seconds(); }) file.seconds = part.seconds();
  if constexpr (requires { part.height(); }) {
    file.width = part.width();
    file.height = part.height();
  }
  if constexpr (requires { part.jpegthumbnail(); }) {
    file.thumbnail = bounded(part.jpegthumbnail(), kMaxThumbnail);
  }
  if constexpr (requires { part.viewonce(); }) file.view_once = part.viewonce();
}

// Writing -----------------------------------------------------------------------------------------

template <class Part>
void write_part(const File& file, Part& part) {
  const content::MediaPlace& place = *file.place;
  part.set_mimetype(file.mime);
  part.set_filelength(file.size);
  part.set_directpath(place.direct_path);
  if (!place.url.empty()) part.set_url(place.url);
  part.set_mediakey(to_string(place.key));
  part.set_filesha256(to_string(place.sha256));
  part.set_fileencsha256(to_string(place.enc_sha256));
  part.set_mediakeytimestamp(place.key_at);
  if constexpr (requires { part.set_caption(""); }) {
    if (!file.caption.empty()) part.set_caption(file.caption);
  }
  if constexpr (requires { part.set_seconds(0); }) {
    if (file.seconds != 0) part.set_seconds(file.seconds);
  }
  if constexpr (requires { part.set_height(0); }) {
    if (file.width != 0) part.set_width(file.width);
    if (file.height != 0) part.set_height(file.height);
  }
  if constexpr (requires { part.set_jpegthumbnail(""); }) {
    if (!file.thumbnail.empty()) part.set_jpegthumbnail(to_string(file.thumbnail));
  }
}

void write_audio(const File& file, Audio& audio) {
  write_part(file, audio);
  if (file.kind != File::Kind::voice) return;
  audio.set_ptt(true);
  if (file.background != 0) audio.set_backgroundargb(file.background);
  if (!file.waveform.empty()) audio.set_waveform(to_string(file.waveform));
}

void write_document(const File& file, Document& document) {
  write_part(file, document);
  document.set_filename(file.name);
  document.set_title(file.name);
}

void write_sticker(const File& file, Sticker& sticker) {
  write_part(file, sticker);
  if (file.animated) sticker.set_isanimated(true);
  if (!file.thumbnail.empty()) sticker.set_pngthumbnail(to_string(file.thumbnail));
}

}  // namespace

bool read(const wa::Message& message, File& kind, Beside&) {
  if (message.has_imagemessage()) {
    read_part(message.imagemessage(), File::Kind::image, kind);
  } else if (message.has_videomessage()) {
    const Video& video = message.videomessage();
    read_part(video, video.gifplayback() ? File::Kind::gif : File::Kind::video, kind);
  } else if (message.has_ptvmessage()) {
    read_part(message.ptvmessage(), File::Kind::video_note, kind);
  } else if (message.has_audiomessage()) {
    const Audio& audio = message.audiomessage();
    read_part(audio, audio.ptt() ? File::Kind::voice : File::Kind::audio, kind);
    kind.waveform = bounded(audio.waveform(), kMaxWaveform);
  } else if (message.has_documentmessage()) {
    const Document& document = message.documentmessage();
    read_part(document, File::Kind::document, kind);
    kind.name = cut_utf8(ours_or(document.filename(), document.title()), kMaxName);
  } else if (message.has_stickermessage()) {
    const Sticker& sticker = message.stickermessage();
    read_part(sticker, File::Kind::sticker, kind);
    kind.animated = sticker.isanimated();
    kind.thumbnail = bounded(sticker.pngthumbnail(), kMaxThumbnail);
  } else {
    return false;
  }
  return true;
}

Result<wa::Message> write(const File& kind, const Outgoing&) {
  if (!kind.place) return fail(Errc::not_found, "the file has not been uploaded");
  wa::Message message;
  switch (kind.kind) {
    case File::Kind::image:
      write_part(kind, *message.mutable_imagemessage());
      break;
    case File::Kind::gif:
      message.mutable_videomessage()->set_gifplayback(true);
      [[fallthrough]];
    case File::Kind::video:
      write_part(kind, *message.mutable_videomessage());
      break;
    case File::Kind::video_note:
      write_part(kind, *message.mutable_ptvmessage());
      break;
    case File::Kind::audio:
    case File::Kind::voice:
      write_audio(kind, *message.mutable_audiomessage());
      break;
    case File::Kind::document: {
      // With a caption it goes in a wrapper: an older phone shows the bare form without its
      // caption.
      wa::Message& inner = kind.caption.empty()
                               ? message
                               : *message.mutable_documentwithcaptionmessage()->mutable_message();
      write_document(kind, *inner.mutable_documentmessage());
      break;
    }
    case File::Kind::sticker:
      write_sticker(kind, *message.mutable_stickermessage());
      break;
  }
  return message;
}

}  // namespace posthorn::chat
