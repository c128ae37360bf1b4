#include "fleet/event_pump.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::fleet {

namespace {

constexpr const char* kReader = "fleet";
constexpr milliseconds kAgain{3000};
constexpr milliseconds kAfterRefusal{60'000};

std::uint64_t number_at(const json::Value& value, const char* key) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(json::int_at(value, key).value_or(0), 0));
}

}  // namespace

void EventPump::on_connected() {
  if (outside_.share == Share::none) return;
  pump();
  if (!asking_) again(milliseconds(0));
}

void EventPump::on_lost() {
  refused_ = false;
  for (Item& item : items_) {
    if (item.state == Item::State::in_flight) item.state = Item::State::waiting;
  }
}

void EventPump::again(milliseconds after) {
  if (refused_ && after < kAfterRefusal) return;
  timer_.start(after, [this] {
    if (std::exchange(refused_, false)) pump();
    known_ ? fetch() : ask_position();
  });
}

/// Where the ring says that we are: after a start of ours, and after one of the daemon's, which may
/// have lost the last steps, or have a new ring.
void EventPump::ask_position() {
  if (asking_ || !outside_.outlet.connected()) return;
  asking_ = true;
  outside_.box.call({.name = "getReaders"}, alive_or([this](Result<BoxAnswer> answer) {
                      asking_ = false;
                      on_readers(std::move(answer));
                    }));
}

void EventPump::on_readers(Result<BoxAnswer> answer) {
  const auto list = answer && answer->status == 200 ? json::parse(answer->body)
                                                    : Result<json::Value>(fail(Errc::busy, ""));
  if (!list || !list->isArray()) return again(kAgain);
  std::uint64_t position = 0;
  for (const json::Value& one : *list) {
    if (json::string_at(one, "reader") == kReader) position = number_at(one, "position");
  }
  // A position before ours: the daemon lost its last step. None: it has forgotten us, or never
  // knew.
  if (position == 0) {
    items_.clear();
    acknowledged_ = taken_ = 0;
  } else if (position > acknowledged_) {
    acknowledged_ = position;
    taken_ = std::max(taken_, position);
  }
  known_ = true;
  pump();
  fetch();
}

void EventPump::fetch() {
  if (asking_ || !items_.empty() || !outside_.outlet.connected()) return;
  asking_ = true;
  std::string query = std::string("reader=") + kReader;
  // A reader that is made now begins at the newest; without a wait we hear at once where that is.
  if (acknowledged_ > 0) query += "&after=" + std::to_string(acknowledged_) + "&wait=25";
  outside_.box.call({.name = "watchEvents", .query = query},
                    alive_or([this](Result<BoxAnswer> answer) {
                      asking_ = false;
                      on_events(std::move(answer));
                    }));
}

void EventPump::on_events(Result<BoxAnswer> answer) {
  if (!answer) {
    known_ = false;
    return again(kAgain);
  }
  if (answer->status != 200) {
    log::warn("fleet", "events are not given", {{"status", answer->status}});
    return again(kAgain);
  }
  const auto parsed = json::parse(answer->body);
  if (!parsed) return again(kAgain);
  take(*parsed);
  pump();
  if (items_.empty()) again(acknowledged_ > 0 ? milliseconds(0) : kAgain);
}

void EventPump::take(const json::Value& answer) {
  const std::uint64_t last = number_at(answer, "last");
  const json::Value& events = json::at(answer, "events");
  if (taken_ == 0) {
    // The first look ever: everything before is the past.
    const bool some = events.isArray() && !events.empty();
    taken_ = some ? number_at(events[0], "number") - 1 : last;
    acknowledged_ = taken_;
  }
  if (events.isArray()) {
    for (const json::Value& one : events) {
      const std::uint64_t number = number_at(one, "number");
      if (number <= taken_) continue;
      if (number > taken_ + 1) add_gap(taken_ + 1, number - 1);
      add_event(number, json::at(one, "event"));
      taken_ = number;
    }
  }
  if (last > taken_) {
    add_gap(taken_ + 1, last);
    taken_ = last;
  }
}

/// Numbers that the ring will never show us: overwritten before we came, lost by the medium, or
/// used up by a write that failed.
void EventPump::add_gap(std::uint64_t from, std::uint64_t to) {
  json::Value gap(::Json::objectValue);
  gap["gap"]["from"] = static_cast<::Json::UInt64>(from);
  gap["gap"]["to"] = static_cast<::Json::UInt64>(to);
  gap["gap"]["why"] = "not in the box's ring any more";
  Item item;
  item.number = to;
  item.publication.topic = outside_.topics.at("event/gap");
  item.publication.payload = json::write(gap);
  item.publication.sequence = to;
  item.publication.expiry = kExpiry;
  items_.push_back(std::move(item));
  if (outside_.on_gap) outside_.on_gap(from, to);
}

Publication EventPump::publication_of(std::uint64_t number, const json::Value& event) const {
  SharedEvent shared = share_event(event, outside_.share, outside_.hash_key);
  Publication out;
  out.topic = outside_.topics.at("event/" + topic_level(shared.type));
  out.payload = std::move(shared.payload);
  out.sequence = number;
  out.expiry = kExpiry;
  return out;
}

void EventPump::add_event(std::uint64_t number, const json::Value& event) {
  Item item;
  item.number = number;
  item.publication = publication_of(number, event);
  items_.push_back(std::move(item));
}

void EventPump::resend(std::uint64_t from, Function<void(Result<std::size_t>)> done) {
  if (outside_.share == Share::none) return done(fail(Errc::refused, "this box shares no events"));
  const std::string after = std::to_string(from > 0 ? from - 1 : 0);
  outside_.box.call(
      {.name = "watchEvents", .query = "after=" + after},
      alive_or([this, from, done = std::move(done)](Result<BoxAnswer> answer) mutable {
        if (!answer) return done(tl::unexpected(answer.error()));
        const auto parsed = json::parse(answer->body);
        if (!parsed) return done(tl::unexpected(parsed.error()));
        std::size_t count = 0;
        for (const json::Value& one : json::at(*parsed, "events")) {
          const std::uint64_t number = number_at(one, "number");
          // What was never told yet comes by itself.
          if (number < from || number > acknowledged_) continue;
          if (outside_.outlet.publish(publication_of(number, json::at(one, "event")))) ++count;
        }
        done(count);
      }));
}

void EventPump::pump() {
  if (refused_) return;
  std::size_t in_flight = 0;
  for (Item& item : items_) {
    if (in_flight >= kInFlight || !outside_.outlet.connected()) return;
    if (item.state == Item::State::waiting) {
      const bool given = outside_.outlet.publish(
          item.publication,
          [this, number = item.number](Outlet::Fate fate) { on_fate(number, fate); });
      if (!given) return;
      item.state = Item::State::in_flight;
    }
    if (item.state == Item::State::in_flight) ++in_flight;
  }
}

void EventPump::on_fate(std::uint64_t number, Outlet::Fate fate) {
  if (fate == Outlet::Fate::lost) return;  // on_lost() puts all back
  if (fate == Outlet::Fate::refused) {
    // The centre's rules are wrong, and may be put right: nothing is given up for that.
    for (Item& item : items_) {
      if (item.number == number) item.state = Item::State::waiting;
    }
    refused_ = true;
    return again(kAfterRefusal);
  }
  for (Item& item : items_) {
    if (item.number == number) item.state = Item::State::done;
  }
  while (!items_.empty() && items_.front().state == Item::State::done) {
    acknowledged_ = items_.front().number;
    ++published_;
    items_.pop_front();
  }
  pump();
  if (items_.empty() && !asking_) again(milliseconds(0));
}

}  // namespace posthorn::fleet
