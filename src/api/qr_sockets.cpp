#include "api/qr_sockets.h"

#include <algorithm>
#include <utility>

namespace posthorn::api {

namespace {

constexpr int kUpgradeRequired = 426;

json::Value form(const char* type, json::Value message) {
  json::Value out(::Json::objectValue);
  out["type"] = type;
  out["message"] = std::move(message);
  return out;
}

}  // namespace

void QrSockets::open(Call call) {
  if (call.request.web_socket_key.empty()) {
    return call.refuse(kUpgradeRequired,
                       "scanqrcode is a WebSocket: connect to it with ws:// or wss://, or ask qr");
  }
  if (open_.size() >= kMost) {
    return call.refuse(503, "eight clients are shown the code already, close one of them");
  }
  Response response;
  response.status = 101;
  response.opened = [self = alive_.weak()](std::shared_ptr<WebSocket> socket) {
    QrSockets* me = self.get();
    if (me == nullptr) return socket->close();
    me->open_.push_back({std::move(socket),
                         me->scheduler_.now() + kLongest,
                         {},
                         !me->link_.account().phone.empty()});
    me->look_.start(milliseconds(0), [me] { me->look(); });
  };
  call.reply.send(std::move(response));
}

bool QrSockets::tell(One& one, const std::optional<json::Value>& now) {
  if (!link_.account().phone.empty()) {
    one.socket->send(json::write(one.linked_before
                                     ? form("alreadyLogged", "instance account already authorized")
                                     : form("accountData", account_())));
    return false;
  }
  one.linked_before = false;
  if (one.until <= scheduler_.now()) {
    one.socket->send(json::write(form("timeoutExpired", "")));
    return false;
  }
  if (!now) return true;
  std::string text = json::write(*now);
  if (text == one.told) return true;
  one.socket->send(text);
  one.told = std::move(text);
  return true;
}

void QrSockets::look() {
  // Making the picture of a code is the dear part, and all are shown the same one.
  const auto now = codes_.current();
  std::erase_if(open_, [&](One& one) {
    if (!one.socket->is_open()) return true;
    if (tell(one, now)) return false;
    one.socket->close();
    return true;
  });
  if (!open_.empty()) look_.start(kLook, [this] { look(); });
}

void QrSockets::stop() {
  look_.stop();
  for (One& one : open_) {
    one.socket->send(json::write(form("error", "the box is restarting")));
    one.socket->close();
  }
  open_.clear();
}

}  // namespace posthorn::api
