#include "daemon/metrics.h"

#include <unistd.h>

#include <fstream>
#include <utility>

namespace posthorn::daemon {

namespace {

std::string label(const std::string& name, std::string_view value) {
  return name + "=\"" + std::string(value) + "\"";
}

template <class Key, class Text>
void add_counts(std::vector<throttle::Metric>& out, const std::string& name, const std::string& by,
                const std::map<Key, std::uint64_t>& counts, Text text) {
  for (const auto& [key, count] : counts) {
    out.push_back({name, label(by, text(key)), static_cast<double>(count), true});
  }
}

const std::string& itself(const std::string& text) { return text; }

}  // namespace

void Counters::on_event(const session::Event& event) {
  if (const auto* change = std::get_if<session::StateChanged>(&event)) {
    ++states_[std::string(session::to_string(change->state))];
  } else if (const auto* link = std::get_if<session::Connectivity>(&event)) {
    if (link->online && std::exchange(was_online_, true)) ++reconnects_;
  }
}

void Counters::on_event(const chat::Event& event) {
  if (std::holds_alternative<chat::Blocked>(event)) return;
  const auto* receipt = std::get_if<chat::Receipt>(&event);
  if (receipt == nullptr) {
    ++messages_in_;
    return;
  }
  switch (receipt->kind) {
    case chat::Receipt::Kind::delivered:
      ++receipts_["delivered"];
      break;
    case chat::Receipt::Kind::read:
      ++receipts_["read"];
      break;
    case chat::Receipt::Kind::played:
      ++receipts_["played"];
      break;
  }
}

void Counters::on_fate(const throttle::Fate& fate) {
  switch (fate.kind) {
    case throttle::Fate::Kind::sent:
      ++fates_["sent"];
      break;
    case throttle::Fate::Kind::failed:
      ++fates_["failed"];
      break;
    case throttle::Fate::Kind::no_account:
      ++fates_["no_account"];
      break;
    case throttle::Fate::Kind::held:
      ++fates_["held"];
      break;
  }
  if (fate.code != 0) ++failures_[fate.code];
}

void Counters::add_to(std::vector<throttle::Metric>& out) const {
  out.push_back({"messages_received_total", "", static_cast<double>(messages_in_), true});
  add_counts(out, "jobs_total", "fate", fates_, itself);
  add_counts(out, "send_failures_total", "code", failures_,
             [](int code) { return std::to_string(code); });
  add_counts(out, "receipts_total", "kind", receipts_, itself);
  out.push_back({"session_reconnects_total", "", static_cast<double>(reconnects_), true});
  add_counts(out, "session_states_total", "state", states_, itself);
}

void add_ring(std::vector<throttle::Metric>& out, const std::string& name,
              const queue::RingStatus& status, Wall now) {
  const std::string which = label("queue", name);
  const double age = status.oldest ? static_cast<double>((now - *status.oldest).count()) / 1e3 : 0;
  out.push_back({"queue_pending", which, static_cast<double>(status.pending), false});
  out.push_back({"queue_oldest_age_seconds", which, age, false});
  out.push_back({"queue_used_bytes", which, static_cast<double>(status.used_bytes), false});
  out.push_back({"queue_capacity_bytes", which, static_cast<double>(status.capacity_bytes), false});
  out.push_back({"queue_appended_total", which, static_cast<double>(status.appended), true});
  out.push_back({"queue_refused_total", which, static_cast<double>(status.refused), true});
  out.push_back({"queue_dropped_total", which, static_cast<double>(status.dropped), true});
  out.push_back({"queue_syncs_total", which, static_cast<double>(status.syncs), true});
  out.push_back({"queue_fault", which, status.fault ? 1.0 : 0.0, false});
}

std::optional<std::uint64_t> resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (!(file >> total >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void add_process(std::vector<throttle::Metric>& out) {
  const auto bytes = resident_bytes();
  if (!bytes) return;
  out.push_back({"process_resident_memory_bytes", "", static_cast<double>(*bytes), false});
}

}  // namespace posthorn::daemon
