#include "session/qr.h"

namespace posthorn::session {

std::string qr_text(const std::string& ref, ByteView noise_public, ByteView identity_public,
                    ByteView adv_secret) {
  constexpr std::string_view kPrefix = "https://wa.me/settings/linked_devices#";
  constexpr char kClientType = '1';  // Chrome, as DeviceProps.platformType says
  std::string out(kPrefix);
  out += ref;
  for (const ByteView field : {noise_public, identity_public, adv_secret})
    out += "," + base64_encode(field);
  out += ',';
  out += kClientType;
  return out;
}

void QrRound::begin(std::deque<std::string> refs, Mono now) {
  refs_ = std::move(refs);
  if (refs_.size() > kMostRefs) refs_.resize(kMostRefs);
  until_ = now + kFirst;
}

std::optional<std::string> QrRound::current(Mono now) {
  while (!refs_.empty() && now >= until_) {
    refs_.pop_front();
    until_ = until_ + kFollowing;
  }
  if (refs_.empty()) return std::nullopt;
  return refs_.front();
}

std::optional<Mono> QrRound::next_change() const {
  if (refs_.empty()) return std::nullopt;
  return until_;
}

}  // namespace posthorn::session
