#include "session/stanzas.h"

#include <algorithm>
#include <array>

#include "posthorn/wire/names.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

void copy_attr(const wire::Node& from, wire::Node& to, std::string_view key) {
  for (const auto& attr : from.attrs)
    if (attr.key == key) to.set_attr(key, attr.value);
}

}  // namespace

wire::Jid server_jid() { return {{}, std::string(wire::kServerUser), 0}; }

wire::Node build_iq(std::string_view type, std::string_view xmlns,
                    std::vector<wire::Node> children) {
  wire::Node iq(names::kIq,
                {{names::kType, type}, {names::kXmlns, xmlns}, {names::kTo, server_jid()}});
  if (!children.empty()) iq.content = std::move(children);
  return iq;
}

wire::Node build_iq_result(const wire::Node& question) {
  const auto from = question.jid_attr(names::kFrom);
  return wire::Node(names::kIq, {{names::kType, names::kResult},
                                 {names::kId, question.text_attr(names::kId)},
                                 {names::kTo, from ? *from : server_jid()}});
}

wire::Node build_ack(const wire::Node& stanza) {
  wire::Node ack(names::kAck,
                 {{names::kClass, stanza.tag}, {names::kId, stanza.text_attr(names::kId)}});
  const auto from = stanza.jid_attr(names::kFrom);
  ack.set_attr(names::kTo, from ? *from : server_jid());
  copy_attr(stanza, ack, names::kParticipant);
  if (stanza.tag == names::kReceipt) copy_attr(stanza, ack, names::kRecipient);
  const bool identity_change = stanza.tag == names::kNotification &&
                               stanza.text_attr(names::kType) == names::kEncrypt &&
                               stanza.child(names::kIdentity) != nullptr;
  if (!identity_change) copy_attr(stanza, ack, names::kType);
  return ack;
}

wire::Node build_call_answer(const wire::Node& call) {
  constexpr std::array kWithReceipt{"offer", "accept", "reject", "enc_rekey"};
  wire::Node ack = build_ack(call);
  if (call.children().empty()) return ack;
  const wire::Node& payload = call.children().front();
  if (std::ranges::find(kWithReceipt, payload.tag) == kWithReceipt.end()) {
    ack.set_attr(names::kType, payload.tag);
    return ack;
  }
  wire::Node inner(payload.tag);
  copy_attr(payload, inner, "call-id");
  copy_attr(payload, inner, "call-creator");
  wire::Node receipt(names::kReceipt, {}, std::vector{std::move(inner)});
  copy_attr(ack, receipt, names::kTo);
  copy_attr(ack, receipt, names::kId);
  return receipt;
}

wire::Node build_offline_batch(int count) {
  return {names::kIb,
          {},
          std::vector{wire::Node(names::kOfflineBatch, {{names::kCount, std::to_string(count)}})}};
}

wire::Node build_unified_session(std::int64_t server_ms) {
  constexpr std::int64_t kDay = 24LL * 3600 * 1000;
  const std::int64_t id = (server_ms + 3 * kDay) % (7 * kDay);
  return {names::kIb,
          {},
          std::vector{wire::Node(names::kUnifiedSession, {{names::kId, std::to_string(id)}})}};
}

wire::Node build_clean(const std::string& type, const std::string& timestamp) {
  wire::Node clean(names::kClean, {{names::kType, type}});
  if (!timestamp.empty()) clean.set_attr("timestamp", timestamp);
  return build_iq(names::kSet, "urn:xmpp:whatsapp:dirty", {std::move(clean)});
}

bool is_ping(const wire::Node& iq) {
  if (iq.text_attr(names::kType) != names::kGet) return false;
  const std::string xmlns = iq.text_attr(names::kXmlns);
  return xmlns == "urn:xmpp:ping" || xmlns == names::kWP;
}

}  // namespace posthorn::session
