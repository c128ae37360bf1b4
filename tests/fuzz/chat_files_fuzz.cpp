// Files of strangers and what media hosts say of them: an Ogg gives 64 bars or none, an encrypted
// file opens only whole and unchanged, and a path is one that may stand in a URL.
//
// Input: a byte for the size of the pieces, then the file, or the host's JSON.

#include <sys/mman.h>
#include <unistd.h>

#include "chat/files/opus_waveform.h"
#include "chat/files/upload_answer.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/base/media_cipher.h"

using namespace posthorn;

namespace {

constexpr std::string_view kInfo = "WhatsApp Audio Keys";

Result<Bytes> open_in_pieces(ByteView sealed, std::size_t piece) {
  crypto::MediaOpener opener(Bytes(crypto::kMediaKeyBytes), kInfo);
  Bytes plain;
  while (!sealed.empty()) {
    const ByteView now = sealed.first(std::min(piece, sealed.size()));
    sealed = sealed.subspan(now.size());
    append(plain, opener.add(now));
  }
  TRY(const Bytes last, opener.finish({}));
  append(plain, last);
  return plain;
}

void check_cipher(ByteView bytes, std::size_t piece) {
  const auto stranger = open_in_pieces(bytes, piece);
  fuzz::require(!stranger || bytes.size() >= crypto::sealed_media_size(0), "nothing short opens");
  crypto::MediaSealer sealer(Bytes(crypto::kMediaKeyBytes), kInfo);
  Bytes sealed = sealer.add(bytes);
  append(sealed, sealer.finish());
  fuzz::require(sealed.size() == crypto::sealed_media_size(bytes.size()), "its size is known");
  const auto opened = open_in_pieces(sealed, piece);
  fuzz::require(opened && *opened == to_bytes(bytes), "what is sealed opens");
  sealed[bytes.size() / 2] ^= std::byte{1};
  fuzz::require(!open_in_pieces(sealed, piece), "what was changed does not");
}

void check_waveform(ByteView bytes) {
  const int file = memfd_create("voice", MFD_CLOEXEC);
  fuzz::require(write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "");
  const Bytes bars = chat::opus_waveform("/proc/self/fd/" + std::to_string(file));
  close(file);
  fuzz::require(bars.empty() || bars.size() == 64, "64 bars or none");
  for (const std::byte bar : bars) fuzz::require(bar <= std::byte{100}, "0 .. 100");
}

void check_answers(const std::string& body) {
  const auto upload = chat::parse_upload({200, body});
  const auto resume = chat::parse_resume({200, body});
  const auto is_path = [](const std::string& path) {
    return path.starts_with("/") && path.find_first_of(" \r\n\t\"\\") == std::string::npos;
  };
  if (upload.verdict == chat::UploadAnswer::Verdict::stored)
    fuzz::require(is_path(upload.direct_path), "a file lies at a path");
  if (resume.complete) fuzz::require(is_path(resume.place.direct_path), "so does a resumed one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.byte();
  check_cipher(input.rest(), piece);
  check_waveform(input.rest());
  check_answers(to_string(input.rest()));
  return 0;
}
