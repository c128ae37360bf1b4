#include <algorithm>
#include <utility>

#include "cloud/transport_parts.h"
#include "posthorn/base/log.h"
#include "posthorn/cloud/transport.h"

// What becomes of messages that were refused, of those whose answer was lost, and of those that
// failed later.
namespace posthorn::cloud {
namespace {

constexpr seconds kAskFor{60};  ///< a status webhook may still say that it was sent
constexpr milliseconds kLongestRetry{900'000};
constexpr hours kDay{24};

std::string told(int code, const std::string& details) {
  return "official API: " + std::to_string(code) + ": " + details;
}

}  // namespace

milliseconds backoff(int tries) {
  return std::min<milliseconds>(seconds(1LL << (2 * std::min(tries, 5))), kLongestRetry);
}

void Transport::on_refused(Waiting one, const net::HttpResponse& answer) {
  const auto parsed = json::parse(answer.body);
  const json::Value error = parsed ? json::at(*parsed, "error") : json::Value();
  const auto code = static_cast<int>(json::int_at(error, "code").value_or(0));
  const std::string details = json::string_at(json::at(error, "error_data"), "details")
                                  .value_or(json::string_at(error, "message").value_or("no words"));
  react(std::move(one), reaction_to(answer.status, code, details), told(code, details));
}

/// What an error means for others than its own message.
void Transport::note(Reaction reaction, const std::string& chat, const std::string& said) {
  switch (reaction) {
    case Reaction::not_today:
      return standing_.hold(kept_as(chat), kDay);
    case Reaction::opt_out:
      if (out_.on_opt_out) out_.on_opt_out(kept_as(chat));
      return;
    case Reaction::no_direct_send:
      return standing_.forgo_direct_send(kDay);
    case Reaction::pause_day:
      standing_.pause(kDay);
      log::warn("cloud", "the official API holds this account back for a day", {{"said", said}});
      return;
    case Reaction::stop:
      standing_.stop(said);
      log::error("cloud", "nothing is sent by the official API until somebody has seen to it",
                 {{"said", said}});
      return;
    case Reaction::retry:
    case Reaction::retry_twice:
    case Reaction::pair_wait:
    case Reaction::upload_anew:
    case Reaction::window_closed:
    case Reaction::drop:
    case Reaction::no_account:
      return;
  }
}

void Transport::react(Waiting one, Reaction reaction, const std::string& said) {
  note(reaction, one.job.chat, said);
  const int tries = one.tries;
  switch (reaction) {
    case Reaction::retry_twice:
      if (tries >= 2) return end(std::move(one), End::failed, said);
      [[fallthrough]];
    case Reaction::retry:
      return retry(std::move(one), backoff(tries));
    case Reaction::pair_wait:
      return retry(std::move(one), backoff(tries));
    case Reaction::upload_anew: {
      const auto* file = std::get_if<content::File>(&one.job.content.what);
      if (file == nullptr || std::exchange(one.uploaded_anew, true)) {
        return end(std::move(one), End::failed, said);
      }
      (void)uploads_.erase(of_number(file->ref));
      return retry(std::move(one), backoff(tries));
    }
    case Reaction::window_closed:
      // Said at once instead of later: what is closed is closed, and there may be another way.
      if (!window_open(one.job.chat)) return end(std::move(one), End::failed, said);
      (void)windows_.erase(window_of(one.job.chat));
      return retry(std::move(one), milliseconds(0));
    case Reaction::drop:
    case Reaction::not_today:
      return end(std::move(one), End::failed, said);
    case Reaction::no_account:
      return end(std::move(one), End::no_account, said);
    case Reaction::opt_out:
      return end(std::move(one), End::failed, "opted_out: " + said);
    case Reaction::no_direct_send:
      return retry(std::move(one), milliseconds(0));
    case Reaction::pause_day:
    case Reaction::stop:
      return put_back(std::move(one), milliseconds(0));
  }
}

/// Nobody knows whether it was sent. A status webhook would tell, within a minute.
void Transport::on_lost(Waiting one, const std::string& why) {
  const std::uint64_t sequence = one.sequence;
  one.answer_lost = true;
  lost_.emplace(sequence, std::move(one));
  wake();
  if (!is_set_up() || !hears()) {
    return out_.scheduler.post(alive_.bind([this, sequence, why] { give_up(sequence, why); }));
  }
  auto& timer = lost_timers_[sequence];
  timer = std::make_unique<Timer>(out_.scheduler);
  timer->start(kAskFor, [this, sequence, why] { give_up(sequence, why); });
}

void Transport::give_up(std::uint64_t sequence, const std::string& why) {
  const auto found = lost_.find(sequence);
  if (found == lost_.end()) return;
  Waiting lost = std::move(found->second);
  lost_.erase(found);
  if (config_.repeat_unknown && is_set_up()) {
    lost.answer_lost = false;
    keep_state(lost.job.id, kAssigned);
    return retry(std::move(lost), milliseconds(0));
  }
  ++unknown_;
  end(std::move(lost), End::failed,
      "unknown: it may have been sent by the official API, whose answer was lost (" + why +
          "); look at the chat before sending it again");
}

void Transport::on_known_sent(const std::string& job_id, const std::string& wamid) {
  const auto found = std::find_if(lost_.begin(), lost_.end(), [&job_id](const auto& one) {
    return one.second.job.id == job_id;
  });
  if (found == lost_.end()) return;
  Waiting one = std::move(found->second);
  lost_timers_.erase(found->first);
  lost_.erase(found);
  on_accepted(std::move(one), wamid);
}

void Transport::retry(Waiting one, milliseconds after) {
  ++one.tries;
  put_back(std::move(one), after);
}

/// Later messages of the chat wait behind it.
void Transport::put_back(Waiting one, milliseconds after) {
  const Mono now = out_.scheduler.now();
  std::erase_if(chat_not_before_, [now](const auto& chat) { return chat.second <= now; });
  auto& chat = chat_not_before_[one.job.chat];
  chat = std::max(chat, now + after);
  line_up(std::move(one));
}

/// In the order in which they were accepted; what goes once more comes last.
void Transport::line_up(Waiting one) {
  const auto place = std::upper_bound(
      waiting_.begin(), waiting_.end(), one.sequence,
      [](std::uint64_t sequence, const Waiting& other) { return sequence < other.sequence; });
  waiting_.insert(place, std::move(one));
  wake();
}

bool Transport::on_failed(const std::string& job_id, const std::string& chat, int code,
                          const std::string& details) {
  constexpr int kTaken = 200;
  const Reaction reaction = reaction_to(kTaken, code, details);
  note(reaction, chat, told(code, details));
  switch (reaction) {
    case Reaction::window_closed:
      (void)windows_.erase(window_of(chat));
      return once_more(job_id, false);
    case Reaction::upload_anew:
      return once_more(job_id, true);
    case Reaction::retry:
    case Reaction::retry_twice:
    case Reaction::pair_wait:
    case Reaction::no_direct_send:
      return once_more(job_id, false);
    case Reaction::drop:
    case Reaction::no_account:
    case Reaction::opt_out:
    case Reaction::not_today:
    case Reaction::pause_day:
    case Reaction::stop:
      return false;
  }
  return false;
}

/// False: its answer has not come, it was not kept, or it has gone once more before.
bool Transport::once_more(const std::string& job_id, bool upload_anew) {
  const auto state = states_.find(job_id);
  if (!state || !state->starts_with(kSent)) return false;
  const auto record = kept_.find(job_id);
  const auto job = record ? decode_job(as_bytes(*record)) : Result<Job>(fail(Errc::not_found, ""));
  if (!job) return false;
  const auto* file = std::get_if<content::File>(&job->content.what);
  if (upload_anew && file != nullptr) (void)uploads_.erase(of_number(file->ref));
  (void)kept_.erase(job_id);
  (void)again_.put(job_id, *record);
  keep_state(job_id, kAssigned);
  send_again(*record, false);
  return true;
}

void Transport::send_again(const std::string& record, bool answer_lost) {
  auto job = decode_job(as_bytes(record));
  if (!job) return;
  Waiting one;
  one.sequence = next_again_++;
  one.job = std::move(*job);
  one.again = true;
  one.answer_lost = answer_lost;
  line_up(std::move(one));
}

}  // namespace posthorn::cloud
