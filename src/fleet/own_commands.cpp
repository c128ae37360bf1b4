#include <utility>

#include "fleet/agent_impl.h"
#include "posthorn/base/log.h"
#include "posthorn/base/utf8.h"

/// Commands that are no call of the box's API.
namespace posthorn::fleet {

namespace {

Outcome answered(json::Value body = json::Value(::Json::objectValue)) {
  return {Outcome::Status::done, 200, std::move(body)};
}

}  // namespace

std::map<std::string, Commands::Here, std::less<>> Agent::Impl::own_commands() {
  using Handler = void (Impl::*)(const Command&, Commands::Done);
  const auto mine = [this](Handler handler, bool care = false) {
    return Commands::Here{[this, handler](const Command& command, Commands::Done done) {
                            (this->*handler)(command, std::move(done));
                          },
                          care};
  };
  std::map<std::string, Commands::Here, std::less<>> out;
  out["getStatus"] = mine(&Impl::get_status);
  out["rebirth"] = mine(&Impl::rebirth);
  out["renew"] = mine(&Impl::renew);
  out["diagnose"] = mine(&Impl::diagnose, true);
  out["update"] = mine(&Impl::update, true);
  out["pauseSending"] = {[this](const Command& command, Commands::Done done) {
                           pause_sending(command, true, std::move(done));
                         },
                         false};
  out["resumeSending"] = {[this](const Command& command, Commands::Done done) {
                            pause_sending(command, false, std::move(done));
                          },
                          false};
  out["resend"] = {[this](const Command& command, Commands::Done done) {
                     const auto from = json::int_at(command.args, "from");
                     if (!from || *from < 1) return done(refused(400, "\"from\": a number"));
                     pump_->resend(static_cast<std::uint64_t>(*from),
                                   [done = std::move(done)](Result<std::size_t> count) mutable {
                                     if (!count) return done(refused(503, count.error().detail));
                                     json::Value body(::Json::objectValue);
                                     body["events"] = static_cast<::Json::UInt64>(*count);
                                     done(answered(std::move(body)));
                                   });
                   },
                   false};
  out["clearAlerts"] = {[this](const Command&, Commands::Done done) {
                          alerts_->clear_raised();
                          done(answered());
                        },
                        false};
  return out;
}

void Agent::Impl::get_status(const Command& command, Commands::Done done) {
  (void)command;
  view_.look_now([this, done = std::move(done)]() mutable {
    const StateFacts facts = state_facts();
    json::Value body = state_json(view_.state(), day_, facts);
    json::Value alerts(::Json::arrayValue);
    for (const std::string& name : alerts_->names()) alerts.append(name);
    body["alerts"] = std::move(alerts);
    body["eventsTo"] = static_cast<::Json::UInt64>(facts.event_position);
    done(answered(std::move(body)));
  });
}

void Agent::Impl::rebirth(const Command& command, Commands::Done done) {
  (void)command;
  words_.keep(topics_.at("birth"), birth());
  words_.say_all();
  say_state(true);
  done(answered());
}

void Agent::Impl::pause_sending(const Command& command, bool paused, Commands::Done done) {
  pause_.set_own(paused, command.by);
  pause_.keep(view_.state());
  // Answered when the daemon has been seen to do it.
  view_.look_now([this, paused, done = std::move(done)]() mutable {
    const BoxState& box = view_.state();
    json::Value body(::Json::objectValue);
    body["paused"] = box.paused;
    if (!paused && pause_.of_all()) body["note"] = "the whole fleet is still paused";
    if (paused && !box.paused)
      body["note"] = "the daemon does not answer now; it is told as soon as it does";
    done(answered(std::move(body)));
  });
}

/// Without arguments: a new key is made here, and its request for a certificate is the answer. With
/// "certificate": that is tried with the next connection, and stays when the broker takes it.
void Agent::Impl::renew(const Command& command, Commands::Done done) {
  const auto certificate = json::string_at(command.args, "certificate");
  if (!certificate) {
    auto request = outside_.identity.begin_renewal();
    if (!request) return done(refused(500, request.error().detail));
    json::Value body(::Json::objectValue);
    body["csr"] = *request;
    return done(answered(std::move(body)));
  }
  const auto now = view_.now();
  if (auto tried = outside_.identity.try_certificate(*certificate, now ? now->unix_seconds() : 0);
      !tried) {
    return done(refused(400, tried.error().detail));
  }
  trials_ = 0;
  json::Value body(::Json::objectValue);
  body["note"] = "the next connection uses it; \"birth\" tells when it holds";
  done(answered(std::move(body)));
  // After the answer has left.
  connect_.start(seconds(2), [this] {
    if (outlet_.connected()) {
      outside_.broker.stop();
      connected_at_.reset();
      outlet_.on_lost();
      pump_->on_lost();
    }
    connect();
  });
}

void Agent::Impl::settle_renewal() {
  if (auto settled = outside_.identity.settle(); !settled) {
    log::error("fleet", "the renewed certificate cannot be kept", {{"error", settled.error()}});
    return;
  }
  trials_ = 0;
  if (auto facts = outside_.identity.current()) certificate_ = *facts;
  log::info("fleet", "the renewed certificate holds");
}

/// The support bundle goes to an address that the command gives: it is too large for a message.
void Agent::Impl::diagnose(const Command& command, Commands::Done done) {
  const std::string url = json::string_at(command.args, "url").value_or("");
  const bool local = url.starts_with("http://127.0.0.1:");
  if (outside_.http == nullptr || (!url.starts_with("https://") && !local)) {
    return done(refused(400, "\"url\": an https address that takes a PUT"));
  }
  BoxRequest request{.name = "getSupportBundle"};
  request.right = BoxRight::care;
  outside_.box.call(std::move(request), [self = alive_.weak(), url,
                                         done = std::move(done)](Result<BoxAnswer> bundle) mutable {
    auto* me = self.get();
    if (me == nullptr) return;
    if (!bundle || bundle->status != 200) {
      return done(refused(bundle ? bundle->status : 503,
                          bundle ? cut_utf8(bundle->body, 300) : bundle.error().detail));
    }
    net::HttpRequest put;
    put.method = "PUT";
    put.url = url;
    put.headers = {{"Content-Type", "application/gzip"}};
    put.body = std::move(bundle->body);
    const auto size = static_cast<::Json::UInt64>(put.body.size());
    me->outside_.http->send(std::move(put), [size, done = std::move(done)](
                                                Result<net::HttpResponse> answer) mutable {
      if (!answer) return done(refused(502, "the upload: " + answer.error().detail));
      if (answer->status / 100 != 2) {
        return done(refused(502, "the upload was answered with " + std::to_string(answer->status)));
      }
      json::Value body(::Json::objectValue);
      body["bytes"] = size;
      done(answered(std::move(body)));
    });
  });
}

void Agent::Impl::update(const Command& command, Commands::Done done) {
  if (outside_.updater == nullptr) return done(refused(501, "updates are not set up on this box"));
  if (auto taken = outside_.updater->update(command.key, command.args); !taken) {
    const bool busy = taken.error().code == Errc::busy;
    return done(refused(busy ? 409 : 400, taken.error().detail));
  }
  json::Value body(::Json::objectValue);
  body["note"] = "taken; \"update\" of the state tells how it goes";
  done(answered(std::move(body)));
}

}  // namespace posthorn::fleet
