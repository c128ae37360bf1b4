#include "simulator/queries.h"

#include <string_view>

#include "posthorn/wire/names.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

const std::vector<Queries::Route>& Queries::routes() {
  static const std::vector<Route> table{
      {names::kEncrypt, names::kSet, names::kRegistration, &Queries::upload_keys},
      {names::kEncrypt, names::kSet, "rotate", &Queries::rotate_key},
      {names::kEncrypt, names::kGet, names::kCount, &Queries::count_keys},
      {names::kEncrypt, names::kGet, names::kDigest, &Queries::digest_keys},
      {names::kEncrypt, names::kGet, names::kKey, &Queries::fetch_keys},
      {names::kEncrypt, names::kGet, names::kIdentity, &Queries::fetch_identities},
      {names::kPassive, names::kSet, nullptr, &Queries::set_active},
      {names::kUsync, names::kGet, names::kUsync, &Queries::usync},
      {names::kAbt, names::kGet, names::kProps, &Queries::props},
      {names::kWP, nullptr, nullptr, &Queries::ping},
      {"urn:xmpp:ping", nullptr, nullptr, &Queries::ping},
      {names::kPrivacy, names::kGet, nullptr, &Queries::get_privacy},
      {names::kPrivacy, names::kSet, names::kTokens, &Queries::issue_tokens},
      {names::kPrivacy, names::kSet, nullptr, &Queries::set_privacy},
      {names::kBlocklist, names::kGet, nullptr, &Queries::get_blocklist},
      {names::kBlocklist, names::kSet, nullptr, &Queries::set_blocklist},
      {names::kWM, nullptr, names::kMediaConn, &Queries::media_hosts},
      {"w:sync:app:state", nullptr, nullptr, &Queries::app_state},
      {"w:profile:picture", names::kGet, nullptr, &Queries::get_picture},
      {"w:profile:picture", names::kSet, nullptr, &Queries::set_picture},
      {names::kStatus, names::kSet, nullptr, &Queries::set_about},
      {names::kStatus, names::kGet, nullptr, &Queries::empty},
      {"disappearing_mode", nullptr, nullptr, &Queries::empty},
      {names::kWMex, names::kGet, names::kQuery, &Queries::mex},
      {names::kMd, names::kSet, "remove-companion-device", &Queries::remove_device},
      {"urn:xmpp:whatsapp:dirty", names::kSet, nullptr, &Queries::empty},
      {names::kWG2, nullptr, nullptr, &Queries::groups},
      {"w:biz", nullptr, nullptr, &Queries::empty},
      {"w:qr", nullptr, nullptr, &Queries::empty},
      {"newsletter", nullptr, nullptr, &Queries::empty},
      {"w:stats", nullptr, nullptr, &Queries::empty},
      {"tos", nullptr, nullptr, &Queries::empty},
      {"urn:xmpp:whatsapp:push", nullptr, nullptr, &Queries::empty},
      {"urn:xmpp:whatsapp:account", nullptr, nullptr, &Queries::empty},
  };
  return table;
}

void Queries::on_iq(Device& from, const Node& iq) {
  const std::string type = iq.text_attr(names::kType);
  if (type == "result" || type == "error") return;  // answers to what we asked
  if (iq.text_attr("id").empty()) world_.violation(from, "<iq> without id");
  const std::string xmlns = iq.text_attr(names::kXmlns);
  for (const Route& route : routes()) {
    if (xmlns != route.xmlns || (route.type != nullptr && type != route.type)) continue;
    if (route.child != nullptr && iq.child(route.child) == nullptr) continue;
    return (this->*route.handler)(from, iq);
  }
  refuse(from, iq, 501, "feature-not-implemented");
}

void Queries::reply(Device& to, const Node& iq, std::vector<Node> children) {
  if (to.endpoint != nullptr) to.endpoint->deliver(iq_result(iq, std::move(children)));
}

void Queries::refuse(Device& to, const Node& iq, int code, const char* text) {
  if (to.endpoint != nullptr) to.endpoint->deliver(iq_error(iq, code, text));
}

void Queries::empty(Device& from, const Node& iq) { reply(from, iq); }

void Queries::ping(Device& from, const Node& iq) {
  Node pong = iq_result(iq);
  pong.set_attr(names::kT, world_.now_text());
  if (from.endpoint != nullptr) from.endpoint->deliver(pong);
}

}  // namespace posthorn::simulator
