#include "chat/people/bundles.h"
#include "chat/people/usync.h"
#include "chat/receive/envelope.h"
#include "chat/receive/receipts.h"
#include "chat/receive/retry_request.h"
#include "chat/send/ack.h"
#include "chat/send/read_marks.h"
#include "chat/send/resend.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/wire/node_codec.h"

using namespace posthorn;
using namespace posthorn::chat;

/// Input: one encoded stanza from the server, without the flag byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto node = wire::decode_node(fuzz::Input(data, size).rest());
  if (!node) return 0;
  session::Identity self;
  self.pn = {"5511999990001", "s.whatsapp.net", 3};
  self.lid = {"100000000000001", "lid", 3};
  (void)build_ack(*node, self);
  (void)read_ack(*node, "1@c.us", Wall{});
  (void)parse_bundles(*node);
  (void)parse_bundle(*node);
  (void)parse_retry_request(*node);
  (void)parse_read_privacy(*node);
  if (const auto users = parse_usync(*node)) {
    for (const UsyncUser& user : *users) {
      fuzz::require(user.jid.device == 0, "users are bare");
      fuzz::require(!user.lid || user.lid->is_lid(), "a LID is a LID");
    }
  }
  if (const auto receipt = parse_receipt(*node, Wall{})) {
    for (const std::string& id : receipt->ids)
      fuzz::require(!id.empty(), "a receipt is about messages");  // none of them: ids too long
  }
  if (const auto envelope = parse_envelope(*node, self, Wall{})) {
    fuzz::require(!envelope->id.empty(), "a message has an id");
    fuzz::require(!envelope->unavailable || envelope->parts.empty(), "unavailable holds nothing");
    (void)build_delivery_receipt(*envelope, self, Available::no);
    (void)build_retry_request(*node, 1, 1, 1, std::nullopt);
  }
  return 0;
}
