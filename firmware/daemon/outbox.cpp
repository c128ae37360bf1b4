#include "daemon/outbox.h"

#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

/// Empty: the job brings none.
std::string file_of(const Job& job) {
  const auto* file = std::get_if<content::File>(&job.content.what);
  return file == nullptr ? std::string() : file->ref;
}

}  // namespace

/// Whoever posts the same while it is on its way to the disk gets the first one's answer.
struct Outbox::Accepting {
  std::vector<Once<void(Result<std::string>)>> done;

  void answer(const Result<std::string>& result) {
    for (auto& one : std::exchange(done, {})) one(result);
  }
};

void Outbox::accept(Job job, Once<void(Result<std::string>)> done) {
  if (const auto earlier = valve_->on_accept(job)) {
    const auto open = accepting_.find(*earlier);
    if (open == accepting_.end()) return done(*earlier);
    return open->second->done.push_back(std::move(done));
  }
  Bytes record = encode_job(job);
  const Wall accepted_at = job.accepted_at;
  // Before anything else may want its room; under no sequence until there is one.
  const std::string ref = file_of(job);
  if (files_ != nullptr && !ref.empty()) files_->hold(ref);
  // shared: by the map, and by the ring's answer, which may outlive the outbox
  auto accepting = std::make_shared<Accepting>();
  accepting->done.push_back(std::move(done));
  accepting_[job.id] = accepting;
  ring_.append(std::move(record), accepted_at,
               [self = alive_.weak(), job = std::move(job), ref,
                accepting](Result<queue::Sequence> sequence) {
                 Outbox* me = self.get();
                 if (me != nullptr) me->on_appended(sequence, job, ref);
                 accepting->answer(sequence ? Result<std::string>(job.id)
                                            : tl::unexpected(sequence.error()));
               });
}

void Outbox::on_appended(const Result<queue::Sequence>& sequence, const Job& job,
                         const std::string& ref) {
  accepting_.erase(job.id);
  if (sequence) hold_file(*sequence, job);
  if (files_ != nullptr && !ref.empty()) files_->release(ref);
  // Nothing was queued: the till's next try is no double post.
  if (!sequence) return valve_->on_accept_failed(job);
  if (told_.taken) told_.taken(job);
  hand_over(*sequence, job);
}

void Outbox::hand_over(std::uint64_t sequence, const Job& job) {
  if (diversion_ != nullptr && diversion_->on_job(sequence, job)) {
    return valve_->on_diverted(sequence, job);
  }
  valve_->on_job(sequence, job);
}

bool Outbox::cancel(std::uint64_t sequence) {
  if (valve_->cancel(sequence)) return true;
  if (diversion_ == nullptr || !diversion_->cancel(sequence)) return false;
  valve_->on_diverted_cancelled(sequence);
  return true;
}

/// A walk over the pending records, one read after the other.
struct Outbox::Listing {
  std::vector<api::JobView> views;
  std::size_t limit = 0;
  queue::Sequence last = 0;
  Once<void(Result<std::vector<api::JobView>>)> done;
};

void Outbox::jobs(std::size_t limit, Once<void(Result<std::vector<api::JobView>>)> done) {
  auto listing = std::make_shared<Listing>();  // shared: handed from read to read
  listing->limit = limit;
  listing->done = std::move(done);
  list_next(std::move(listing));
}

void Outbox::list_next(std::shared_ptr<Listing> listing) {
  if (listing->views.size() >= listing->limit) {
    listing->done(std::move(listing->views));
    return;
  }
  next_job(listing->last,
           [self = alive_.weak(), listing](Result<std::optional<api::JobView>> next) mutable {
             Outbox* me = self.get();
             if (!next || !*next || me == nullptr) return listing->done(std::move(listing->views));
             listing->last = (*next)->sequence;
             listing->views.push_back(std::move(**next));
             me->list_next(std::move(listing));
           });
}

void Outbox::next_job(std::uint64_t sequence,
                      Once<void(Result<std::optional<api::JobView>>)> done) {
  const std::optional<queue::Entry> entry = sequence == 0 ? ring_.first() : ring_.next(sequence);
  if (!entry) return done(std::optional<api::JobView>());
  read(entry->sequence, [self = alive_.weak(), sequence = entry->sequence,
                         done = std::move(done)](Result<Job> job) mutable {
    Outbox* me = self.get();
    if (me == nullptr) return done(fail(Errc::cancelled, "the box is restarting"));
    // A record that has just been acknowledged or is damaged is no longer in the queue.
    if (!job) return me->next_job(sequence, std::move(done));
    done(std::optional(me->view_of(sequence, std::move(*job))));
  });
}

void Outbox::find(std::string id, std::uint64_t after,
                  Once<void(Result<std::optional<api::JobView>>)> done) {
  next_job(after, [self = alive_.weak(), id = std::move(id),
                   done = std::move(done)](Result<std::optional<api::JobView>> next) mutable {
    if (!next || !*next || (*next)->job.id == id) return done(std::move(next));
    Outbox* me = self.get();
    if (me == nullptr) return done(fail(Errc::cancelled, "the box is restarting"));
    me->find(std::move(id), (*next)->sequence, std::move(done));
  });
}

void Outbox::waiting(const std::string& id, Once<void(Result<std::optional<Job>>)> done) {
  find(id, 0, [done = std::move(done)](Result<std::optional<api::JobView>> found) mutable {
    if (!found) return done(tl::unexpected(found.error()));
    if (!*found) return done(std::optional<Job>());
    done(std::optional(std::move((*found)->job)));
  });
}

/// First the new one is on disk, then the old one goes: a power cut between them leaves two with
/// one id, of which WhatsApp takes the first.
void Outbox::replace(Job job, Once<void(Result<bool>)> done) {
  const std::string id = job.id;
  find(id, 0,
       [self = alive_.weak(), job = std::move(job),
        done = std::move(done)](Result<std::optional<api::JobView>> found) mutable {
         Outbox* me = self.get();
         if (!found) return done(tl::unexpected(found.error()));
         if (!*found || me == nullptr) return done(false);
         const queue::Sequence old = (*found)->sequence;
         Bytes record = encode_job(job);
         const Wall accepted_at = job.accepted_at;
         me->ring_.append(
             std::move(record), accepted_at,
             [self, old, job = std::move(job),
              done = std::move(done)](Result<queue::Sequence> sequence) mutable {
               Outbox* still = self.get();
               if (!sequence) return done(tl::unexpected(sequence.error()));
               if (still == nullptr) return done(fail(Errc::cancelled, "restarting"));
               const bool waited = still->cancel(old);
               if (waited) still->hold_file(*sequence, job);
               (void)still->ack(waited ? old : *sequence);
               if (waited && still->told_.replaced) still->told_.replaced(job);
               if (waited) still->hand_over(*sequence, job);
               still->ring_.flush([waited, done = std::move(done)](Result<void> flushed) mutable {
                 if (!flushed) return done(tl::unexpected(flushed.error()));
                 done(waited);
               });
             });
       });
}

void Outbox::drop(const std::string& id, const std::string& chat, Once<void(Result<bool>)> done) {
  find(id, 0,
       [self = alive_.weak(), chat,
        done = std::move(done)](Result<std::optional<api::JobView>> found) mutable {
         Outbox* me = self.get();
         if (!found) return done(tl::unexpected(found.error()));
         if (!*found || me == nullptr || (*found)->job.chat != chat) return done(false);
         if (!me->cancel((*found)->sequence)) return done(false);  // just being sent
         (void)me->ack((*found)->sequence);
         if (me->told_.dropped) me->told_.dropped((*found)->job);
         me->ring_.flush([done = std::move(done)](Result<void> flushed) mutable {
           if (!flushed) return done(tl::unexpected(flushed.error()));
           done(true);
         });
       });
}

api::JobView Outbox::view_of(std::uint64_t sequence, Job job) const {
  api::JobView view;
  view.sequence = sequence;
  view.job = std::move(job);
  if (const auto held = valve_->view(sequence)) {
    view.lane = to_string(held->lane);
    if (held->hold != throttle::Hold::none) view.hold_reason = to_string(held->hold);
    view.hold_cause = held->cause;
    view.not_before = held->not_before;
    view.job.expires_at = held->expires_at;
  } else if (diversion_ != nullptr) {
    view.hold_reason = diversion_->waits_for(sequence).value_or("");
  }
  return view;
}

std::size_t Outbox::count() const { return static_cast<std::size_t>(ring_.status().pending); }

void Outbox::clear(Once<void(Result<std::size_t>)> done) {
  std::vector<queue::Sequence> waiting;
  for (auto entry = ring_.first(); entry; entry = ring_.next(entry->sequence)) {
    waiting.push_back(entry->sequence);
  }
  std::size_t dropped = 0;
  for (const queue::Sequence sequence : waiting) {
    if (!cancel(sequence)) continue;  // just being sent
    (void)ack(sequence);
    ++dropped;
  }
  if (told_.cleared) told_.cleared();
  ring_.flush([dropped, done = std::move(done)](Result<void> flushed) mutable {
    if (!flushed) {
      done(tl::unexpected(flushed.error()));
    } else {
      done(dropped);
    }
  });
}

void Outbox::for_each_pending(
    const std::function<void(std::uint64_t sequence, const Job& job)>& visit) {
  const auto read_all = ring_.for_each_pending([&](const queue::Entry& entry, ByteView record) {
    if (const auto job = decode_job(record)) {
      hold_file(entry.sequence, *job);
      if (told_.taken) told_.taken(*job);
      if (diversion_ != nullptr && diversion_->take_up(entry.sequence, *job)) return;
      visit(entry.sequence, *job);
    } else {
      log::error("outbox", "a job was written by a newer program and is left out",
                 {{"sequence", entry.sequence}, {"error", job.error()}});
    }
  });
  if (!read_all) log::error("outbox", "cannot be read", {{"error", read_all.error()}});
}

void Outbox::read(std::uint64_t sequence, Once<void(Result<Job>)> done) {
  ring_.peek(sequence, [done = std::move(done)](Result<Bytes> record) mutable {
    if (!record) {
      done(tl::unexpected(record.error()));
    } else {
      done(decode_job(*record));
    }
  });
}

void Outbox::hold_file(std::uint64_t sequence, const Job& job) {
  const std::string ref = file_of(job);
  if (files_ == nullptr || ref.empty() || !held_.emplace(sequence, ref).second) return;
  files_->hold(ref);
}

void Outbox::release_file(std::uint64_t sequence) {
  const auto held = held_.find(sequence);
  if (held == held_.end()) return;
  files_->release(held->second);
  held_.erase(held);
}

Result<void> Outbox::ack(std::uint64_t sequence) {
  release_file(sequence);
  ring_.ack(sequence);
  return {};
}

}  // namespace posthorn::daemon
