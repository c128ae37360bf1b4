#include "daemon/cloud_mailbox.h"

#include <utility>

#include "posthorn/base/json_ascii.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {
namespace {

constexpr std::size_t kLoadedAtMost = 16;
constexpr std::size_t kReadBytes = std::size_t{64} << 10;

std::uint32_t receipt_id_of(queue::Sequence sequence) {
  return static_cast<std::uint32_t>(sequence & 0x7FFF'FFFFU);
}

}  // namespace

Result<void> CloudMailbox::open() {
  TRY(ring_.add_reader(kReader, 0));
  open_ = true;
  load();
  return {};
}

void CloudMailbox::close() {
  ring_.remove_reader(kReader);
  open_ = false;
  loaded_.clear();
  read_ = 0;
}

void CloudMailbox::on_stored() {
  if (open_ && loaded_.empty()) load();
}

void CloudMailbox::load() {
  if (!open_ || loading_ || loaded_.size() >= kLoadedAtMost) return;
  loading_ = true;
  ring_.read(kReader, read_, kReadBytes,
             alive_.bind([this](const Result<queue::RingFile::Reading>& reading) {
               loading_ = false;
               if (!open_) return;
               if (reading) return on_read(*reading);
               log::warn("cloud", "the inbox cannot be read", {{"error", reading.error()}});
             }));
}

void CloudMailbox::on_read(const queue::RingFile::Reading& reading) {
  if (reading.lost > 0) {
    log::warn("cloud", "webhooks of the official API's form were lost: the inbox was too small",
              {{"count", reading.lost}});
  }
  const bool was_empty = loaded_.empty();
  for (const auto& [entry, body] : reading.entries) {
    if (entry.sequence <= read_) continue;
    read_ = entry.sequence;
    const auto notification = json::parse(as_text(body));
    if (!notification) continue;
    if (const auto webhook = cloud::webhook_of(*notification, context_())) {
      loaded_.push_back({entry.sequence, json::write_ascii(*webhook)});
    }
  }
  if (loaded_.empty()) {
    // All of it has no form there: done with it.
    if (reading.position > 0) ring_.advance(kReader, reading.position);
    read_ = std::max(read_, reading.position);
    if (!reading.entries.empty()) load();
    return;
  }
  if (was_empty && listener_) listener_();
}

std::optional<webhooks::Mailbox::Head> CloudMailbox::head(std::size_t ahead) {
  if (loaded_.size() <= ahead) {
    load();
    return std::nullopt;
  }
  return Head{receipt_id_of(loaded_[ahead].sequence), loaded_[ahead].body};
}

void CloudMailbox::remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) {
  const bool found = !loaded_.empty() && receipt_id_of(loaded_.front().sequence) == receipt_id;
  if (found) {
    ring_.advance(kReader, loaded_.front().sequence);
    loaded_.pop_front();
    if (loaded_.empty()) load();
  }
  // The position rides with the next sync: after a power cut a few come twice, none is missing.
  scheduler_.post([found, done = std::move(done)]() mutable { done(found); });
}

void CloudMailbox::set_aside(const Head& head, const Refusal& refusal,
                             Once<void(Result<bool>)> done) {
  log::warn("cloud", "the receiver of webhooks refuses one, which is left out",
            {{"status", refusal.status}, {"times", refusal.times}});
  remove(head.receipt_id, std::move(done));
}

}  // namespace posthorn::daemon
