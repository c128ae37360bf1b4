#include "workload.h"

#include <algorithm>

namespace posthorn::evaluation {
namespace {

/// Draws in order; each account's demand has its own.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}
  double next() { return uniform(seed_, ++count_, 77); }
  bool chance(double p) { return next() < p; }
  std::uint32_t below(std::size_t n) {
    return static_cast<std::uint32_t>(next() * static_cast<double>(n));
  }

 private:
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
};

class Maker {
 public:
  Maker(const Model& model, int age_days, std::uint64_t seed) : model_(model), draws_(mix(seed)) {
    const double regulars = age_days == 0 ? model.regulars_new_number : model.regulars;
    regulars_ = static_cast<std::size_t>(regulars);
    for (std::size_t i = 0; i < regulars_; ++i) add(Kind::regular, 0);
    for (Person& person : demand_.people) person.wrote = true;
  }

  void day(Workload workload, int day, int days) {
    const Time midnight = day * kDayMs;
    switch (workload) {
      case Workload::kiosk:
        return walk_ins(midnight, model_.kiosk_regular, model_.kiosk_new, 0);
      case Workload::walk_in:
        return walk_ins(midnight, model_.walk_in_regular, model_.walk_in_new, 0);
      case Workload::walk_in_scan:
        return walk_ins(midnight, model_.walk_in_regular, model_.walk_in_new, model_.scan_share);
      case Workload::restaurant:
        return walk_ins(midnight, model_.restaurant_regular, model_.restaurant_new, 0);
      case Workload::season:
        return receipts(midnight, model_.w1_per_day *
                                      (1 + (model_.season_peak - 1) * day / std::max(1, days - 1)));
      case Workload::closure:
        if (day >= model_.closure_from && day < model_.closure_from + model_.closure_days) return;
        return receipts(midnight, model_.w1_per_day);
      case Workload::w1:
        receipts(midnight, model_.w1_per_day);
        return;
      case Workload::w2:
        bursts(midnight);
        return;
      case Workload::w3:
        receipts(midnight, model_.w3_per_day);
        if (day % 7 == 6) promotion(midnight, static_cast<std::uint32_t>(day));
        return;
      case Workload::w4:
        customers(midnight);
        receipts(midnight, model_.w4_receipts);
        return;
      case Workload::w5:
        bought_list(midnight, day);
        return;
    }
  }

  Demand take() {
    std::stable_sort(demand_.jobs.begin(), demand_.jobs.end(),
                     [](const Job& a, const Job& b) { return a.at < b.at; });
    return std::move(demand_);
  }

 private:
  std::uint32_t add(Kind kind, double wrong) {
    Person person;
    person.kind = kind;
    person.registered = !draws_.chance(wrong);
    demand_.people.push_back(person);
    return static_cast<std::uint32_t>(demand_.people.size() - 1);
  }
  std::uint32_t regular() { return draws_.below(regulars_); }
  Time shop_hours(Time midnight) {
    return midnight + 9 * kHourMs + static_cast<Time>(draws_.next() * 12.0 * kHourMs);
  }
  void want(Time at, std::uint32_t person, std::uint32_t text, bool consent) {
    demand_.jobs.push_back({at, person, text, consent, false});
  }
  void receipt(Time at, double fresh, double wrong) {
    // A till knows of an order; it does not know who is new.
    want(at, draws_.chance(fresh) ? add(Kind::consent, wrong) : regular(), 0, true);
  }

  void receipts(Time midnight, double per_day) {
    for (int i = 0; i < static_cast<int>(per_day); ++i)
      receipt(shop_hours(midnight), model_.w1_new, model_.w1_wrong);
  }
  void walk_ins(Time midnight, double known, double fresh, double scan) {
    for (int i = 0; i < static_cast<int>(known); ++i)
      want(shop_hours(midnight), regular(), 0, true);
    for (int i = 0; i < static_cast<int>(fresh); ++i) {
      const Time at = shop_hours(midnight);
      const bool scans = scan > 0 && draws_.chance(scan);
      const std::uint32_t person =
          add(scans ? Kind::bot : Kind::consent, scans ? 0 : model_.shop_wrong);
      if (scans) demand_.jobs.push_back({at, person, 0, false, true});
      want(at + kSecondMs, person, 0, true);
    }
  }
  void bursts(Time midnight) {
    for (const Time hour : {10, 13, 18}) {
      for (int i = 0; i < static_cast<int>(model_.w2_burst); ++i) {
        const Time at = midnight + hour * kHourMs +
                        static_cast<Time>(draws_.next() * model_.w2_seconds * kSecondMs);
        receipt(at, model_.w2_new, model_.w2_wrong);
      }
    }
  }
  void promotion(Time midnight, std::uint32_t day) {
    const int copies = static_cast<int>(model_.w3_copies);
    for (int i = 0; i < copies; ++i) {
      const std::uint32_t person = i % 2 == 0 ? regular() : lukewarm();
      want(midnight + 20 * kHourMs, person, 1000 + day, false);
    }
  }
  /// The list is the same each week.
  std::uint32_t lukewarm() {
    const auto size = static_cast<std::size_t>(model_.w3_copies / 2);
    if (lukewarm_.size() < size)
      lukewarm_.push_back(add(Kind::lukewarm, model_.w3_wrong));
    else
      next_lukewarm_ = next_lukewarm_ % size;
    const std::uint32_t person = lukewarm_[std::min(next_lukewarm_, lukewarm_.size() - 1)];
    ++next_lukewarm_;
    return person;
  }
  void customers(Time midnight) {
    for (int i = 0; i < static_cast<int>(model_.w4_customers); ++i) {
      const Time at = shop_hours(midnight);
      const std::uint32_t person = add(Kind::bot, 0);
      demand_.jobs.push_back({at, person, 0, false, true});
      want(at + kSecondMs, person, 0, false);
      want(at + kMinuteMs, person, 0, false);
    }
  }
  void bought_list(Time midnight, int day) {
    for (int i = 0; i < static_cast<int>(model_.w5_per_day); ++i)
      want(shop_hours(midnight), add(Kind::bought, model_.w5_wrong),
           2000 + static_cast<std::uint32_t>(day / 3), false);
  }

  const Model& model_;
  Draws draws_;
  Demand demand_;
  std::size_t regulars_ = 0;
  std::vector<std::uint32_t> lukewarm_;
  std::size_t next_lukewarm_ = 0;
};

}  // namespace

std::string_view to_string(Workload workload) {
  constexpr std::array<std::string_view, kWorkloads> kNames{
      "W1",      "W2",           "W3",         "W4",     "W5",     "kiosk",
      "walk-in", "walk-in scan", "restaurant", "season", "closure"};
  return kNames[static_cast<std::size_t>(workload)];
}

Demand make_demand(const Model& model, Workload workload, int age_days, int days,
                   std::uint64_t seed) {
  Maker maker(model, age_days, seed);
  for (int day = 0; day < days; ++day) maker.day(workload, day, days);
  return maker.take();
}

}  // namespace posthorn::evaluation
