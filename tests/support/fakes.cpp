#include "support/fakes.h"

#include <algorithm>
#include <utility>

namespace posthorn::test {

Scheduler::TimerId FakeScheduler::call_at(Mono when, Task task) {
  const std::uint64_t id = next_id_++;
  timers_.emplace(Due{when, id}, std::move(task));
  return TimerId{id};
}

void FakeScheduler::cancel(TimerId id) {
  const auto found = std::find_if(timers_.begin(), timers_.end(), [id](const auto& entry) {
    return entry.first.order == static_cast<std::uint64_t>(id);
  });
  if (found != timers_.end()) timers_.erase(found);
}

void FakeScheduler::post(Task task) { posted_.push_back(std::move(task)); }

bool FakeScheduler::run_one_posted() {
  if (posted_.empty()) return false;
  Task task = std::move(posted_.front());
  posted_.pop_front();
  task();
  return true;
}

void FakeScheduler::run_posted() {
  while (!posted_.empty()) {
    Task task = std::move(posted_.front());
    posted_.pop_front();
    task();
  }
}

bool FakeScheduler::run_next() {
  run_posted();
  if (timers_.empty()) return false;
  auto first = timers_.extract(timers_.begin());
  now_ = std::max(now_, first.key().when);
  first.mapped()();
  run_posted();
  return true;
}

void FakeScheduler::advance(milliseconds by) {
  const Mono end = now_ + by;
  run_posted();
  while (!timers_.empty() && timers_.begin()->first.when <= end) run_next();
  now_ = end;
  run_posted();
}

void SeededRandom::fill(std::span<std::byte> out) {
  for (std::byte& b : out) b = static_cast<std::byte>(engine_());
}

void InlineWorker::run(Task work, Task done) {
  work();
  scheduler_.post(std::move(done));
}

Result<std::optional<Bytes>> MemoryBlobStore::load(std::string_view name) {
  const auto found = values.find(name);
  if (found == values.end()) return std::optional<Bytes>();
  return std::optional<Bytes>(found->second);
}

Result<void> MemoryBlobStore::save(std::string_view name, ByteView value) {
  values.insert_or_assign(std::string(name), to_bytes(value));
  return {};
}

void MemoryBlobStore::durable(Once<void(Result<void>)> done) {
  scheduler_.post([done = std::move(done)]() mutable { done({}); });
}

namespace {

/// What both ends of a line share; each end holds it, so it lives as long as either.
struct Line {
  struct End {
    Stream::Handler* handler = nullptr;
    std::deque<Bytes> waiting;
    bool paused = false;
    bool open = true;          // this end still wants callbacks
    bool peer_closed = false;  // deliver on_closed after the waiting bytes
    bool pump_posted = false;
  };
  Scheduler& scheduler;
  std::size_t chunk;
  End ends[2];
};

void pump(const std::shared_ptr<Line>& line, std::size_t at) {
  Line::End& end = line->ends[at];
  if (end.pump_posted) return;
  end.pump_posted = true;
  line->scheduler.post([line, at] {
    Line::End& here = line->ends[at];
    here.pump_posted = false;
    if (!here.open || here.handler == nullptr || here.paused) return;
    if (!here.waiting.empty()) {
      const Bytes piece = std::move(here.waiting.front());
      here.waiting.pop_front();
      here.handler->on_data(piece);
      pump(line, at);
    } else if (here.peer_closed) {
      here.open = false;
      here.handler->on_closed({Errc::disconnected, "the other end closed"});
    }
  });
}

class MemoryStream final : public Stream {
 public:
  MemoryStream(std::shared_ptr<Line> line, std::size_t at) : line_(std::move(line)), at_(at) {}
  ~MemoryStream() override { shut(); }

  void start(Handler& handler) override {
    mine().handler = &handler;
    pump(line_, at_);
  }
  void write(Bytes data) override {
    if (!mine().open || mine().peer_closed) return;
    for (std::size_t from = 0; from < data.size(); from += line_->chunk) {
      const std::size_t n = std::min(line_->chunk, data.size() - from);
      other().waiting.push_back(to_bytes(ByteView(data).subspan(from, n)));
    }
    pump(line_, 1 - at_);
  }
  std::size_t unsent() const override {
    std::size_t total = 0;
    for (const Bytes& piece : line_->ends[1 - at_].waiting) total += piece.size();
    return total;
  }
  void pause_reading(bool paused) override {
    mine().paused = paused;
    pump(line_, at_);
  }
  void close() override { shut(); }

 private:
  Line::End& mine() { return line_->ends[at_]; }
  Line::End& other() { return line_->ends[1 - at_]; }
  void shut() {
    if (!std::exchange(mine().open, false)) return;
    mine().handler = nullptr;
    other().peer_closed = true;
    pump(line_, 1 - at_);
  }

  std::shared_ptr<Line> line_;
  std::size_t at_;
};

}  // namespace

StreamPair make_stream_pair(Scheduler& scheduler, std::size_t chunk) {
  auto line = std::make_shared<Line>(Line{scheduler, chunk, {}});
  StreamPair pair;
  pair.a = std::make_unique<MemoryStream>(line, 0);
  pair.b = std::make_unique<MemoryStream>(line, 1);
  pair.cut = [line] {
    for (std::size_t at : {std::size_t{0}, std::size_t{1}}) {
      line->ends[at].waiting.clear();
      line->ends[at].peer_closed = true;
      pump(line, at);
    }
  };
  return pair;
}

std::unique_ptr<Dialer::Dial> MemoryDialer::dial(const Endpoint&,
                                                 Once<void(Result<std::unique_ptr<Stream>>)> done) {
  /// Holds the answer until it is given; dropping it first cancels.
  struct Pending final : Dial {
    ~Pending() override {
      if (*slot) (*slot)(fail(Errc::cancelled, "dial given up"));
    }
    std::shared_ptr<Once<void(Result<std::unique_ptr<Stream>>)>> slot;
  };
  ++dialled;
  auto pending = std::make_unique<Pending>();
  pending->slot = std::make_shared<Once<void(Result<std::unique_ptr<Stream>>)>>(std::move(done));
  scheduler_.post([this, slot = pending->slot] {
    if (!*slot) return;
    if (refuse || !accept) {
      (*slot)(tl::unexpected(refusal));
      return;
    }
    StreamPair pair = make_stream_pair(scheduler_, chunk);
    cut = pair.cut;
    accept(std::move(pair.b));
    (*slot)(std::move(pair.a));
  });
  return pending;
}

}  // namespace posthorn::test
