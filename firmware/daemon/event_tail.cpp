#include "daemon/event_tail.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "posthorn/base/json.h"

namespace posthorn::daemon {

namespace {

using Reading = queue::RingFile::Reading;

/// Requests at once: each of them may hold an answer of kAnswerBytes.
constexpr std::size_t kWatchersAtMost = 8;
constexpr std::uint64_t kWaitSecondsAtMost = 25;

std::uint64_t number_in(std::string_view text, std::uint64_t otherwise) {
  std::uint64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The events are JSON already.
std::string answer_text(const Reading& reading) {
  std::string out = "{\"last\":" + std::to_string(reading.position) +
                    ",\"lost\":" + std::to_string(reading.lost) + ",\"events\":[";
  for (const auto& [entry, body] : reading.entries) {
    if (out.back() != '[') out += ',';
    out += "{\"number\":" + std::to_string(entry.sequence) + ",\"event\":";
    out += body.empty() ? std::string_view("null") : as_text(body);
    out += '}';
  }
  return out + "]}";
}

json::Value reader_json(const queue::RingFile::ReaderStatus& reader) {
  json::Value out(::Json::objectValue);
  out["reader"] = reader.name;
  out["position"] = static_cast<::Json::UInt64>(reader.position);
  out["behind"] = static_cast<::Json::UInt64>(reader.behind);
  out["lost"] = static_cast<::Json::UInt64>(reader.lost);
  out["mostBehind"] = reader.most_behind;
  return out;
}

}  // namespace

std::vector<api::Route> EventTail::routes() {
  api::Route watching;
  watching.name = "watchEvents";
  watching.per_second = 100;
  watching.handler = [this](api::Call call) { watch(std::move(call)); };
  api::Route listing;
  listing.name = "getReaders";
  listing.handler = [this](api::Call call) {
    json::Value all(::Json::arrayValue);
    for (const auto& reader : ring_.readers()) all.append(reader_json(reader));
    call.send(all);
  };
  api::Route removing;
  removing.name = "removeReader";
  removing.verb = api::Verb::post;
  removing.needs = api::Needs::body;
  removing.handler = [this](api::Call call) {
    ring_.remove_reader(json::string_at(call.body, "reader").value_or(""));
    ring_.flush([call = std::move(call)](const Result<void>& done) mutable {
      if (!done) return call.refuse(done.error());
      call.send_text("{\"result\":true}");
    });
  };
  return {std::move(watching), std::move(listing), std::move(removing)};
}

void EventTail::watch(api::Call call) {
  if (waiting_.size() + looking_ >= kWatchersAtMost) return call.refuse(429, "Too Many Requests");
  const std::uint64_t wait =
      std::min(number_in(call.request.query_value("wait"), 0), kWaitSecondsAtMost);
  const std::uint64_t after = number_in(call.request.query_value("after"), 0);
  std::string reader(call.request.query_value("reader"));
  if (!reader.empty()) {
    const std::uint64_t behind = number_in(call.request.query_value("behind"), 0);
    const auto added = ring_.add_reader(
        reader, static_cast<std::uint32_t>(std::min<std::uint64_t>(behind, 0xFFFF'FFFFU)));
    if (!added) return call.refuse(400, added.error().detail);
    ring_.advance(reader, after);
  }
  look({std::move(call), std::move(reader), after,
        scheduler_.now() + seconds(static_cast<std::int64_t>(wait))});
}

void EventTail::look(Waiting one) {
  ++looking_;
  const std::string reader = one.reader;
  const std::uint64_t after = one.after;
  auto done = [this, alive = alive_, one = std::move(one)](Result<Reading> reading) mutable {
    if (*alive) on_read(std::move(one), std::move(reading));
  };
  if (reader.empty()) return ring_.read_latest(after, kAnswerBytes, std::move(done));
  ring_.read(reader, after, kAnswerBytes, std::move(done));
}

void EventTail::on_read(Waiting one, Result<Reading> reading) {
  --looking_;
  if (!reading) return one.call.refuse(reading.error());
  const bool found = !reading->entries.empty() || (reading->lost > 0 && !one.reader.empty());
  if (found || stopped_ || one.until <= scheduler_.now()) {
    // Somebody who names no position has missed nothing.
    if (one.reader.empty() && one.after == 0) reading->lost = 0;
    return one.call.send_text(answer_text(*reading));
  }
  if (reading->position < ring_.newest()) return look(std::move(one));
  waiting_.push_back(std::move(one));
  answer_due();
}

void EventTail::on_stored() {
  for (Waiting& one : std::exchange(waiting_, {})) look(std::move(one));
}

void EventTail::answer_due() {
  timer_.stop();
  if (waiting_.empty()) return;
  const auto next =
      std::min_element(waiting_.begin(), waiting_.end(),
                       [](const auto& a, const auto& b) { return a.until < b.until; });
  timer_.start_at(next->until, [this] {
    // Those whose time is up are answered with what there is: nothing.
    on_stored();
  });
}

void EventTail::add_metrics(std::vector<throttle::Metric>& out) const {
  for (const auto& reader : ring_.readers()) {
    const std::string label = "reader=\"" + reader.name + "\"";
    out.push_back({"reader_behind", label, static_cast<double>(reader.behind), false});
    out.push_back({"reader_lost_total", label, static_cast<double>(reader.lost), true});
  }
}

void EventTail::stop() {
  stopped_ = true;
  timer_.stop();
  for (Waiting& one : std::exchange(waiting_, {})) {
    one.call.send_text(answer_text({{}, 0, one.after}));
  }
}

}  // namespace posthorn::daemon
