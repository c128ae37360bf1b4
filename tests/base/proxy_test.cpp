#include "posthorn/base/proxy.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

TEST(Proxy, IsReadFromItsUrl) {
  EXPECT_EQ(*parse_proxy("http://10.0.0.5:8080"), (Proxy{"10.0.0.5", 8080, "", ""}));
  EXPECT_EQ(*parse_proxy("http://proxy.shop/"), (Proxy{"proxy.shop", 3128, "", ""}));
  EXPECT_EQ(*parse_proxy("http://till:a%3Ab%40c@[fd00::5]:81"),
            (Proxy{"fd00::5", 81, "till", "a:b@c"}));
}

TEST(Proxy, RefusesOtherFormsWithoutRepeatingThePassword) {
  for (const char* bad : {"https://10.0.0.5", "http://", "http://:80", "http://h:0",
                          "http://h:70000", "http://h:8x", "http://@h", "http://u:hunter2%zz@h",
                          "http://u:hunter2@h/path", "http://a b", "http://u:hunter2@h\r\nX: y"}) {
    const auto parsed = parse_proxy(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().detail.find("hunter2"), std::string::npos);
  }
}

TEST(Proxy, AsksForIpv6InBrackets) {
  EXPECT_EQ(build_connect({"p", 1, "", ""}, "2001:db8::1", 443),
            "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n");
}

TEST(Proxy, ReadsTheAnswerInPieces) {
  EXPECT_EQ(*parse_connect_answer("HTTP/1.1 200 OK\r\nVia: x\r\n"), false);
  EXPECT_EQ(*parse_connect_answer("HTTP/1.0 200 OK\r\nVia: x\r\n\r\n"), true);
  EXPECT_EQ(parse_connect_answer("HTTP/1.1 502 Bad\r\n\r\n").error().code, Errc::refused);
  EXPECT_EQ(parse_connect_answer("SSH-2.0-x\r\n\r\n").error().code, Errc::malformed);
  EXPECT_EQ(parse_connect_answer(std::string(9000, 'x')).error().code, Errc::malformed);
}

}  // namespace
}  // namespace posthorn
