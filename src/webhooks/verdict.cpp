#include "webhooks/verdict.h"

#include <algorithm>
#include <array>

namespace posthorn::webhooks {

namespace {

using About = Verdict::About;

struct Row {
  int first;
  int last;
  About about;
  const char* what_to_do;
};
/// The first row that holds counts.
constexpr std::array<Row, 11> kAnswers{{
    {200, 200, About::delivered, ""},
    {201, 299, About::receiver,
     "The receiver takes the notification, but only the answer 200 says so: let it answer 200. "
     "Until then the same one comes again every minute."},
    {300, 399, About::receiver,
     "Redirects are not followed: set webhookUrl to the address that the receiver redirects to."},
    {401, 401, About::receiver, "Set webhookUrlToken to what the receiver expects."},
    {403, 403, About::receiver, "Set webhookUrlToken to what the receiver expects."},
    {404, 405, About::unclear,
     "Look at the path of webhookUrl: the receiver has nothing there that takes a POST."},
    {407, 408, About::receiver, "Look at the proxy or web server before the receiver."},
    {410, 410, About::unclear, "Look at the path of webhookUrl: the receiver says it is gone."},
    {425, 429, About::receiver, "The receiver asks for fewer notifications: look at its limits."},
    {400, 499, About::notification,
     "The receiver does not take what is in this notification: look at its log. After five "
     "refusals the notification steps aside (getRefusedNotifications) and the next one comes."},
    {500, 599, About::unclear, "The receiver has a fault of its own: look at its log."},
}};

struct Cause {
  Errc code;
  const char* what_to_do;
};
constexpr std::array<Cause, 6> kCauses{{
    {Errc::malformed, "Set webhookUrl to an address like http://192.168.1.20:8080/hook."},
    {Errc::not_found,
     "The name in webhookUrl is not known: look at its spelling and at the router's DNS, or use "
     "the receiver's address."},
    {Errc::refused,
     "Nobody listens there: start the receiver, and look at address and port in webhookUrl."},
    {Errc::timeout,
     "The receiver does not answer in time: look whether it is on and reachable from the box."},
    {Errc::crypto,
     "The receiver's certificate is not one that the box trusts, or is for another name: set "
     "webhookUrlPinnedKey to its key or webhookUrlCa to the shop's own authority; http:// does "
     "without."},
    {Errc::unsupported, "Install libcurl on the box, or receive by receiveNotification."},
}};
constexpr const char* kLookAtBoth =
    "The connection broke: look at the receiver and at the network between.";

}  // namespace

Verdict judge(const Result<net::HttpResponse>& answer) {
  if (!answer) {
    const auto cause = std::find_if(kCauses.begin(), kCauses.end(), [&](const Cause& one) {
      return one.code == answer.error().code;
    });
    return {About::receiver, to_string(answer.error()),
            cause == kCauses.end() ? kLookAtBoth : cause->what_to_do};
  }
  const auto row = std::find_if(kAnswers.begin(), kAnswers.end(), [&](const Row& one) {
    return one.first <= answer->status && answer->status <= one.last;
  });
  const std::string what = "answers " + std::to_string(answer->status);
  if (row == kAnswers.end()) return {About::receiver, what, kLookAtBoth};
  return {row->about, what, row->what_to_do};
}

}  // namespace posthorn::webhooks
