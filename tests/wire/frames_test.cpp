#include "posthorn/wire/frames.h"

#include <gtest/gtest.h>

#include "wire/wire_support.h"

namespace posthorn::wire {
namespace {

using test::unhex;

/// Everything that can be taken now, in hex.
std::vector<std::string> take_all(FrameDecoder& decoder) {
  std::vector<std::string> out;
  while (true) {
    const auto frame = decoder.next();
    EXPECT_TRUE(frame);
    if (!frame || !*frame) return out;
    out.push_back(hex_encode(**frame));
  }
}

TEST(Frames, WritesTheLengthInThreeBytes) {
  Bytes out = unhex("ff");
  ASSERT_TRUE(append_frame(out, Bytes(0x010203)));
  EXPECT_EQ(hex_encode(ByteView(out).first(5)), "ff01020300");
  EXPECT_EQ(out.size(), 4U + 0x010203);
}

TEST(Frames, RefusesEmptyAndTooLongFrames) {
  Bytes out;
  EXPECT_FALSE(append_frame(out, {}));
  EXPECT_FALSE(append_frame(out, Bytes(kMaxFrameBytes + 1)));
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(append_frame(out, Bytes(kMaxFrameBytes)));
}

TEST(FrameDecoder, CutsTheSameFramesFromAnyPieces) {
  const Bytes stream = unhex("000001aa 000003010203 000002bbcc");
  const std::vector<std::string> expected{"aa", "010203", "bbcc"};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameDecoder decoder;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      decoder.feed(ByteView(stream).subspan(at, std::min(piece, stream.size() - at)));
      for (auto& frame : take_all(decoder)) got.push_back(std::move(frame));
    }
    EXPECT_EQ(got, expected) << "pieces of " << piece;
    EXPECT_EQ(decoder.buffered(), 0U);
  }
}

TEST(FrameDecoder, DropsFramesOfLengthZero) {
  FrameDecoder decoder;
  decoder.feed(unhex("000000 000000 000001aa 000000"));
  EXPECT_EQ(take_all(decoder), std::vector<std::string>{"aa"});
  EXPECT_EQ(decoder.buffered(), 0U);
}

TEST(FrameDecoder, RefusesAFrameOverItsLimitBeforeItIsThere) {
  FrameDecoder decoder(16);
  decoder.feed(unhex("000010"));
  EXPECT_TRUE(decoder.next());
  FrameDecoder strict(15);
  strict.feed(unhex("000010"));
  const auto frame = strict.next();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, Errc::malformed);
  EXPECT_FALSE(strict.next()) << "the error stays";
}

TEST(FrameDecoder, TakesTheLargestFrame) {
  Bytes stream;
  ASSERT_TRUE(append_frame(stream, Bytes(kMaxFrameBytes, std::byte{1})));
  append(stream, unhex("000001aa"));
  FrameDecoder decoder;
  for (std::size_t at = 0; at < stream.size(); at += 65536) {
    decoder.feed(ByteView(stream).subspan(at, std::min<std::size_t>(65536, stream.size() - at)));
  }
  const auto frame = decoder.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->size(), kMaxFrameBytes);
  EXPECT_EQ(take_all(decoder), std::vector<std::string>{"aa"});
}

}  // namespace
}  // namespace posthorn::wire
