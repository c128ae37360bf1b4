#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn::evaluation {

/// Every number of the pretend WhatsApp (throttle policy section 15). They are assumptions; only
/// the order of policies under them means something.
struct Model {
  // 15.1 Recipients: answers, complains, per message.
  double regular_answers = 0.30, regular_complains = 0.0003;
  double consent_answers = 0.25, consent_complains = 0.002;
  double bot_answers = 0.60, bot_complains = 0.0005;
  double lukewarm_answers = 0.08, lukewarm_complains = 0.008;
  double bought_answers = 0.02, bought_complains = 0.03;
  double night_complaints = 3.0;  ///< factor, 21-08, outside reply windows
  double run_complaints = 1.5;    ///< factor per message beyond the first unanswered one
  double opts_out = 0.02;         ///< per message, left unanswered twice or more
  double answer_minutes = 30;     ///< mean of the exponential delay
  // Of those who get a message, how many open it and let the sender see that (read receipts on).
  double regular_reads = 0.65, consent_reads = 0.60, bot_reads = 0.75, lukewarm_reads = 0.35,
         bought_reads = 0.20;
  // 15.2 Hidden enforcement: medians by account age < 10 / < 30 / < 90 / more days.
  double openings_age0 = 15, openings_age10 = 25, openings_age30 = 40, openings_age90 = 60;
  double unanswered_age0 = 150, unanswered_age10 = 150, unanswered_age30 = 400,
         unanswered_age90 = 800;
  double per_minute = 12;
  double same_text_hour = 25;
  double complaints_week = 6, complaints_share = 0.002;
  double threshold_spread = 0.4;  ///< sigma of the logarithm
  double trust_low = 0.5, trust_high = 1.5;
  double trust_from_openings = 10;
  double trigger_slope = 0.09, trigger_most = 0.25;
  double opening_chance = 0.0002;
  double unregistered_chance = 0.005, unregistered_chance_third = 0.02;
  double lock1_hours = 24, lock2_hours = 24, lock3_hours = 48, lock4_hours = 144;
  double forgiven_days = 30;
  double attempt_extends = 0.10, attempt_hours = 24, attempt_strikes = 0.03;
  double lock_drops = 0.10;
  double warn_first = 0.7, warn_second = 0.9;
  // The other enforcement (World::Rules::score): points that fade, no thresholds per kind.
  double score_age0 = 60, score_age10 = 90, score_age30 = 130, score_age90 = 180;
  double score_fades_days = 3;  ///< half of it is gone after so many days
  double score_opening = 1, score_follow_up = 0.7, score_answered = -1.5, score_message = 0.03;
  double score_crowd = 0.3;      ///< each message beyond per_minute
  double score_same_text = 0.5;  ///< each copy beyond ten in the hour
  double score_wrong = 2, score_complaint = 6;
  double score_slope = 0.02;
  // 15.3 Workloads.
  double regulars = 400, regulars_new_number = 100;
  double w1_per_day = 80, w1_new = 0.12, w1_wrong = 0.03;
  double w2_burst = 50, w2_new = 0.10, w2_wrong = 0.03, w2_seconds = 30;
  double w3_per_day = 40, w3_copies = 400, w3_wrong = 0.05;
  double w4_customers = 200, w4_receipts = 20;
  double w5_per_day = 300, w5_wrong = 0.15;
  // Shops of walk-ins: messages a day to regulars and to new customers.
  double kiosk_regular = 30, kiosk_new = 110;
  double walk_in_regular = 21, walk_in_new = 174;
  double restaurant_regular = 15, restaurant_new = 276;
  double shop_wrong = 0.03;  ///< mistyped numbers of new customers in these shops
  double scan_share = 0.60;  ///< of new customers scan the sign and so write first
  double season_peak = 3;    ///< receipts a day at the end of the ramp, times W1
  double closure_from = 20, closure_days = 10;
  double job_hours = 24;
  // The official number beside ours: when a job goes there, and what a message costs.
  double official_minutes = 30;  ///< auto_minutes of [cloud]
  double price_utility = 0.034;  ///< asked for (consent)
  double price_marketing = 0.09;
  // The shop's person.
  double operator_hours = 1;  ///< until a needed acknowledgement is given
};

struct Parameter {
  std::string_view name;
  double Model::*member = nullptr;
};
[[nodiscard]] std::span<const Parameter> parameters();
/// "per_minute=20". Errors: not_found (the known names are listed), malformed.
Result<void> set_parameter(Model& model, std::string_view assignment);

/// Chance without order: the same question about the same thing has the same answer under every
/// policy, so that policies meet the same people and the same luck.
[[nodiscard]] std::uint64_t mix(std::uint64_t x);
[[nodiscard]] double uniform(std::uint64_t seed, std::uint64_t a, std::uint64_t b);
[[nodiscard]] double normal(std::uint64_t seed, std::uint64_t a);

}  // namespace posthorn::evaluation
