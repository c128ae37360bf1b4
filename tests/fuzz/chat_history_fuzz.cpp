// A file of the phone's history: pieces do not change what is taken out of it, and what is kept of
// one file has its bound.
//
// Input: a byte for the size of the pieces, whose lowest bit says whether the rest is compressed
// here (a HistorySync) or is what a media host sent.

#include <zlib.h>

#include "chat/history/reader.h"
#include "fuzz/fuzz_support.h"

using namespace posthorn;

namespace {

Bytes deflate_all(ByteView plain) {
  uLongf size = compressBound(plain.size());
  Bytes out(size);
  const int done = compress(reinterpret_cast<Bytef*>(out.data()), &size,
                            reinterpret_cast<const Bytef*>(plain.data()), plain.size());
  fuzz::require(done == Z_OK, "anything can be compressed");
  out.resize(size);
  return out;
}

Result<chat::HistoryDigest> read(ByteView file, std::size_t piece) {
  chat::HistoryReader reader;
  while (!file.empty()) {
    const ByteView now = file.first(std::min(piece, file.size()));
    file = file.subspan(now.size());
    TRY(reader.add(now));
  }
  return reader.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t choice = input.byte();
  const ByteView rest = input.rest();
  const Bytes file = (choice & 1) != 0 ? to_bytes(rest) : deflate_all(rest);
  const auto whole = read(file, file.size());
  const auto pieces = read(file, 1 + choice / 2);
  fuzz::require(whole.has_value() == pieces.has_value(), "pieces do not change the outcome");
  if (!whole) {
    fuzz::require(whole.error().code == Errc::malformed || whole.error().code == Errc::full,
                  "it is malformed or too much");
    return 0;
  }
  fuzz::require(whole->bytes == pieces->bytes && whole->messages == pieces->messages &&
                    whole->names.size() == pieces->names.size() && whole->same == pieces->same &&
                    whole->salt == pieces->salt && whole->cut == pieces->cut,
                "pieces do not change what is read");
  fuzz::require(whole->bytes <= chat::HistoryReader::kMostKept, "what is kept has its bound");
  fuzz::require(whole->conversations.size() == pieces->conversations.size(), "nor the chats");
  for (const auto& chat : whole->conversations) {
    fuzz::require(!chat.id.empty() && chat.id.size() <= 80, "a chat has a short id");
    fuzz::require(chat.unanswered <= 255 && chat.heard_at >= 0 && chat.since >= 0, "counts, times");
  }
  return 0;
}
