#include <gtest/gtest.h>

#include "posthorn/wire/wa.pb.h"
#include "wire/wire_support.h"

/// Protocol chapter 01 section 12.5: payloads made by another implementation, read with our schema.
namespace posthorn::wire {
namespace {

using test::unhex;

wa::ClientPayload payload_from(std::string_view hex) {
  const Bytes bytes = unhex(hex);
  wa::ClientPayload payload;
  EXPECT_TRUE(payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  // Nothing is lost in between, and proto2 keeps the zeros that are written out.
  EXPECT_EQ(hex_encode(as_bytes(payload.SerializeAsString())), hex_encode(bytes));
  return payload;
}

void expect_web_agent(const wa::ClientPayload& payload) {
  const auto& agent = payload.useragent();
  EXPECT_EQ(agent.platform(), wa::ClientPayload::UserAgent::WEB);
  EXPECT_EQ(agent.appversion().primary(), 2U);
  EXPECT_EQ(agent.appversion().secondary(), 3000U);
  EXPECT_EQ(agent.appversion().tertiary(), 1045649367U);
  EXPECT_EQ(agent.mcc(), "000");
  EXPECT_TRUE(agent.has_manufacturer());
  EXPECT_EQ(agent.device(), "Desktop");
  EXPECT_EQ(agent.localecountryiso31661alpha2(), "US");
  EXPECT_TRUE(payload.webinfo().has_websubplatform());
  EXPECT_EQ(payload.connecttype(), 1);
  EXPECT_EQ(payload.connectreason(), 1);
}

TEST(ClientPayload, ReadsTheRegistrationExample) {
  const auto payload = payload_from(
      "18002a38080e120b080210b81718d7afcdf2031a0330303022033030302a03302e3132003a074465736b746f7042"
      "03302e3150005a02656e6202555332022000600168019a01dc010a0400002bcd1201051a201cf579aba45a10ba1d"
      "1ef06d91fca2aa9ed0a1150515653155405d0b18cb9a6722030000012a2030d3c865a48fceb3d6118577cf2e5f22"
      "8d6ff69866264757785b253cb7a4806a32401de21c9375881f68155ded9af5e0cb493ffbeb7bcb615897c5f893ac"
      "ec7457bfdbba2cfe81c5a85dbb01a8cd1e72f49f54734f93ff854aa37e140578062c9b0f3a109fa53af9421567b1"
      "14e33c9bb1ef7db242340a054c696e757812040806100c180120002a2118e5fb0620013001380140014801500158"
      "0160017001780198013ca80101b00101880200");
  expect_web_agent(payload);
  EXPECT_FALSE(payload.has_username());
  EXPECT_TRUE(payload.has_passive() && !payload.passive());
  const auto& pairing = payload.devicepairingdata();
  EXPECT_EQ(hex_encode(as_bytes(pairing.eregid())), "00002bcd");
  EXPECT_EQ(hex_encode(as_bytes(pairing.ekeytype())), "05");
  EXPECT_EQ(hex_encode(as_bytes(pairing.eskeyid())), "000001");
  EXPECT_EQ(hex_encode(as_bytes(pairing.buildhash())), "9fa53af9421567b114e33c9bb1ef7db2");
  wa::DeviceProps props;
  ASSERT_TRUE(props.ParseFromString(pairing.deviceprops()));
  EXPECT_EQ(props.os(), "Linux");
  EXPECT_EQ(props.platformtype(), wa::DeviceProps::CHROME);
  EXPECT_EQ(props.historysyncconfig().storagequotamb(), 114149U);
}

TEST(ClientPayload, ReadsTheLoginExample) {
  const auto payload = payload_from(
      "08d7dfe8f63918002a38080e120b080210b81718d7afcdf2031a0330303022033030302a03302e3132003a074465"
      "736b746f704203302e3150005a02656e620255533202200060016801800100900107c00103880201c80201");
  expect_web_agent(payload);
  EXPECT_EQ(payload.username(), 15550001111U);
  EXPECT_EQ(payload.device(), 7U);
  EXPECT_EQ(payload.lc(), 3);
  EXPECT_TRUE(payload.pull());
  EXPECT_TRUE(payload.liddbmigrated());
  EXPECT_FALSE(payload.has_devicepairingdata());
}

}  // namespace
}  // namespace posthorn::wire
