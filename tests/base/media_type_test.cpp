#include <gtest/gtest.h>

#include "posthorn/base/media_type.h"

namespace posthorn {
namespace {

TEST(MediaType, EndingsAndTypesGoBothWays) {
  EXPECT_EQ(media_type_of("invoice-118.PDF"), "application/pdf");
  EXPECT_EQ(media_type_of("C:\\photos\\cake.jpeg"), "image/jpeg");
  EXPECT_EQ(media_type_of("archive.tar"), "");
  EXPECT_EQ(media_type_of("no ending"), "");
  EXPECT_EQ(media_type_of("folder.pdf/name"), "");
  EXPECT_EQ(ending_of("audio/ogg; codecs=opus"), "ogg");
  EXPECT_EQ(ending_of("IMAGE/JPEG"), "jpg");
  EXPECT_EQ(ending_of("application/x-unheard-of"), "bin");
}

TEST(MediaType, ANameIsTheLastPartOfAPath) {
  EXPECT_EQ(file_name_in("/home/till/out/receipt.png"), "receipt.png");
  EXPECT_EQ(file_name_in("C:\\Kasse\\Beleg 1.pdf"), "Beleg 1.pdf");
  EXPECT_EQ(file_name_in("a\r\nb\x7F.png"), "ab.png");
  EXPECT_EQ(file_name_in("../.."), "");
  EXPECT_EQ(file_name_in("folder/"), "");
}

TEST(MediaType, LongNamesKeepTheirEndingAndWholeCharacters) {
  std::string long_name;
  for (int i = 0; i < 200; ++i) long_name += "\xC3\xA4";
  const std::string name = file_name_in(long_name + ".pdf");
  EXPECT_LE(name.size(), 255U);
  EXPECT_TRUE(name.ends_with("\xC3\xA4.pdf"));
}

}  // namespace
}  // namespace posthorn
