#include "session/version_finder.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::session {
namespace {

constexpr std::string_view kBlob = "session.version";
constexpr auto kHost = "web.whatsapp.com";
// A desktop browser, as the page expects one. Source: protocol chapter 01 section 8.2, method A.
constexpr std::string_view kRequest =
    "GET /sw.js HTTP/1.1\r\n"
    "Host: web.whatsapp.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/139.0.0.0 Safari/537.36\r\n"
    "Sec-Fetch-Site: none\r\n"
    "Accept: */*\r\n"
    "Accept-Encoding: identity\r\n"
    "Connection: close\r\n\r\n";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void RevisionScanner::feed(ByteView piece) {
  for (const char c : as_text(piece)) {
    if (found_) return;
    if (matched_ < kMark.size()) {
      // The mark repeats no part of itself, so a mismatch can only begin it anew.
      matched_ = c == kMark[matched_] ? matched_ + 1 : static_cast<std::size_t>(c == kMark[0]);
    } else if (is_digit(c) && digits_.size() < kMostDigits) {
      digits_ += c;
    } else if (!digits_.empty()) {
      found_ = digits_;
    } else if (++between_ > kMostBetween) {
      matched_ = 0;
      between_ = 0;
    }
  }
}

std::optional<std::uint32_t> accept_revision(const std::string& found, std::uint32_t built_in) {
  const std::size_t usual = std::to_string(built_in).size();
  if (found.size() != usual && found.size() != usual + 1) return std::nullopt;
  std::uint32_t value = 0;
  const char* end = found.data() + found.size();
  const auto [stop, error] = std::from_chars(found.data(), end, value);
  if (error != std::errc() || stop != end || value <= built_in) return std::nullopt;
  return value;
}

VersionFinder::VersionFinder(Outside outside, const WhatsAppConfig& config)
    : out_(outside),
      configured_(config.version),
      may_look_(config.noise_root_key.empty() && config.version == WhatsAppConfig{}.version),
      timer_(outside.scheduler) {
  endpoint_.host = kHost;
  endpoint_.tls_ca_file = config.tls_ca_file;
  endpoint_.timeout = kTimeout;
}

VersionFinder::~VersionFinder() {
  *alive_ = false;
  dial_.reset();
  if (done_) done_(fail(Errc::cancelled, "the session ends"));
}

Result<void> VersionFinder::load() {
  TRY(const auto blob, out_.blobs.load(kBlob));
  if (!blob) return {};
  TRY(const auto value, json::parse(as_text(*blob)));
  const auto found = json::int_at(value, "found").value_or(0);
  found_ = accept_revision(std::to_string(found), configured_[2]).value_or(0);
  looked_at_ = json::int_at(value, "at").value_or(0);
  return {};
}

Version VersionFinder::version() const {
  Version out = configured_;
  if (may_look_ && found_ > out[2]) out[2] = found_;
  return out;
}

bool VersionFinder::due() const {
  const std::int64_t now = out_.clock.now().unix_seconds();
  const auto day = std::chrono::duration_cast<seconds>(kLookAgain).count();
  return may_look_ && (now - looked_at_ >= day || now < looked_at_);
}

void VersionFinder::look(Once<void(Result<bool>)> done) {
  if (!may_look_) return done(fail(Errc::unsupported, "the version is set in posthorn.toml"));
  if (done_) return done(fail(Errc::busy, "the version is being looked up"));
  done_ = std::move(done);
  scanner_ = {};
  received_ = 0;
  timer_.start(kTimeout, [this] { finish(fail(Errc::timeout, "no answer")); });
  dial_ = out_.dialer.dial(endpoint_, [this, alive = alive_, attempt = ++attempt_](
                                          Result<std::unique_ptr<Stream>> stream) {
    if (*alive && attempt == attempt_) on_dialled(std::move(stream));
  });
}

void VersionFinder::on_dialled(Result<std::unique_ptr<Stream>> stream) {
  if (!stream) return finish(tl::unexpected(stream.error()));
  stream_ = std::move(*stream);
  stream_->start(*this);
  stream_->write(to_bytes(kRequest));
}

void VersionFinder::on_data(ByteView data) {
  if (!done_) return;
  received_ += data.size();
  scanner_.feed(data);
  if (scanner_.found()) return finish(take(*scanner_.found()));
  if (received_ > kMostBytes) finish(fail(Errc::malformed, "the answer is too long"));
}

void VersionFinder::on_closed(Error why) {
  if (done_) finish(fail(std::move(why), "no version in the answer"));
}

Result<bool> VersionFinder::take(const std::string& found) {
  const auto accepted = accept_revision(found, configured_[2]);
  if (!accepted || *accepted == found_) return false;
  found_ = *accepted;
  return true;
}

void VersionFinder::finish(Result<bool> outcome) {
  timer_.stop();
  ++attempt_;
  if (stream_) stream_->close();
  // Both may be on the call stack below us.
  out_.scheduler.post([stream = std::move(stream_), dial = std::move(dial_)] {});
  looked_at_ = out_.clock.now().unix_seconds();
  json::Value kept;
  kept["found"] = found_;
  kept["at"] = json::Value::Int64{looked_at_};
  if (auto saved = out_.blobs.save(kBlob, as_bytes(json::write(kept))); !saved)
    log::warn("session", "version not saved", {{"error", saved.error()}});
  if (outcome) {
    log::info("session", "version looked up",
              {{"version", to_string(version())}, {"newer", *outcome}});
  } else {
    log::warn("session", "version not found", {{"error", outcome.error()}});
  }
  auto done = std::move(done_);
  done(std::move(outcome));
}

}  // namespace posthorn::session
