#include "chat/files/page_head.h"

#include <gtest/gtest.h>

namespace posthorn::chat {
namespace {

TEST(PageHead, OpenGraphCountsBeforeTheRest) {
  const PageHead head = read_page_head(R"(<!doctype html><html><head>
    <title>Shop &amp; more</title>
    <meta name="description" content="for search engines">
    <META PROPERTY='og:title' CONTENT='Today&#39;s menu'>
    <meta content="12 dishes,&nbsp;all fresh" property="og:description"/>
    <meta property=og:image content=/m.jpg>
    </head><body><meta property="og:title" content="later"></body>)");
  EXPECT_EQ(head.title, "Today's menu");
  EXPECT_EQ(head.description, "12 dishes, all fresh");
  EXPECT_EQ(head.picture, "/m.jpg");
}

TEST(PageHead, APlainPageHasItsTitle) {
  const PageHead head = read_page_head("<title>\n  Caf\xC3\xA9 &ndash; Bread &#x1F35E;\t</title>");
  EXPECT_EQ(head.title, "Caf\xC3\xA9 \xE2\x80\x93 Bread \xF0\x9F\x8D\x9E");
  EXPECT_EQ(head.description, "");
}

TEST(PageHead, ScriptsAndCommentsSayNothing) {
  const PageHead head = read_page_head(
      R"(<script>var a = '<meta property="og:title" content="wrong">';</script>)"
      R"(<!-- <title>wrong</title> --><style>a{}</style><svg><title>icon</title></svg>)"
      R"(<title>right</title>)");
  EXPECT_EQ(head.title, "right");
}

TEST(PageHead, OldPagesAreReadAsWindows1252) {
  EXPECT_EQ(read_page_head("<title>M\xFCnchen 5 \x80</title>").title,
            "M\xC3\xBCnchen 5 \xE2\x82\xAC");
}

TEST(PageHead, WhatHasNotComeYetIsLeftOut) {
  const std::string page =
      "<head><title>Menu</title><meta property=\"og:title\" content=\"Today's > menu\"><!-- x";
  for (std::size_t size = 0; size <= page.size(); ++size) {
    const PageHead head = read_page_head(std::string_view(page).substr(0, size));
    EXPECT_TRUE(head.title.empty() || head.title == "Menu" || head.title == "Today's > menu")
        << head.title;
  }
  EXPECT_EQ(read_page_head(page).title, "Today's > menu");
}

TEST(PageHead, LongTextsEndAtACharacter) {
  std::string title = "<title>";
  for (int i = 0; i < 400; ++i) title += "\xC3\xA4";
  const PageHead head = read_page_head(title + "</title>");
  EXPECT_EQ(head.title.size(), 300U);
  std::string nested(200'000, '<');
  EXPECT_EQ(read_page_head(nested), PageHead{});
  EXPECT_EQ(read_page_head(std::string("<title>a\x01 b\0c</title>", 21)).title, "a b c")
      << "one line";
}

TEST(PageHead, PicturesAreSeenFromThePage) {
  const char* page = "https://shop.example/menu/today?x=1#y";
  EXPECT_EQ(join_url(page, "https://cdn.example/a.jpg"), "https://cdn.example/a.jpg");
  EXPECT_EQ(join_url(page, "//cdn.example/a.jpg"), "https://cdn.example/a.jpg");
  EXPECT_EQ(join_url(page, "/a.jpg"), "https://shop.example/a.jpg");
  EXPECT_EQ(join_url(page, "a.jpg"), "https://shop.example/menu/a.jpg");
  EXPECT_EQ(join_url(page, "?p=2"), "https://shop.example/menu/today?p=2");
  EXPECT_EQ(join_url("https://shop.example", "a.jpg"), "https://shop.example/a.jpg");
  for (const char* bad : {"", "data:image/png;base64,AA", "ftp://a.example/b", "file:///etc/passwd",
                          "javascript:x", "a b.jpg"}) {
    EXPECT_EQ(join_url(page, bad), "") << bad;
  }
  EXPECT_EQ(join_url("file:///etc/passwd", "a"), "");
}

}  // namespace
}  // namespace posthorn::chat
