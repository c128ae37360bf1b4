#include "session/trouble.h"

namespace posthorn::session {
namespace {

constexpr Trouble kStorageFull{
    "storage_full",
    "The storage of the box is full: free some of it (\"posthornctl board\" shows it). Sending and "
    "receiving go on by themselves as soon as there is room.",
    true};
constexpr Trouble kStorage{
    "storage",
    "The storage of the box does not take what is written: see \"posthornctl board\", and have a "
    "backup and a new card at hand. The box tries again by itself.",
    true};
constexpr Trouble kDns{
    "dns",
    "The name of WhatsApp's server cannot be looked up (DNS): check the router's Internet "
    "connection and the name server of the box."};
constexpr Trouble kRefused{
    "network_refused",
    "The connection to WhatsApp is refused or the network is not reachable: check the router's "
    "Internet connection, its firewall and the proxy of the box."};
constexpr Trouble kUnreachable{
    "unreachable",
    "WhatsApp cannot be reached: check the network cable or Wi-Fi of the box and the router's "
    "Internet connection."};
constexpr Trouble kProxy{
    "proxy", "The proxy does not let the box through: check the proxy's address and its rules."};
constexpr Trouble kNotWhatsApp{
    "not_whatsapp",
    "What answers does not speak as WhatsApp does: most likely a log-in page (captive portal) or a "
    "proxy of the shop's network. Let the box through to web.whatsapp.com; it tries again by "
    "itself."};
constexpr Trouble kCertificate{
    "certificate",
    "Check the shop's network: somebody between the box and WhatsApp shows a wrong certificate (a "
    "log-in page, a proxy that opens TLS, or an attacker)."};
constexpr Trouble kHungUp{
    "hung_up",
    "Whatever takes the connection closes it before WhatsApp answers, so WhatsApp cannot be "
    "reached: "
    "check the router's firewall and the proxy of the box. It tries again by itself."};
constexpr Trouble kLost{"connection_lost", ""};

Trouble before_the_other_end(Errc code) {
  switch (code) {
    case Errc::not_found:
      return kDns;
    case Errc::refused:
      return kRefused;
    case Errc::malformed:
    case Errc::unsupported:
      return kProxy;
    default:
      return kUnreachable;
  }
}

}  // namespace

Trouble trouble_of(const Error& why, Reached reached) {
  if (why.code == Errc::full) return kStorageFull;
  if (why.code == Errc::io) return kStorage;
  if (why.code == Errc::crypto) return kCertificate;
  if (reached == Reached::nothing) return before_the_other_end(why.code);
  const bool odd = why.code == Errc::malformed || why.code == Errc::refused;
  if (reached == Reached::other_end && odd) return kNotWhatsApp;
  if (reached == Reached::other_end && why.code == Errc::disconnected) return kHungUp;
  return kLost;
}

}  // namespace posthorn::session
