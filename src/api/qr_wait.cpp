#include "api/qr_wait.h"

#include "api/passkey.h"
#include "api/qr_png.h"

namespace posthorn::api {

namespace {

json::Value form(const char* type, const std::string& message) {
  json::Value out(::Json::objectValue);
  out["type"] = type;
  out["message"] = message;
  return out;
}

}  // namespace

std::optional<json::Value> QrWait::current() {
  if (!link_.account().phone.empty()) {
    return form("alreadyLogged", "instance account already authorized");
  }
  if (auto asked = passkey_required(link_.passkey(), clock_.now())) return asked;
  const auto text = link_.qr();
  if (!text) return std::nullopt;
  const auto png = encode_qr_png(*text);
  if (!png) return form("error", png.error().detail);
  json::Value out = form("qrCode", base64_encode(*png));
  out["qrText"] = *text;  // extension: for terminals and for tests
  return out;
}

std::string QrWait::why_none() const {
  const std::string known = status_ ? status_().what_to_do : "";
  return known.empty() ? "no QR code from WhatsApp yet, try again in a few seconds" : known;
}

void QrWait::answer(Call call) {
  if (const auto now = current()) return call.send(*now);
  waiting_.push_back({std::move(call), scheduler_.now() + kLongest});
  if (!look_.active()) look_.start(kLook, [this] { look(); });
}

void QrWait::look() {
  const auto found = current();
  std::list<Waiting> answered;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto here = it++;
    if (found || here->until <= scheduler_.now()) {
      answered.splice(answered.end(), waiting_, here);
    }
  }
  if (!waiting_.empty()) look_.start(kLook, [this] { look(); });
  const json::Value answer = found.value_or(form("error", why_none()));
  for (Waiting& one : answered) one.call.send(answer);
}

void QrWait::stop() {
  look_.stop();
  for (Waiting& one : waiting_) one.call.send(form("error", "the box is restarting"));
  waiting_.clear();
}

}  // namespace posthorn::api
