#include "slots/reach.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace posthorn::slots {
namespace {

Reach reach_of(const char* address) {
  Reach reach;
  sockaddr_storage room{};
  auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&room);
  auto* const ipv6 = reinterpret_cast<sockaddr_in6*>(&room);
  if (inet_pton(AF_INET, address, &ipv4->sin_addr) == 1) {
    room.ss_family = AF_INET;
  } else if (inet_pton(AF_INET6, address, &ipv6->sin6_addr) == 1) {
    room.ss_family = AF_INET6;
  }
  add_address(reach, reinterpret_cast<const sockaddr&>(room));
  return reach;
}

TEST(Reach, EachAddressCountsForWhatItIsGoodFor) {
  EXPECT_EQ(reach_of("192.168.1.20"), (Reach{.ipv4 = true}));
  EXPECT_EQ(reach_of("169.254.7.9"), (Reach{.link_local = true}));
  EXPECT_EQ(reach_of("2001:db8::5"), (Reach{.ipv6 = true}));
  EXPECT_EQ(reach_of("fd00::5"), (Reach{.ipv6 = true}));
  for (const char* none : {"127.0.0.1", "127.9.9.9", "::1", "fe80::1", "0.0.0.0", "no address"}) {
    EXPECT_EQ(reach_of(none), Reach{}) << none;
  }
}

constexpr const char* kArp =
    "IP address       HW type     Flags       HW address            Mask     Device\n";

TEST(Reach, OnlyAKnownHardwareAddressIsAnAnswer) {
  const std::string heading = kArp;
  EXPECT_FALSE(has_answer(""));
  EXPECT_FALSE(has_answer(heading));
  EXPECT_FALSE(has_answer(heading + "10.0.2.2 0x1 0x0 00:00:00:00:00:00 * eth0\n"));
  EXPECT_FALSE(has_answer(heading + "10.0.2.9 0x1 0x6 52:55:0a:00:02:09 * eth0\n"));
  EXPECT_TRUE(has_answer(heading + "10.0.2.2 0x1 0x0 00:00:00:00:00:00 * eth0\n" +
                         "10.0.2.3 0x1 0x2 52:55:0a:00:02:03 * eth0\n"));
  EXPECT_FALSE(has_answer(heading + "torn 0x"));
}

TEST(Reach, TheGatewayIsThatOfTheDefaultRoute) {
  const std::string heading =
      "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n";
  const std::string local = "eth0 0002000A 00000000 0001 0 0 1024 00FFFFFF 0 0 0\n";
  EXPECT_EQ(gateway_of(heading + local), std::nullopt);
  EXPECT_EQ(gateway_of(heading + local + "eth0 00000000 0202000A 0003 0 0 1024 00000000 0 0 0\n"),
            0x0202000AU);
  EXPECT_EQ(gateway_of(heading + "eth0 00000000 zz 0003 0 0 1024 00000000 0 0 0\n"), std::nullopt);
  EXPECT_EQ(gateway_of("garbage"), std::nullopt);
}

TEST(Reach, ABoxThatNeverHadANetworkIsAskedForNone) {
  EXPECT_EQ(missing({}, {}), std::nullopt);
  EXPECT_EQ(missing(parse_reach(""), {}), std::nullopt);
}

TEST(Reach, WhatWasReachedBeforeIsAskedForAgain) {
  const Reach shop{.ipv4 = true, .answered = true};
  EXPECT_EQ(missing(shop, shop), std::nullopt);
  EXPECT_TRUE(missing(shop, {}));
  EXPECT_TRUE(missing(shop, {.link_local = true, .answered = true}))
      << "no address of the router's";
  EXPECT_TRUE(missing(shop, {.ipv4 = true})) << "an address of its own alone reaches nobody";
  EXPECT_TRUE(missing({.link_local = true}, {}));
  EXPECT_EQ(missing({.link_local = true}, {.ipv4 = true}), std::nullopt);
  EXPECT_EQ(missing({.ipv6 = true}, {.ipv4 = true}), std::nullopt) << "the provider's IPv6 may go";
}

TEST(Reach, IsReadBackAsWrittenAndNeverLess) {
  for (unsigned bits = 0; bits < 16; bits++) {
    const Reach reach{(bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0, (bits & 8U) != 0};
    EXPECT_EQ(parse_reach(to_text(reach)), reach);
    EXPECT_EQ(both(reach, {}), reach);
    EXPECT_EQ(both(reach, {true, true, true, true}), (Reach{true, true, true, true}));
  }
  EXPECT_EQ(parse_reach("ipv4 of-a-later-release answered"),
            (Reach{.ipv4 = true, .answered = true}));
}

}  // namespace
}  // namespace posthorn::slots
