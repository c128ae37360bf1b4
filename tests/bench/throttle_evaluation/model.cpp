#include "model.h"

#include <charconv>
#include <cmath>
#include <numbers>
#include <string>

namespace posthorn::evaluation {
namespace {

#define POSTHORN_PARAMETER(name) \
  Parameter { #name, &Model::name }

constexpr std::array kParameters{
    POSTHORN_PARAMETER(regular_answers),
    POSTHORN_PARAMETER(regular_complains),
    POSTHORN_PARAMETER(consent_answers),
    POSTHORN_PARAMETER(consent_complains),
    POSTHORN_PARAMETER(bot_answers),
    POSTHORN_PARAMETER(bot_complains),
    POSTHORN_PARAMETER(lukewarm_answers),
    POSTHORN_PARAMETER(lukewarm_complains),
    POSTHORN_PARAMETER(bought_answers),
    POSTHORN_PARAMETER(bought_complains),
    POSTHORN_PARAMETER(night_complaints),
    POSTHORN_PARAMETER(run_complaints),
    POSTHORN_PARAMETER(opts_out),
    POSTHORN_PARAMETER(answer_minutes),
    POSTHORN_PARAMETER(regular_reads),
    POSTHORN_PARAMETER(consent_reads),
    POSTHORN_PARAMETER(bot_reads),
    POSTHORN_PARAMETER(lukewarm_reads),
    POSTHORN_PARAMETER(bought_reads),
    POSTHORN_PARAMETER(openings_age0),
    POSTHORN_PARAMETER(openings_age10),
    POSTHORN_PARAMETER(openings_age30),
    POSTHORN_PARAMETER(openings_age90),
    POSTHORN_PARAMETER(unanswered_age0),
    POSTHORN_PARAMETER(unanswered_age10),
    POSTHORN_PARAMETER(unanswered_age30),
    POSTHORN_PARAMETER(unanswered_age90),
    POSTHORN_PARAMETER(per_minute),
    POSTHORN_PARAMETER(same_text_hour),
    POSTHORN_PARAMETER(complaints_week),
    POSTHORN_PARAMETER(complaints_share),
    POSTHORN_PARAMETER(threshold_spread),
    POSTHORN_PARAMETER(trust_low),
    POSTHORN_PARAMETER(trust_high),
    POSTHORN_PARAMETER(trust_from_openings),
    POSTHORN_PARAMETER(trigger_slope),
    POSTHORN_PARAMETER(trigger_most),
    POSTHORN_PARAMETER(opening_chance),
    POSTHORN_PARAMETER(unregistered_chance),
    POSTHORN_PARAMETER(unregistered_chance_third),
    POSTHORN_PARAMETER(lock1_hours),
    POSTHORN_PARAMETER(lock2_hours),
    POSTHORN_PARAMETER(lock3_hours),
    POSTHORN_PARAMETER(lock4_hours),
    POSTHORN_PARAMETER(forgiven_days),
    POSTHORN_PARAMETER(attempt_extends),
    POSTHORN_PARAMETER(attempt_hours),
    POSTHORN_PARAMETER(attempt_strikes),
    POSTHORN_PARAMETER(lock_drops),
    POSTHORN_PARAMETER(warn_first),
    POSTHORN_PARAMETER(warn_second),
    POSTHORN_PARAMETER(score_age0),
    POSTHORN_PARAMETER(score_age10),
    POSTHORN_PARAMETER(score_age30),
    POSTHORN_PARAMETER(score_age90),
    POSTHORN_PARAMETER(score_fades_days),
    POSTHORN_PARAMETER(score_opening),
    POSTHORN_PARAMETER(score_follow_up),
    POSTHORN_PARAMETER(score_answered),
    POSTHORN_PARAMETER(score_message),
    POSTHORN_PARAMETER(score_crowd),
    POSTHORN_PARAMETER(score_same_text),
    POSTHORN_PARAMETER(score_wrong),
    POSTHORN_PARAMETER(score_complaint),
    POSTHORN_PARAMETER(score_slope),
    POSTHORN_PARAMETER(regulars),
    POSTHORN_PARAMETER(regulars_new_number),
    POSTHORN_PARAMETER(w1_per_day),
    POSTHORN_PARAMETER(w1_new),
    POSTHORN_PARAMETER(w1_wrong),
    POSTHORN_PARAMETER(w2_burst),
    POSTHORN_PARAMETER(w2_new),
    POSTHORN_PARAMETER(w2_wrong),
    POSTHORN_PARAMETER(w2_seconds),
    POSTHORN_PARAMETER(w3_per_day),
    POSTHORN_PARAMETER(w3_copies),
    POSTHORN_PARAMETER(w3_wrong),
    POSTHORN_PARAMETER(w4_customers),
    POSTHORN_PARAMETER(w4_receipts),
    POSTHORN_PARAMETER(w5_per_day),
    POSTHORN_PARAMETER(w5_wrong),
    POSTHORN_PARAMETER(kiosk_regular),
    POSTHORN_PARAMETER(kiosk_new),
    POSTHORN_PARAMETER(walk_in_regular),
    POSTHORN_PARAMETER(walk_in_new),
    POSTHORN_PARAMETER(restaurant_regular),
    POSTHORN_PARAMETER(restaurant_new),
    POSTHORN_PARAMETER(shop_wrong),
    POSTHORN_PARAMETER(scan_share),
    POSTHORN_PARAMETER(season_peak),
    POSTHORN_PARAMETER(closure_from),
    POSTHORN_PARAMETER(closure_days),
    POSTHORN_PARAMETER(job_hours),
    POSTHORN_PARAMETER(official_minutes),
    POSTHORN_PARAMETER(price_utility),
    POSTHORN_PARAMETER(price_marketing),
    POSTHORN_PARAMETER(operator_hours),
};
#undef POSTHORN_PARAMETER

}  // namespace

std::span<const Parameter> parameters() { return kParameters; }

Result<void> set_parameter(Model& model, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return fail(Errc::malformed, "expected name=value");
  const std::string_view name = assignment.substr(0, equals);
  const std::string_view digits = assignment.substr(equals + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size())
    return fail(Errc::malformed, "\"" + std::string(digits) + "\" is no number");
  std::string known;
  for (const Parameter& parameter : kParameters) {
    if (parameter.name == name) {
      model.*parameter.member = value;
      return {};
    }
    known += (known.empty() ? "" : ", ") + std::string(parameter.name);
  }
  return fail(Errc::not_found, "no parameter \"" + std::string(name) + "\"; there are: " + known);
}

std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

double uniform(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  return static_cast<double>(mix(mix(mix(seed) ^ a) ^ (b << 40) ^ b) >> 11) * 0x1.0p-53;
}

double normal(std::uint64_t seed, std::uint64_t a) {
  const double u = std::max(uniform(seed, a, 1), 1e-300);
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * uniform(seed, a, 2));
}

}  // namespace posthorn::evaluation
