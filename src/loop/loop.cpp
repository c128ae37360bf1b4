#include "posthorn/loop/loop.h"

#include <cassert>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "posthorn/base/guard.h"

namespace posthorn::loop {

namespace {

constexpr std::size_t kReadBufferBytes = std::size_t{64} * 1024;

/// libuv's init calls fail only when the process is out of memory or descriptors.
void must(int status) {
  if (status != 0) std::abort();
}

template <class H, class Init>
UvHandle<H> make_handle(void* owner, Init init) {
  auto handle = std::make_unique<H>();
  must(init(handle.get()));
  handle->data = owner;
  return UvHandle<H>(handle.release());
}

}  // namespace

Loop::Loop() : read_buffer_(kReadBufferBytes) {
  must(uv_loop_init(&loop_));
  timer_ =
      make_handle<uv_timer_t>(this, [this](uv_timer_t* t) { return uv_timer_init(&loop_, t); });
  idle_ = make_handle<uv_idle_t>(this, [this](uv_idle_t* i) { return uv_idle_init(&loop_, i); });
}

Loop::~Loop() {
  timers_.clear();
  posted_.clear();
  timer_.reset();
  idle_.reset();
  // Connections that were closing politely and have no owner any more are closed at once.
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        if (handle->type == UV_TCP && handle->data == nullptr && uv_is_closing(handle) == 0) {
          UvClose{}(reinterpret_cast<uv_tcp_t*>(handle));
        }
      },
      nullptr);
  // Write requests and worker jobs still under way call back first; then the handles close.
  uv_run(&loop_, UV_RUN_DEFAULT);
  const int status = uv_loop_close(&loop_);
  assert(status == 0 && "a libuv handle outlived its loop");
  (void)status;
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }

void Loop::stop() { uv_stop(&loop_); }

void Loop::run_once(milliseconds at_most) {
  // Stopped and not only woken: an alarm that is due before libuv polls would leave it waiting for
  // the next timer.
  const TimerId alarm = call_at(now() + at_most, [this] { uv_stop(&loop_); });
  uv_run(&loop_, UV_RUN_ONCE);
  cancel(alarm);
}

Mono Loop::now() const { return {milliseconds(uv_hrtime() / 1'000'000)}; }

Wall Loop::system_wall() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<milliseconds>(since), false};
}

Scheduler::TimerId Loop::call_at(Mono when, Task task) {
  const std::uint64_t id = next_id_++;
  timers_.emplace(Due{when, id}, std::move(task));
  due_by_id_.emplace(id, when);
  arm();
  return TimerId{id};
}

void Loop::cancel(TimerId id) {
  const auto found = due_by_id_.find(static_cast<std::uint64_t>(id));
  if (found == due_by_id_.end()) return;
  const Due due{found->second, found->first};
  due_by_id_.erase(found);
  const auto dropped = timers_.extract(due);  // destroyed last: its captures may call back here
  arm();
}

void Loop::arm() {
  if (!timer_) return;
  if (timers_.empty()) {
    uv_timer_stop(timer_.get());
    return;
  }
  const milliseconds wait = timers_.begin()->first.when - now();
  uv_update_time(&loop_);  // uv counts from the start of the turn, we from now
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) {
        if (auto* self = static_cast<Loop*>(timer->data)) {
          guarded("timer", [self] { self->run_due(); });
          self->arm();
        }
      },
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, wait.count())), 0);
}

void Loop::run_due() {
  const Mono until = now();
  while (!timers_.empty() && timers_.begin()->first.when <= until) {
    auto first = timers_.extract(timers_.begin());
    due_by_id_.erase(first.key().order);
    first.mapped()();
  }
}

void Loop::post(Task task) {
  posted_.push_back(std::move(task));
  if (!idle_) return;
  uv_idle_start(idle_.get(), [](uv_idle_t* idle) {
    if (auto* self = static_cast<Loop*>(idle->data)) self->run_posted();
  });
}

void Loop::run_posted() {
  std::deque<Task> batch = std::exchange(posted_, {});
  while (!batch.empty()) {
    Task task = std::move(batch.front());
    batch.pop_front();
    guarded("loop", [&task] { task(); });
  }
  if (posted_.empty() && idle_) uv_idle_stop(idle_.get());
}

Poll::Poll(Loop& loop, int descriptor, int events, std::function<void(int)> on_ready)
    : handle_(make_handle<uv_poll_t>(
          this, [&](uv_poll_t* p) { return uv_poll_init(loop.uv(), p, descriptor); })),
      on_ready_(std::move(on_ready)) {
  watch(events);
}

void Poll::watch(int events) {
  if (events == 0) {
    uv_poll_stop(handle_.get());
    return;
  }
  uv_poll_start(handle_.get(), events, [](uv_poll_t* poll, int status, int ready) {
    auto* self = static_cast<Poll*>(poll->data);
    // A bad descriptor is reported as "ready for all": its owner's next call finds out why.
    if (self == nullptr) return;
    guarded("poll", [=] { self->on_ready_(status < 0 ? readable | writable : ready); });
  });
}

SignalWatch::SignalWatch(Loop& loop, int signal_number, std::function<void()> on_signal)
    : handle_(make_handle<uv_signal_t>(
          this, [&](uv_signal_t* s) { return uv_signal_init(loop.uv(), s); })),
      on_signal_(std::move(on_signal)) {
  uv_signal_start(
      handle_.get(),
      [](uv_signal_t* handle, int) {
        if (auto* self = static_cast<SignalWatch*>(handle->data)) {
          guarded("signal", [self] { self->on_signal_(); });
        }
      },
      signal_number);
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
}

PoolWorker::~PoolWorker() {
  while (under_way_ > 0) uv_run(loop_.uv(), UV_RUN_ONCE);
}

void PoolWorker::run(Task work, Task done) {
  struct Job {
    uv_work_t request{};
    Task work;
    Task done;
    std::size_t* under_way = nullptr;
  };
  auto job = std::make_unique<Job>();
  job->work = std::move(work);
  job->done = std::move(done);
  job->under_way = &under_way_;
  job->request.data = job.get();
  must(uv_queue_work(
      loop_.uv(), &job->request,
      [](uv_work_t* request) {
        guarded("worker", [request] { static_cast<Job*>(request->data)->work(); });
      },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Job> finished(static_cast<Job*>(request->data));
        guarded("worker", [&finished] { finished->done(); });
        --*finished->under_way;
      }));
  (void)job.release();  // libuv has it until the second callback
  ++under_way_;
}

}  // namespace posthorn::loop
