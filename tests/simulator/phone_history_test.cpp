#include <gtest/gtest.h>

#include "posthorn/signal/padding.h"
#include "posthorn/wire/inflate_stream.h"
#include "posthorn/wire/names.h"
#include "posthorn/wire/wa.pb.h"
#include "simulator/test_client.h"

// The owner's phone is asked for older messages of a chat (chapter 12 section 1.6).
namespace posthorn::simulator {
namespace {

namespace names = wire::names;
using test::TestClient;
using wire::Node;
using Request = wa::Message::PeerDataOperationRequestMessage::HistorySyncOnDemandRequest;

struct SimulatorPhoneHistory : testing::Test {
  SimulatorPhoneHistory() {
    client.link("");
    const std::int64_t now = sim.now().unix_seconds();
    EXPECT_TRUE(sim.keep_old_messages(
        client.pn.user, {{peer.pn.user, "3EB0OLD1", false, "first", now - 300},
                         {to_string(peer.lid), "3EB0OLD2", true, "second", now - 200},
                         {sim.add_account().pn.user, "3EB0ELSE", false, "no", now - 250}}));
    known = client.send_text(peer, "Total 12,50");
  }

  /// The notification that answers; nullopt: none came.
  std::optional<wa::Message::HistorySyncNotification> ask(const Request& wanted) {
    wa::Message message;
    auto& protocol = *message.mutable_protocolmessage();
    protocol.set_type(wa::Message::ProtocolMessage::PEER_DATA_OPERATION_REQUEST_MESSAGE);
    auto& request = *protocol.mutable_peerdataoperationrequestmessage();
    request.set_peerdataoperationrequesttype(wa::Message::HISTORY_SYNC_ON_DEMAND);
    *request.mutable_historysyncondemandrequest() = wanted;
    const wire::Jid phone = client.lid.bare();
    const Node enc =
        *client.encrypted(phone, as_bytes(message.SerializeAsString()), false).child(names::kEnc);
    client.stanzas.clear();
    id = "3EB0ASKS" + std::to_string(++asked);  // one that was used is not taken again
    client.send(Node(names::kMessage,
                     {{"to", phone}, {"id", id}, {"type", "text"}, {"category", "peer"}},
                     std::vector{enc, Node(names::kDeviceIdentity, {}, client.device_identity)}));
    client.settle();
    const auto answer = client.take(names::kMessage);
    if (!answer) return std::nullopt;
    const Node* sealed = answer->child(names::kEnc);
    const auto address = signal::make_address(phone.user, phone.server, 0);
    const auto opened = sealed->text_attr("type") == names::kPkmsg
                            ? client.protocol.decrypt_pkmsg(address, sealed->bytes())
                            : client.protocol.decrypt_msg(address, sealed->bytes());
    if (!opened) return std::nullopt;
    wa::Message content;
    const auto plain = signal::unpad(opened->plaintext);
    if (!plain || !content.ParseFromString(to_string(*plain))) return std::nullopt;
    return content.protocolmessage().historysyncnotification();
  }
  Request wanted() {
    Request out;
    out.set_chatjid(to_string(peer.lid));
    out.set_oldestmsgid(known);
    out.set_oldestmsgfromme(true);
    out.set_ondemandmsgcount(50);
    out.set_oldestmsgtimestampms(sim.now().unix_seconds());
    out.set_supportinlineresponse(true);
    return out;
  }
  static std::string inflated(const std::string& packed) {
    wire::InflateStream stream;
    std::string out;
    EXPECT_TRUE(stream.add(as_bytes(packed), 1 << 20, [&](ByteView piece) -> Result<void> {
      out += std::string(as_text(piece));
      return {};
    }));
    return out;
  }

  test::FakeScheduler scheduler;
  test::SeededRandom random{4};
  Simulator sim{scheduler, random};
  AccountInfo peer = sim.add_account({"5511990000001", "Customer"});
  TestClient client{scheduler, random, sim};
  std::string known;
  std::string id;  ///< of the last question
  int asked = 0;
};

TEST_F(SimulatorPhoneHistory, IsAnsweredFromWhatThePhoneKeepsOfThatChat) {
  const auto news = ask(wanted());
  ASSERT_TRUE(news);
  EXPECT_EQ(news->synctype(), 6);
  EXPECT_EQ(news->peerdatarequestsessionid(), id);
  const std::string sync = inflated(news->initialhistbootstrapinlinepayload());
  EXPECT_LT(sync.find("3EB0OLD2"), sync.find("3EB0OLD1")) << "the newest first";
  EXPECT_NE(sync.find("3EB0OLD1"), std::string::npos);
  EXPECT_EQ(sync.find("3EB0ELSE"), std::string::npos);
  EXPECT_EQ(sync.find(known), std::string::npos) << "only what is older";
  EXPECT_TRUE(sim.violations().empty());
}

TEST_F(SimulatorPhoneHistory, CountsFromTheMessageThatIsNamedOrFromItsTime) {
  Request from_second = wanted();
  from_second.set_oldestmsgid("3EB0OLD2");
  const auto news = ask(from_second);
  ASSERT_TRUE(news);
  const std::string sync = inflated(news->initialhistbootstrapinlinepayload());
  EXPECT_EQ(sync.find("3EB0OLD2"), std::string::npos);
  EXPECT_NE(sync.find("3EB0OLD1"), std::string::npos);
  Request by_time = wanted();
  by_time.set_oldestmsgid("3EB0GONE");
  by_time.set_oldestmsgtimestampms(sim.now().unix_seconds() - 250);
  const auto older = ask(by_time);
  ASSERT_TRUE(older);
  EXPECT_EQ(inflated(older->initialhistbootstrapinlinepayload()).find("3EB0OLD2"),
            std::string::npos);
}

TEST_F(SimulatorPhoneHistory, ComesAsAFileOrNotAtAllWhenItIsSetSo) {
  ASSERT_TRUE(sim.set_history_answers(client.pn.user, "file"));
  const auto news = ask(wanted());
  ASSERT_TRUE(news);
  EXPECT_FALSE(news->has_initialhistbootstrapinlinepayload());
  EXPECT_FALSE(news->directpath().empty());
  ASSERT_TRUE(sim.set_history_answers(client.pn.user, "silence"));
  EXPECT_FALSE(ask(wanted()));
  EXPECT_FALSE(sim.set_history_answers(client.pn.user, "nonsense"));
}

TEST_F(SimulatorPhoneHistory, ARequestThatNoPhoneAnswersIsAViolation) {
  Request nameless = wanted();
  nameless.clear_oldestmsgid();
  EXPECT_FALSE(ask(nameless));
  EXPECT_EQ(sim.violations().size(), 1U);
  Request many = wanted();
  many.set_ondemandmsgcount(51);
  EXPECT_FALSE(ask(many));
  EXPECT_EQ(sim.violations().size(), 2U);
}

}  // namespace
}  // namespace posthorn::simulator
