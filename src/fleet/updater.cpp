#include "posthorn/fleet/updater.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fleet/bundle_sink.h"
#include "fleet/updater_impl.h"
#include "posthorn/base/log.h"
#include "posthorn/base/utf8.h"

namespace posthorn::fleet {

namespace {

using Step = UpdateJob::Step;

constexpr const char* kBlob = "update";
constexpr seconds kLook{2};
constexpr seconds kHoursLook{60};
constexpr minutes kRestartAtMost{30};
constexpr minutes kProveAtMost{90};
constexpr int kFailuresAtMost = 40;
/// Beyond the bundle itself, since the daemon keeps its own copy.
constexpr std::uint64_t kRoomBeside = std::uint64_t{16} << 20;

int minutes_of(const std::string& time) {
  int hour = 0;
  int minute = 0;
  std::from_chars(time.data(), time.data() + 2, hour);
  std::from_chars(time.data() + 3, time.data() + 5, minute);
  return hour * 60 + minute;
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Updater::Impl::Impl(Outside outside, const Settings& settings)
    : outside_(std::move(outside)),
      settings_(settings),
      poll_timer_(outside_.scheduler),
      work_timer_(outside_.scheduler) {}

void Updater::Impl::start() {
  if (const auto saved = outside_.blobs.load(kBlob); saved && *saved && !(*saved)->empty()) {
    finished_ = decode_finished(as_text(**saved));
    job_ = decode_job(as_text(**saved));
    if (!job_ && finished_.empty())
      log::error("fleet", "the update that was under way cannot be read");
  }
  if (job_) log::info("fleet", "an update goes on", {{"step", to_string(job_->step)}});
  if (job_) work_again(milliseconds(0));
  if (settings_.hawkbit_url.empty()) return;
  // The boxes of a fleet do not ask all at once.
  const auto most = static_cast<std::uint64_t>(milliseconds(settings_.spread).count());
  poll_timer_.start(milliseconds(static_cast<std::int64_t>(outside_.random.between(0, most))),
                    [this] { poll(); });
}

Result<void> Updater::Impl::update(const std::string& key, const json::Value& args) {
  UpdateJob job;
  job.source = "command";
  job.id = key;
  job.url = json::string_at(args, "url").value_or("");
  job.sha256 = json::string_at(args, "sha256").value_or("");
  job.size =
      static_cast<std::uint64_t>(std::max<std::int64_t>(json::int_at(args, "size").value_or(0), 0));
  job.forced = json::bool_at(args, "forced").value_or(false);
  job.name = job.url.substr(job.url.rfind('/') + 1);
  const bool local = job.url.starts_with("http://127.0.0.1:");
  if (!job.url.starts_with("https://") && !local) {
    return fail(Errc::malformed, "\"url\": an https address of a .raucb");
  }
  if (!is_digest(job.sha256)) return fail(Errc::malformed, "\"sha256\": 64 lower-case hex digits");
  if (job.size == 0 || job.size > (std::uint64_t{1} << 30)) {
    return fail(Errc::malformed, "\"size\": its bytes, at most 1 GiB");
  }
  if (job_ && job_->id == key) return {};
  if (job_) return fail(Errc::busy, "another update is under way: " + state());
  begin(std::move(job));
  return {};
}

std::string Updater::Impl::state() const {
  if (!job_) return last_.empty() ? "idle" : last_;
  switch (job_->step) {
    case Step::download:
      return "downloading " + job_->name;
    case Step::wait:
      return "waiting for the closed hours to install " + job_->name;
    case Step::install:
      return "installing " + job_->name;
    case Step::prove:
      return job_->name + " proves itself";
    case Step::report:
      return (job_->good ? "done: " : "failed: ") + job_->detail;
  }
  return "idle";
}

void Updater::Impl::keep() {
  const auto saved =
      outside_.blobs.save(kBlob, as_bytes(job_ ? encode_job(*job_) : encode_finished(finished_)));
  if (!saved)
    log::error("fleet", "where the update stands cannot be kept", {{"error", saved.error()}});
}

void Updater::Impl::begin(UpdateJob job) {
  job_ = std::move(job);
  failure_.clear();
  failures_ = 0;
  no_resume_ = resumed_ = false;
  well_since_.reset();
  step_since_.reset();
  outside_.file.remove();
  keep();
  log::info("fleet", "an update begins", {{"id", job_->id}, {"name", job_->name}});
  work_again(milliseconds(0));
}

void Updater::Impl::work_again(milliseconds after) {
  work_timer_.start(after, [this] { work(); });
}

void Updater::Impl::work() {
  if (!job_) return;
  switch (job_->step) {
    case Step::download:
      return download();
    case Step::wait:
      return wait_for_hours();
    case Step::install:
      return install();
    case Step::prove:
      return prove();
    case Step::report:
      return report();
  }
}

void Updater::Impl::download() {
  if (no_resume_ && outside_.file.size() < job_->size) outside_.file.remove();
  const std::uint64_t there = outside_.file.size();
  if (there > 0) resumed_ = true;
  if (there >= job_->size) return check_bundle();
  if (outside_.file.free_bytes() + there < 2 * job_->size + kRoomBeside) {
    return decide(false, "no room: the box needs " +
                             std::to_string((2 * job_->size + kRoomBeside) >> 20) + " MiB free");
  }
  net::HttpRequest request;
  request.url = job_->url;
  if (there > 0) request.headers = {{"Range", "bytes=" + std::to_string(there) + "-"}};
  request.timeout = hours(6);
  request.redirects = 3;
  transfer_ = std::make_shared<bool>(true);
  request.sink = std::make_shared<BundleSink>(outside_.scheduler, outside_.file, job_->size,
                                              settings_.bytes_per_second);
  send(std::move(request), [this, there, transfer = transfer_](const Answer& answer) {
    if (*transfer) on_downloaded(there, answer);
  });
}

void Updater::Impl::on_downloaded(std::uint64_t from, const Answer& answer) {
  if (!job_ || job_->step != Step::download) return;
  const std::uint64_t there = outside_.file.size();
  const bool whole_instead = answer && answer->status == 200 && from > 0;
  const bool too_long = !answer && answer.error().code == Errc::malformed && from > 0;
  if ((whole_instead || too_long) && !std::exchange(no_resume_, true)) {
    // It sent everything where the rest was asked for.
    outside_.file.remove();
    return work_again(seconds(1));
  }
  if (answer && answer->status / 100 == 2 && there == job_->size) return check_bundle();
  const std::string why =
      answer ? "status " + std::to_string(answer->status) : answer.error().detail;
  failures_ = there > from && !no_resume_ ? 1 : failures_ + 1;
  const bool never = answer && (answer->status == 404 || answer->status == 410);
  if (failures_ >= kFailuresAtMost || never || too_long) {
    return decide(false, "the bundle cannot be fetched: " + why);
  }
  log::warn("fleet", "the bundle's download broke off", {{"why", why}, {"bytes", there}});
  const int doubled = std::min(failures_, 6);
  work_again(std::min<milliseconds>(seconds(5) * (1 << doubled), minutes(10)));
}

void Updater::Impl::check_bundle() {
  const auto digest = outside_.file.digest();
  if (!digest) return decide(false, "the bundle cannot be read: " + digest.error().detail);
  if (*digest != job_->sha256 || outside_.file.size() != job_->size) {
    outside_.file.remove();
    // A power cut may have left a file of the right size with nothing in it.
    if (resumed_ && !std::exchange(no_resume_, true)) return work_again(seconds(1));
    return decide(false, "the bundle's SHA-256 is " + *digest + ", announced was " + job_->sha256);
  }
  job_->step = Step::wait;
  keep();
  if (job_->source == "hawkbit") {
    feedback("downloaded", "none", "whole and right; waits for the closed hours", nullptr);
  }
  work_again(milliseconds(0));
}

void Updater::Impl::wait_for_hours() {
  const auto minute = outside_.minute_of_day();
  const int from = minutes_of(settings_.install_from);
  const int to = minutes_of(settings_.install_to);
  const bool always = from == to;
  const bool closed =
      minute && (from < to ? *minute >= from && *minute < to : *minute >= from || *minute < to);
  if ((!job_->forced && !always && !closed) || window_closed_) return work_again(kHoursLook);
  job_->step = Step::install;
  job_->handed = false;
  keep();
  if (job_->source == "hawkbit") feedback("proceeding", "none", "installing", nullptr);
  work_again(milliseconds(0));
}

void Updater::Impl::ask_box(BoxRequest request, Function<void(const Result<BoxAnswer>&)> done) {
  outside_.box.call(std::move(request), [self = alive_.weak(),
                                         done = std::move(done)](Result<BoxAnswer> answer) mutable {
    if (self.get() != nullptr) done(answer);
  });
}

void Updater::Impl::install() {
  if (!outside_.box.has_care()) {
    return decide(false, "needs care = true in [commands] of /etc/posthorn/fleet.toml");
  }
  if (job_->handed) {
    if (job_->boot_before == outside_.boot_id) return look_at_install();
    // The box has started since: either the new version runs, or it does not.
    job_->step = Step::prove;
    keep();
    return prove();
  }
  if (outside_.file.size() != job_->size) {
    job_->step = Step::download;
    keep();
    return work_again(milliseconds(0));
  }
  ask_box({.name = "getUpdateStatus", .right = BoxRight::care}, [this](const auto& answer) {
    if (!answer || answer->status != 200) return work_again(kLook);
    status_before_ = answer->body;
    seen_installing_ = false;
    look_at_link();
  });
}

/// Whether a phone is linked: a new version that loses it is not well.
void Updater::Impl::look_at_link() {
  ask_box({.name = "/healthz"}, [this](const auto& answer) {
    if (!job_ || job_->step != Step::install) return;
    const auto told =
        answer ? json::parse(answer->body, 200) : Result<json::Value>(fail(Errc::io, ""));
    const auto link = told ? json::string_at(*told, "link") : std::nullopt;
    if (!link) return work_again(kLook);
    job_->linked_before = *link != "notLinked";
    hand_over();
  });
}

/// The daemon takes the file as a till's upload: streamed, and checked by its size.
void Updater::Impl::hand_over() {
  net::HttpRequest request;
  request.method = "PUT";
  request.url = outside_.upload_url();
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.source = outside_.file.source();
  request.timeout = minutes(30);
  outside_.http.send(std::move(request), [self = alive_.weak()](Answer answer) {
    auto* me = self.get();
    if (me == nullptr || !me->job_ || me->job_->step != Step::install) return;
    if (!answer) return me->work_again(kLook);
    if (answer->status != 200) {
      return me->decide(false, "the box did not take the bundle: " + cut_utf8(answer->body, 300));
    }
    json::Value body(::Json::objectValue);
    body["size"] = static_cast<::Json::UInt64>(me->job_->size);
    BoxRequest install{.verb = "POST", .name = "installUpdate"};
    install.body = json::write(body);
    install.right = BoxRight::care;
    me->job_->slot_before = me->outside_.slot();
    me->job_->boot_before = me->outside_.boot_id;
    me->ask_box(std::move(install), [me](const auto& asked) { me->on_handed(asked); });
  });
}

void Updater::Impl::on_handed(const Result<BoxAnswer>& answer) {
  if (!job_ || job_->step != Step::install) return;
  if (!answer) return work_again(kLook);
  if (answer->status != 200) {
    return decide(false, "the box did not take the bundle: " + cut_utf8(answer->body, 300));
  }
  job_->handed = true;
  keep();
  step_since_ = outside_.scheduler.now();
  work_again(kLook);
}

void Updater::Impl::look_at_install() {
  if (!step_since_) step_since_ = outside_.scheduler.now();
  ask_box({.name = "getUpdateStatus", .right = BoxRight::care}, [this](const auto& answer) {
    if (!job_ || job_->step != Step::install) return;
    if (outside_.scheduler.now() - *step_since_ > kRestartAtMost) {
      return decide(false, "the box did not install it within half an hour");
    }
    if (!answer || answer->status != 200) return work_again(kLook);
    const auto told = json::parse(answer->body, 100);
    if (!told) return work_again(kLook);
    // What it says may still be about an update of before.
    const bool news = answer->body != status_before_ || seen_installing_;
    const std::string state = json::string_at(*told, "state").value_or("");
    if (state == "requested" || state == "installing") seen_installing_ = true;
    if (!news || (state != "installed" && state != "failed")) return work_again(kLook);
    on_install_status(state, json::string_at(*told, "detail").value_or(""));
  });
}

void Updater::Impl::on_install_status(const std::string& status, const std::string& detail) {
  if (status == "failed") return decide(false, "not installed: " + detail);
  outside_.file.remove();
  job_->step = Step::prove;
  keep();
  step_since_ = outside_.scheduler.now();
  work_again(kLook);
}

void Updater::Impl::prove() {
  if (!step_since_) step_since_ = outside_.scheduler.now();
  const milliseconds gone = outside_.scheduler.now() - *step_since_;
  if (job_->boot_before == outside_.boot_id) {
    if (gone > kRestartAtMost) return decide(false, "the box did not restart with it");
    return work_again(kLook);
  }
  if (outside_.slot() == job_->slot_before) {
    ask_box({.name = "getUpdateStatus", .right = BoxRight::care}, [this](const auto& answer) {
      if (!job_ || job_->step != Step::prove) return;
      if (!answer || answer->status != 200) return work_again(kLook);
      const auto told = json::parse(answer->body, 100);
      const bool failed = told && json::string_at(*told, "state") == "failed";
      decide(false, failed ? "not installed: " + json::string_at(*told, "detail").value_or("")
                           : "the new version did not get up; the box runs the one before");
    });
    return;
  }
  ask_box({.name = "/healthz"}, [this](const auto& answer) { on_health(answer); });
}

/// Good is what answers and is at WhatsApp, for a while; a box without a phone is well without.
void Updater::Impl::on_health(const Result<BoxAnswer>& answer) {
  if (!job_ || job_->step != Step::prove) return;
  const auto told = answer && answer->status == 200 ? json::parse(answer->body, 200)
                                                    : Result<json::Value>(fail(Errc::io, ""));
  const std::string link = told ? json::string_at(*told, "link").value_or("") : "";
  const bool well = told && (link == "online" || (link == "notLinked" && !job_->linked_before));
  const Mono now = outside_.scheduler.now();
  if (!well) well_since_.reset();
  if (well && !well_since_) well_since_ = now;
  if (well_since_ && now - *well_since_ >= settings_.confirm) {
    return decide(true, job_->name + " runs in slot " + outside_.slot() + ", version " +
                            json::string_at(*told, "version").value_or(""));
  }
  if (now - *step_since_ > kProveAtMost) {
    return decide(false, "the new version runs, but is not well: link " + link);
  }
  work_again(kLook);
}

void Updater::Impl::decide(bool good, const std::string& detail) {
  transfer_.reset();
  job_->good = good;
  job_->detail = detail;
  job_->step = Step::report;
  last_ = (good ? "done: " : "failed: ") + detail;
  failure_ = good ? "" : detail;
  keep();
  log::info("fleet", "an update is decided", {{"good", good}, {"detail", detail}});
  outside_.file.remove();
  work_again(milliseconds(0));
}

void Updater::Impl::report() {
  if (last_.empty()) last_ = state();
  if (!job_->good) failure_ = job_->detail;
  auto forget = [this] {
    finished_ = job_->id;
    job_.reset();
    keep();
  };
  if (job_->source != "hawkbit") return forget();
  feedback("closed", job_->good ? "success" : "failure", job_->detail, [this, forget](bool heard) {
    if (!job_ || job_->step != Step::report) return;
    if (!heard) return work_again(seconds(60));
    attributes_.clear();  // what runs is new: the server hears it with the next poll
    forget();
  });
}

Updater::Updater(Outside outside, const Settings& settings)
    : impl_(std::make_unique<Impl>(std::move(outside), settings)) {}
Updater::~Updater() = default;
void Updater::start() { impl_->start(); }
Result<void> Updater::update(const std::string& key, const json::Value& args) {
  return impl_->update(key, args);
}
std::string Updater::state() const { return impl_->state(); }
std::string Updater::failure() const { return impl_->failure(); }

}  // namespace posthorn::fleet
