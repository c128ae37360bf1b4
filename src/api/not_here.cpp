#include "api/not_here.h"

#include <array>

namespace posthorn::api {

namespace {

constexpr std::string_view kButtons =
    "Forbidden: WhatsApp does not deliver these buttons and lists any more; send the choices as "
    "numbered lines with sendMessage";
constexpr std::string_view kOtherMessenger =
    "Forbidden: this is for other messengers; a WhatsApp account is linked with qr or "
    "getAuthorizationCode";

// The cloud's own answers, July 2026, with the reason behind them.
constexpr std::array<NotHere, 7> kMethods{{
    {"sendButtons", Verb::post, 403, kButtons},
    {"sendTemplateButtons", Verb::post, 403, kButtons},
    {"sendListMessage", Verb::post, 403, kButtons},
    {"startAuthorization", Verb::post, 403, kOtherMessenger},
    {"sendAuthorizationCode", Verb::post, 403, kOtherMessenger},
    {"sendAuthorizationPassword", Verb::post, 403, kOtherMessenger},
    {"checkAccount", Verb::post, 403, kOtherMessenger},
}};

}  // namespace

std::span<const NotHere> methods_not_here() { return kMethods; }

}  // namespace posthorn::api
