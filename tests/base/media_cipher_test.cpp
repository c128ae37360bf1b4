#include <gtest/gtest.h>

#include "posthorn/base/media_cipher.h"
#include "posthorn/base/sha256_stream.h"
#include "support/vectors.h"

namespace posthorn::crypto {
namespace {

std::string text_at(const json::Value& in, const char* name) {
  return json::string_at(in, name).value_or("");
}

/// In pieces of that size.
Bytes seal(MediaSealer& sealer, ByteView plain, std::size_t piece) {
  Bytes out;
  for (std::size_t at = 0; at < plain.size(); at += piece) {
    append(out, sealer.add(plain.subspan(at, std::min(piece, plain.size() - at))));
  }
  append(out, sealer.finish());
  return out;
}

Result<Bytes> open(ByteView key, const std::string& info, ByteView sealed, ByteView hash,
                   std::size_t piece) {
  MediaOpener opener(key, info);
  Bytes out;
  for (std::size_t at = 0; at < sealed.size(); at += piece) {
    append(out, opener.add(sealed.subspan(at, std::min(piece, sealed.size() - at))));
  }
  TRY(const Bytes last, opener.finish(hash));
  append(out, last);
  return out;
}

TEST(MediaCipher, MatchesTheVectorsInPiecesOfAnySize) {
  const auto vectors = test::load_vectors("media.json");
  const Bytes key = *hex_decode(text_at(vectors, "mediaKey"));
  std::size_t files = 0;
  for (const auto& entry : vectors["cases"]) {
    const std::string info = text_at(entry, "hkdfInfo");
    for (const auto& file : entry["files"]) {
      SCOPED_TRACE(text_at(entry, "type") + " " + text_at(file, "plaintextLabel"));
      const Bytes plain = *hex_decode(text_at(file, "plaintext"));
      const Bytes expected = *hex_decode(text_at(file, "encrypted"));
      const Bytes hash = *base64_decode(text_at(file, "fileEncSha256"));
      for (const std::size_t piece : {1U, 7U, 16U, 64U}) {
        MediaSealer sealer(key, info);
        EXPECT_EQ(seal(sealer, plain, piece), expected);
        EXPECT_EQ(to_bytes(ByteView(sealer.sealed_hash())), hash);
        EXPECT_EQ(sealed_media_size(plain.size()), expected.size());
        const auto opened = open(key, info, expected, hash, piece);
        ASSERT_TRUE(opened) << opened.error().detail;
        EXPECT_EQ(*opened, plain);
        ++files;
      }
    }
  }
  EXPECT_GE(files, 64U);
}

TEST(MediaCipher, MatchesTheLargeVectors) {
  const auto vectors = test::load_vectors("media.json");
  const Bytes key = *hex_decode(text_at(vectors, "mediaKey"));
  for (const auto& entry : vectors["large"]["cases"]) {
    Bytes plain;
    const auto length = json::int_at(entry, "plaintextLength").value_or(0);
    for (std::int64_t i = 0; i < length; ++i) {
      plain.push_back(static_cast<std::byte>((31 * i + (i >> 8)) & 0xFF));
    }
    MediaSealer sealer(key, "WhatsApp Video Keys");
    const Bytes sealed = seal(sealer, plain, 65'536);
    EXPECT_EQ(hex_encode(sealer.sealed_hash()), text_at(entry, "fileEncSha256"));
    EXPECT_EQ(hex_encode(ByteView(sealed).last(kMediaMacBytes)), text_at(entry, "mac"));
  }
}

TEST(MediaCipher, RefusesWhatWasChanged) {
  const Bytes key(32, std::byte{9});
  const std::string info = "WhatsApp Document Keys";
  MediaSealer sealer(key, info);
  const Bytes sealed = seal(sealer, as_bytes("an invoice of forty bytes or something"), 16);
  const Sha256 hash = sealer.sealed_hash();
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes changed = sealed;
    changed[at] ^= std::byte{1};
    EXPECT_FALSE(open(key, info, changed, {}, 64)) << "the MAC sees byte " << at;
    EXPECT_FALSE(open(key, info, changed, hash, 64));
  }
  EXPECT_FALSE(open(key, info, ByteView(sealed).first(sealed.size() - 16), {}, 64)) << "cut";
  EXPECT_FALSE(open(key, info, ByteView(sealed).first(9), {}, 64)) << "shorter than a MAC";
  EXPECT_FALSE(open(key, info, {}, {}, 64));
  EXPECT_FALSE(open(key, "WhatsApp Image Keys", sealed, {}, 64)) << "another kind's keys";
}

}  // namespace
}  // namespace posthorn::crypto
