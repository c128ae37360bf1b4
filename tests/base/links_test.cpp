#include "posthorn/base/links.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

TEST(Links, TheFirstOneOfATextIsFoundAsAPhoneUnderlinesIt) {
  const std::pair<const char*, const char*> rows[] = {
      {"Menu: https://shop.example/menu", "https://shop.example/menu"},
      {"See http://a.example/x?y=1#z, and https://b.example", "http://a.example/x?y=1#z"},
      {"(see https://a.example/b).", "https://a.example/b"},
      {"https://a.example/wiki/Cake_(food)", "https://a.example/wiki/Cake_(food)"},
      {"HTTPS://A.EXAMPLE!", "HTTPS://A.EXAMPLE"},
      {"go to www.shop.example now", "www.shop.example"},
      {"*https://a.example*", "https://a.example"},
      {"https://a.example/caf\xC3\xA9", "https://a.example/caf"},
      {"https://192.0.2.7:8080/x", "https://192.0.2.7:8080/x"},
      {"https://[2001:db8::1]/x", "https://[2001:db8::1]/x"},
      {"xhttps://a.example and https://b.example", "https://b.example"},
  };
  for (const auto& [text, link] : rows) EXPECT_EQ(find_link(text), link) << text;
}

TEST(Links, WhatLeadsNowhereIsNone) {
  for (const char* text :
       {"", "no link", "https://", "https://localhost/x", "http:// a.example", "wwwshop.example",
        "https://user:secret@a.example/x", "https://a.example@evil.example/", "ftp://a.example",
        "mailto:a@b.example", "https://.example"}) {
    EXPECT_EQ(find_link(text), "") << text;
  }
  EXPECT_EQ(find_link("https://a.example/" + std::string(3000, 'x')), "");
}

TEST(Links, AnAddressHasASchemeAndNoPlaceInThePage) {
  EXPECT_EQ(address_of_link("www.shop.example/a#b"), "https://www.shop.example/a");
  EXPECT_EQ(address_of_link("http://shop.example/a?b#c"), "http://shop.example/a?b");
}

}  // namespace
}  // namespace posthorn
