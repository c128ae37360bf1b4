#include "chat/files/opus_waveform.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/folder.h"

namespace posthorn::chat {
namespace {

/// An Ogg of packets of those sizes, in pages of at most `in_page` segments.
std::string ogg(const std::vector<std::size_t>& sizes, std::size_t in_page = 40) {
  std::string segments, body, out;
  const auto end_page = [&] {
    if (segments.empty()) return;
    std::string head = "OggS" + std::string(22, '\0');
    out += head + static_cast<char>(segments.size()) + segments + body;
    segments.clear();
    body.clear();
  };
  const auto segment = [&](std::size_t size) {
    segments += static_cast<char>(size);
    body += std::string(size, 'x');
    if (segments.size() == in_page) end_page();
  };
  for (std::size_t size : sizes) {
    for (; size >= 255; size -= 255) segment(255);
    segment(size);
  }
  end_page();
  return out;
}

class OpusWaveform : public ::testing::Test {
 protected:
  std::vector<int> of(const std::string& bytes) {
    const std::string path = folder_.at("note.ogg");
    std::ofstream(path, std::ios::binary) << bytes;
    std::vector<int> out;
    for (const std::byte one : opus_waveform(path)) out.push_back(std::to_integer<int>(one));
    return out;
  }
  test::Folder folder_;
};

/// Two headers, then a quarter each of silence, speech, silence, a cry.
std::vector<std::size_t> spoken() {
  std::vector<std::size_t> sizes{19, 300};
  for (int i = 0; i < 400; ++i) {
    const int quarter = i / 100;
    sizes.push_back(quarter == 1 ? 60 : quarter == 3 ? 270 : 3);
  }
  return sizes;
}

TEST_F(OpusWaveform, RisesWhereSomebodySpeaks) {
  for (const std::size_t in_page : {7U, 40U, 255U}) {
    const auto wave = of(ogg(spoken(), in_page));
    ASSERT_EQ(wave.size(), 64U);
    EXPECT_EQ(wave[5], 0);
    EXPECT_EQ(wave[40], 0);
    EXPECT_EQ(wave[60], 100);
    EXPECT_GT(wave[24], 15);
    EXPECT_LT(wave[24], 30);
  }
}

TEST_F(OpusWaveform, OfAShortNoteHasAllItsSamples) {
  EXPECT_EQ(of(ogg({19, 300, 3, 60, 3})).size(), 64U);
}

TEST_F(OpusWaveform, IsEmptyWhereNothingCanBeTold) {
  std::vector<std::size_t> constant(102, 160);
  EXPECT_TRUE(of(ogg(constant)).empty());
  EXPECT_TRUE(of(ogg({19, 300})).empty());
  EXPECT_TRUE(of("").empty());
  EXPECT_TRUE(of("no sound at all, but text that is longer than the head of a page").empty());
  EXPECT_TRUE(opus_waveform(folder_.at("absent")).empty());
}

TEST_F(OpusWaveform, OfANoteThatIsCutIsThatOfItsBeginning) {
  const std::string whole = ogg(spoken());
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    const auto wave = of(whole.substr(0, size));
    EXPECT_TRUE(wave.empty() || wave.size() == 64U) << size;
  }
}

}  // namespace
}  // namespace posthorn::chat
