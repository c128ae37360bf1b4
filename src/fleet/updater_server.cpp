#include <utility>

#include "fleet/updater_impl.h"
#include "posthorn/base/log.h"

/// What the updater says to hawkBit.
namespace posthorn::fleet {

namespace {

using Step = UpdateJob::Step;

constexpr minutes kAfterTrouble{5};

/// "https://server:8443" of a URL.
std::string origin_of(const std::string& url) {
  const std::size_t host = url.find("://");
  if (host == std::string::npos) return "";
  return url.substr(0, url.find('/', host + 3));
}

}  // namespace

std::string Updater::Impl::base() const {
  return settings_.hawkbit_url + "/controller/v1/" + outside_.box_id;
}

/// Links of its answers lead to itself, or to a store of its bundles: over TLS, where it is.
bool Updater::Impl::may_ask(const std::string& url) const {
  return url.starts_with("https://") || origin_of(url) == origin_of(settings_.hawkbit_url) ||
         (job_ && job_->source == "command" && url == job_->url);
}

/// Our token goes to the server alone.
void Updater::Impl::send(net::HttpRequest request, Function<void(const Answer&)> done) {
  if (!may_ask(request.url)) {
    outside_.scheduler.post(alive_.bind([done = std::move(done), url = request.url]() mutable {
      done(fail(Errc::malformed, "not an address to be asked: " + url));
    }));
    return;
  }
  const bool own =
      !settings_.hawkbit_url.empty() && origin_of(request.url) == origin_of(settings_.hawkbit_url);
  if (own && !settings_.target_token.empty()) {
    request.headers.emplace_back("Authorization", "TargetToken " + settings_.target_token);
  } else if (own && !settings_.gateway_token.empty()) {
    request.headers.emplace_back("Authorization", "GatewayToken " + settings_.gateway_token);
  }
  if (own) request.ca_file = settings_.hawkbit_ca;
  outside_.http.send(std::move(request),
                     [self = alive_.weak(), done = std::move(done)](Answer answer) mutable {
                       if (self.get() != nullptr) done(answer);
                     });
}

void Updater::Impl::poll() {
  net::HttpRequest request;
  request.url = base();
  request.headers = {{"Accept", "application/hal+json, application/json"}};
  send(std::move(request), [this](const Answer& answer) { on_poll(answer); });
}

void Updater::Impl::on_poll(const Answer& answer) {
  const auto polled =
      answer && answer->status == 200
          ? parse_poll(answer->body)
          : Result<DdiPoll>(fail(Errc::refused, answer ? "status " + std::to_string(answer->status)
                                                       : answer.error().detail));
  if (!polled) {
    log::warn("fleet", "the update server does not answer as it should",
              {{"error", polled.error()}});
    poll_timer_.start(kAfterTrouble, [this] { poll(); });
    return;
  }
  // Not all boxes at the same second.
  const auto sleep = static_cast<std::uint64_t>(milliseconds(polled->sleep).count());
  poll_timer_.start(milliseconds(static_cast<std::int64_t>(
                        outside_.random.between(sleep * 9 / 10, sleep * 11 / 10))),
                    [this] { poll(); });
  if (!polled->config_data.empty() || attributes_.empty()) tell_attributes(base() + "/configData");
  if (!polled->cancel.empty()) return ask_cancel(polled->cancel);
  if (!polled->deployment.empty()) ask_deployment(polled->deployment);
}

void Updater::Impl::tell_attributes(const std::string& url) {
  json::Value data(::Json::objectValue);
  data["model"] = outside_.facts.model;
  data["agent"] = outside_.facts.version;
  data["slot"] = outside_.slot();
  data["serial"] = outside_.facts.serial;
  json::Value body(::Json::objectValue);
  body["mode"] = "merge";
  body["data"] = std::move(data);
  net::HttpRequest request;
  request.method = "PUT";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = json::write(body);
  send(std::move(request), [this, text = request.body](const Answer& answer) {
    if (answer && answer->status / 100 == 2) attributes_ = "told";
  });
}

void Updater::Impl::ask_deployment(const std::string& url) {
  net::HttpRequest request;
  request.url = url;
  request.headers = {{"Accept", "application/hal+json, application/json"}};
  send(std::move(request), [this](const Answer& answer) { on_deployment(answer); });
}

void Updater::Impl::on_deployment(const Answer& answer) {
  if (!answer || answer->status != 200) return;
  auto deployment = parse_deployment(answer->body);
  if (!deployment) {
    log::warn("fleet", "an update that cannot be read", {{"error", deployment.error()}});
    return;
  }
  if (job_ && job_->source == "hawkbit" && job_->id == deployment->id) {
    window_closed_ = deployment->window_closed;
    job_->forced = deployment->forced;  // an operator may be in a hurry by now
    return;
  }
  // One at a time; the server offers the other one again with each poll.
  if (job_ || deployment->skipped || deployment->id == finished_) return;
  UpdateJob job;
  job.source = "hawkbit";
  job.id = deployment->id;
  job.name = deployment->name;
  job.url = deployment->url;
  job.sha256 = deployment->sha256;
  job.size = deployment->size;
  job.forced = deployment->forced;
  window_closed_ = deployment->window_closed;
  if (job.url.empty()) {
    job_ = std::move(job);
    return decide(false, "an update needs exactly one .raucb with size and SHA-256");
  }
  begin(std::move(job));
}

void Updater::Impl::ask_cancel(const std::string& url) {
  net::HttpRequest request;
  request.url = url;
  request.headers = {{"Accept", "application/hal+json, application/json"}};
  send(std::move(request), [this, url](const Answer& answer) { on_cancel(url, answer); });
}

/// What is not in RAUC's hands yet can be cancelled.
void Updater::Impl::on_cancel(const std::string& url, const Answer& answer) {
  if (!answer || answer->status != 200) return;
  const auto id = parse_cancel(answer->body);
  if (!id) return;
  const bool ours = job_ && job_->source == "hawkbit" && job_->id == *id;
  const bool too_late = ours && (job_->step == Step::install || job_->step == Step::prove ||
                                 job_->step == Step::report);
  if (ours && !too_late) {
    if (transfer_) *transfer_ = false;
    transfer_.reset();
    work_timer_.stop();
    outside_.file.remove();
    finished_ = job_->id;
    job_.reset();
    last_ = "idle";
    keep();
    log::info("fleet", "an update is cancelled", {{"id", *id}});
  }
  net::HttpRequest request;
  request.method = "POST";
  request.url = url.substr(0, url.find('?')) + "/feedback";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = too_late
                     ? feedback_text(*id, "rejected", "failure", "it is being installed already")
                     : feedback_text(*id, "closed", "success", "cancelled");
  send(std::move(request), [](const Answer&) {});
}

void Updater::Impl::feedback(std::string_view execution, std::string_view finished,
                             const std::string& detail, Function<void(bool heard)> done) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = base() + "/deploymentBase/" + job_->id + "/feedback";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = feedback_text(job_->id, execution, finished, detail);
  send(std::move(request), [done = std::move(done)](const Answer& answer) mutable {
    // Gone or not known: the server has closed it by itself, and wants to hear no more.
    const bool heard = answer && (answer->status / 100 == 2 || answer->status == 404 ||
                                  answer->status == 409 || answer->status == 410);
    if (done) done(heard);
  });
}

}  // namespace posthorn::fleet
