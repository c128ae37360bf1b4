#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "posthorn/base/config.h"
#include "posthorn/base/time.h"

/// The decisions of the official transport: pure, each with all that it depends on.
namespace posthorn::cloud {

/// How one message goes to somebody by the official API.
enum class Way : std::uint8_t {
  free_form,    ///< as it is: they wrote within the last 24 hours
  direct_send,  ///< as it is, with a category; Meta makes the template
  template_,    ///< as the one parameter of a template
  none,         ///< not at all: it needs a template
};
[[nodiscard]] std::string_view to_string(Way way);

struct WayFacts {
  bool window_open = false;   ///< known only where webhooks come
  bool direct_send = false;   ///< the account is let in, and was not refused within a day
  bool plain_text = false;    ///< a text of at most 1024 characters
  bool has_template = false;  ///< a setting names one
  bool is_file = false;       ///< documents fit into a template's header
  bool own_template = false;  ///< the message names a template itself
};
[[nodiscard]] Way choose_way(const WayFacts& facts);

/// What an error of the official API means for the message and for those behind it.
enum class Reaction : std::uint8_t {
  retry,           ///< later, again and again
  retry_twice,     ///< later, at most twice
  pair_wait,       ///< this chat waits 4^n seconds
  drop,            ///< this message fails
  no_account,      ///< the same: nobody on WhatsApp has the number
  opt_out,         ///< the same, and they are not written to again
  not_today,       ///< the same: no other try for this chat within a day
  upload_anew,     ///< its file has to be uploaded once more, once
  window_closed,   ///< they have not written within 24 hours: another way
  no_direct_send,  ///< Direct Send is not for this account: another way
  pause_day,       ///< nothing goes out for 24 hours
  stop,            ///< nothing goes out until a person has acted
};
/// http: status of the answer, 200 for a failure that a webhook tells; code: of its error object, 0
/// when it had none. Source: Meta's error reference of June 2026.
[[nodiscard]] Reaction reaction_to(int http, int code, std::string_view details);

/// Which of the two a message takes.
struct RouteFacts {
  Transport wish = Transport::own;  ///< the message's own word, else the setting
  bool official_works = false;      ///< nothing has stopped it
  bool official_can = false;        ///< choose_way() finds a way
  bool person = true;               ///< a number; groups and LIDs are the linked account's
  bool opted_out = false;
  bool own_restricted = false;  ///< WhatsApp holds the linked account, or it is not linked
  /// It answers what came to the official number, and can be said there as it is.
  bool answers_official = false;
  bool opening = false;              ///< the first message to them
  bool no_capacity = false;          ///< the throttle would refuse it
  std::optional<milliseconds> wait;  ///< until the throttle lets it go; nullopt: nobody knows
  milliseconds limit{0};             ///< auto: what waits longer goes official
};
enum class Route : std::uint8_t { own, official };
/// Opted-out people are the throttle's business, which refuses with the reason.
[[nodiscard]] Route route(const RouteFacts& facts);

}  // namespace posthorn::cloud
