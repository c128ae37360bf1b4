#include "fake_server.h"

#include "posthorn/base/crypto.h"
#include "posthorn/wire/names.h"
#include "session/stanzas.h"

namespace posthorn::session::core_test {
namespace {

namespace names = wire::names;

wire::Node iq_result(const wire::Node& question, std::vector<wire::Node> children = {}) {
  wire::Node out(names::kIq, {{names::kType, names::kResult},
                              {names::kId, question.text_attr(names::kId)},
                              {names::kFrom, server_jid()}});
  if (!children.empty()) out.content = std::move(children);
  return out;
}

wire::Node iq_error(const wire::Node& question, int code, const char* text) {
  wire::Node out(names::kIq, {{names::kType, names::kError},
                              {names::kId, question.text_attr(names::kId)},
                              {names::kFrom, server_jid()}});
  out.content = std::vector{
      wire::Node(names::kError, {{names::kCode, std::to_string(code)}, {names::kText, text}})};
  return out;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == at) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

}  // namespace

// Line
// ------------------------------------------------------------------------------------------------

FakeServer::Line::Line(FakeServer& server, std::unique_ptr<Stream> stream)
    : server_(server), stream_(std::move(stream)) {
  wire::ServerChannelOptions options;
  options.identity = server.identity();
  channel_ = std::make_unique<wire::ServerChannel>(std::move(options), server.random);
  stream_->start(*this);
}

void FakeServer::Line::send(const wire::Node& stanza) {
  if (ended_ || silent_) return;
  (void)channel_->send(stanza);
  flush();
}

void FakeServer::Line::close() {
  if (ended_) return;
  channel_->close();
  flush();
  ended_ = true;
  stream_->close();
}

void FakeServer::Line::on_data(ByteView data) {
  const auto fed = channel_->feed(data);
  if (channel_->handshake_done() && !greeted_) {
    greeted_ = true;
    const ByteView bytes = channel_->client_payload();
    payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    flush();
    server_.greet(*this);
  }
  while (auto node = channel_->next()) {
    if (!*node) continue;
    received.push_back(**node);
    if (!silent_) server_.answer(*this, received.back());
  }
  flush();
  if (!fed) ended_ = true;
}

void FakeServer::Line::on_closed(Error) { ended_ = true; }

void FakeServer::Line::flush() {
  if (Bytes out = channel_->take_output(); !out.empty() && !ended_) stream_->write(std::move(out));
}

std::vector<wire::Node> FakeServer::Line::all(std::string_view tag, std::string_view child) const {
  std::vector<wire::Node> out;
  for (const wire::Node& node : received)
    if (node.tag == tag && (child.empty() || node.child(child) != nullptr)) out.push_back(node);
  return out;
}

// FakeServer
// ------------------------------------------------------------------------------------------

FakeServer::FakeServer(posthorn::test::FakeScheduler& scheduler,
                       posthorn::test::MemoryDialer& dialer)
    : scheduler_(scheduler) {
  dialer.accept = [this](std::unique_ptr<Stream> stream) {
    lines.push_back(std::make_unique<Line>(*this, std::move(stream)));
  };
}

std::string FakeServer::root_key_hex() const { return hex_encode(root_.public_key); }

wire::ServerIdentity FakeServer::identity() {
  wire::ChainRecipe recipe;
  recipe.root = root_;
  recipe.intermediate = intermediate_;
  recipe.server_static = static_.public_key;
  recipe.not_before = time - 86'400;
  recipe.not_after = time + 10LL * 365 * 86'400;
  recipe.flaw = flaw;
  wire::ServerIdentity out;
  out.noise = static_;
  out.allow_resume = allow_resume;
  out.certificate_chain =
      wire::build_certificate_chain(recipe, [this](const wire::Key32& key, ByteView message) {
        return to_bytes(signal::sign(key, message, random));
      });
  return out;
}

void FakeServer::greet(Line& to) {
  if (on_open) return on_open(to);
  if (!to.registering()) {
    to.send(success());
    return to.send(ib(wire::Node(names::kOffline, {{names::kCount, "0"}})));
  }
  std::vector<wire::Node> children;
  for (int i = 0; i < refs; ++i)
    children.emplace_back(names::kRef, std::vector<wire::Attr>{},
                          to_bytes("2@REF" + std::to_string(lines.size()) + std::to_string(i)));
  wire::Node pair_device(names::kPairDevice, {}, std::move(children));
  to.send({names::kIq,
           {{names::kType, names::kSet},
            {names::kXmlns, names::kMd},
            {names::kFrom, server_jid()},
            {names::kId, "pair-1"}},
           std::vector{std::move(pair_device)}});
}

wire::Node FakeServer::success() const {
  return wire::Node(names::kSuccess,
                    {{names::kT, std::to_string(time)},
                     {names::kLid, wire::Jid{lid, std::string(wire::kServerLid), 7}},
                     {"props", "27"},
                     {"companion_enc_static", "NULL"},
                     {names::kLocation, "sim"},
                     {"display_name", "Bakery"}});
}

wire::Node FakeServer::ib(wire::Node child) {
  return {names::kIb, {{names::kFrom, server_jid()}}, std::vector{std::move(child)}};
}

wire::Node FakeServer::stream_error(std::string code, std::optional<wire::Node> child) {
  wire::Node out(names::kStreamError);
  if (!code.empty()) out.set_attr(names::kCode, code);
  if (child) out.content = std::vector{*std::move(child)};
  return out;
}

void FakeServer::answer(Line& to, const wire::Node& stanza) {
  if (on_stanza && on_stanza(to, stanza)) return;
  if (stanza.tag == names::kIq) answer_iq(to, stanza);
}

void FakeServer::answer_iq(Line& to, const wire::Node& iq) {
  const std::string type = iq.text_attr(names::kType);
  if (type == names::kResult || type == names::kError) return;
  const std::string xmlns = iq.text_attr(names::kXmlns);
  if (xmlns == names::kEncrypt && iq.child(names::kCount) != nullptr) {
    return to.send(iq_result(
        iq, {wire::Node(names::kCount, {{names::kValue, std::to_string(prekeys_on_server)}})}));
  }
  if (xmlns == names::kEncrypt && iq.child(names::kDigest) != nullptr)
    return to.send(iq_error(iq, 404, "item-not-found"));
  if (xmlns == names::kEncrypt && iq.child(names::kList) != nullptr) {
    prekeys_on_server += iq.child(names::kList)->children().size();
    return to.send(iq_result(iq));
  }
  if (xmlns == names::kWMex) {
    return to.send(
        iq_result(iq, {wire::Node(names::kResult, {}, to_bytes(R"({"data":{"nothing":null}})"))}));
  }
  if (xmlns == names::kWP) {
    wire::Node pong = iq_result(iq);
    pong.set_attr(names::kT, std::to_string(time + scheduler_.now().since_start.count() / 1000));
    return to.send(pong);
  }
  to.send(iq_result(iq));
}

wire::Node FakeServer::pair_success(ByteView adv_secret, ByteView identity_public) {
  wa::ADVDeviceIdentity details;
  details.set_rawid(305'419'896);
  details.set_timestamp(static_cast<std::uint64_t>(time));
  details.set_keyindex(5);
  const std::string inner = details.SerializeAsString();
  const auto signer = sign_with_other_account ? signal::make_key_pair(random) : account;
  const Bytes signed_bytes =
      concat({std::array{std::byte{6}, std::byte{0}}, as_bytes(inner), identity_public});
  const auto signature = signal::sign(signer.private_key, signed_bytes, random);
  wa::ADVSignedDeviceIdentity identity;
  identity.set_details(inner);
  identity.set_accountsignaturekey(account.public_key.data(), account.public_key.size());
  identity.set_accountsignature(signature.data(), signature.size());
  const std::string middle = identity.SerializeAsString();
  const auto hmac = crypto::hmac_sha256(adv_secret, as_bytes(middle));
  wa::ADVSignedDeviceIdentityHMAC outer;
  outer.set_details(middle);
  outer.set_hmac(hmac.data(), hmac.size());
  std::vector<wire::Node> children;
  children.emplace_back(names::kPlatform, std::vector<wire::Attr>{{names::kName, "smba"}});
  children.emplace_back(names::kBiz, std::vector<wire::Attr>{{names::kName, "Corner Bakery"}});
  children.emplace_back(names::kDeviceIdentity, std::vector<wire::Attr>{},
                        to_bytes(std::string_view(outer.SerializeAsString())));
  children.emplace_back(
      names::kDevice,
      std::vector<wire::Attr>{{names::kJid, wire::Jid{phone, std::string(wire::kServerUser), 7}},
                              {names::kLid, wire::Jid{lid, std::string(wire::kServerLid), 7}}});
  return {names::kIq,
          {{names::kType, names::kSet},
           {names::kXmlns, names::kMd},
           {names::kFrom, server_jid()},
           {names::kId, "pair-2"},
           {names::kT, std::to_string(time)}},
          std::vector{wire::Node(names::kPairSuccess, {}, std::move(children))}};
}

void FakeServer::scan(const std::string& qr_text) {
  const auto fields = split(qr_text, ',');
  send(pair_success(*base64_decode(fields.at(3)), *base64_decode(fields.at(2))));
}

}  // namespace posthorn::session::core_test
