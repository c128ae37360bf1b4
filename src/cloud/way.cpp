#include "posthorn/cloud/way.h"

namespace posthorn::cloud {

std::string_view to_string(Way way) {
  switch (way) {
    case Way::free_form:
      return "free_form";
    case Way::direct_send:
      return "direct_send";
    case Way::template_:
      return "template";
    case Way::none:
      return "none";
  }
  return "none";
}

Way choose_way(const WayFacts& facts) {
  if (facts.own_template) return Way::template_;
  if (facts.window_open) return Way::free_form;
  if (facts.direct_send && facts.plain_text) return Way::direct_send;
  if (facts.has_template && (facts.plain_text || facts.is_file)) return Way::template_;
  return Way::none;
}

Reaction reaction_to(int http, int code, std::string_view details) {
  constexpr int kServerError = 500;
  switch (code) {
    case 1:
    case 2:
    case 4:
    case 80007:
    case 130429:
    case 131016:
    case 131057:
      return Reaction::retry;
    case 131000:
      return Reaction::retry_twice;
    case 131056:
      return Reaction::pair_wait;
    case 131026:
      return Reaction::no_account;
    case 131050:
      return Reaction::opt_out;
    case 131047:
      return Reaction::window_closed;
    case 131052:
    case 131053:
      return Reaction::upload_anew;
    case 131049:
    case 130472:
      return Reaction::not_today;
    case 131048:
    case 368:
      return Reaction::pause_day;
    case 3:
    case 10:
    case 33:
    case 190:
    case 131005:
    case 131031:
    case 131037:
    case 131042:
    case 131044:
    case 131045:
    case 133010:
      return Reaction::stop;
    case 100:
      // The one sign of an account that is not let in.
      return details.find("isn't enabled for this account") != std::string_view::npos
                 ? Reaction::no_direct_send
                 : Reaction::drop;
    case 0:
      // No error object: a server or a gateway that is not well; 401 and 403 are ours.
      if (http == 401 || http == 403) return Reaction::stop;
      return http >= kServerError || http == 429 || http == 408 ? Reaction::retry : Reaction::drop;
    default:
      break;
  }
  if (code >= 200 && code <= 299) return Reaction::stop;
  // Registration of the number: nothing goes out before somebody has done it.
  if (code >= 133000 && code <= 133016) return Reaction::stop;
  if (code >= 130000) return Reaction::drop;
  return http >= kServerError ? Reaction::retry : Reaction::drop;
}

Route route(const RouteFacts& facts) {
  if (!facts.person || facts.opted_out || facts.wish == Transport::own) return Route::own;
  // Who asks for it waits there for whatever has stopped it.
  if (facts.wish == Transport::official) return Route::official;
  if (!facts.official_works || !facts.official_can) return Route::own;
  // Whoever writes to a number is answered by it.
  if (facts.own_restricted || facts.answers_official) return Route::official;
  if (!facts.opening) return Route::own;
  if (facts.no_capacity) return Route::official;
  return facts.wait && *facts.wait > facts.limit ? Route::official : Route::own;
}

}  // namespace posthorn::cloud
