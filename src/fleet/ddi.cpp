#include "fleet/ddi.h"

#include <algorithm>
#include <charconv>

#include "posthorn/base/utf8.h"

namespace posthorn::fleet {

namespace {

constexpr std::size_t kValuesAtMost = 5000;
constexpr std::size_t kUrlAtMost = 2000;
constexpr std::uint64_t kBundleAtMost = std::uint64_t{1} << 30;

/// _links.NAME.href
std::string link(const json::Value& value, const char* name) {
  const json::Value& href = json::at(json::at(json::at(value, "_links"), name), "href");
  const auto text = json::text_of(href);
  return text && text->size() <= kUrlAtMost ? *text : "";
}

/// "00:05:00"
seconds duration_of(std::string_view text) {
  std::int64_t parts[3] = {0, 5, 0};
  if (text.size() == 8 && text[2] == ':' && text[5] == ':') {
    for (std::size_t i = 0; i < 3; ++i) {
      std::from_chars(text.data() + 3 * i, text.data() + 3 * i + 2, parts[i]);
    }
  }
  const seconds all(parts[0] * 3600 + parts[1] * 60 + parts[2]);
  return std::clamp<seconds>(all, seconds(1), hours(24));
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void read_artifacts(const json::Value& chunk, std::vector<DdiDeployment>& out) {
  const json::Value& artifacts = json::at(chunk, "artifacts");
  if (!artifacts.isArray()) return;
  for (const json::Value& artifact : artifacts) {
    const std::string file = json::string_at(artifact, "filename").value_or("");
    if (!file.ends_with(".raucb")) continue;
    DdiDeployment one;
    one.name = json::string_at(chunk, "name").value_or("") + " " +
               json::string_at(chunk, "version").value_or("");
    one.sha256 = json::string_at(json::at(artifact, "hashes"), "sha256").value_or("");
    one.size = static_cast<std::uint64_t>(
        std::max<std::int64_t>(json::int_at(artifact, "size").value_or(0), 0));
    one.url = link(artifact, "download");
    if (one.url.empty()) one.url = link(artifact, "download-http");
    out.push_back(std::move(one));
  }
}

}  // namespace

Result<DdiPoll> parse_poll(std::string_view text) {
  TRY(const auto value, json::parse(text, kValuesAtMost));
  if (!value.isObject()) return fail(Errc::malformed, "the update server's answer is no object");
  DdiPoll out;
  const json::Value& polling = json::at(json::at(value, "config"), "polling");
  out.sleep = duration_of(json::string_at(polling, "sleep").value_or(""));
  out.deployment = link(value, "deploymentBase");
  out.cancel = link(value, "cancelAction");
  out.config_data = link(value, "configData");
  return out;
}

Result<DdiDeployment> parse_deployment(std::string_view text) {
  TRY(const auto value, json::parse(text, kValuesAtMost));
  const json::Value& deployment = json::at(value, "deployment");
  const json::Value& chunks = json::at(deployment, "chunks");
  const std::string id = json::text_of(json::at(value, "id")).value_or("");
  if (id.empty() || id.size() > 40) return fail(Errc::malformed, "the update has no id");
  std::vector<DdiDeployment> found;
  if (chunks.isArray()) {
    for (const json::Value& chunk : chunks) read_artifacts(chunk, found);
  }
  DdiDeployment out;
  if (found.size() == 1) out = found.front();
  out.id = id;
  const std::string update = json::string_at(deployment, "update").value_or("attempt");
  const std::string download = json::string_at(deployment, "download").value_or("attempt");
  out.forced = update == "forced";
  out.skipped = update == "skip" || download == "skip";
  out.window_closed = json::string_at(deployment, "maintenanceWindow") == "unavailable";
  // What is wrong with it is told to the server, which must know which update is meant.
  if (found.size() != 1 || out.url.empty() || !is_digest(out.sha256) || out.size == 0 ||
      out.size > kBundleAtMost) {
    out.url.clear();
  }
  return out;
}

Result<std::string> parse_cancel(std::string_view text) {
  TRY(const auto value, json::parse(text, kValuesAtMost));
  const auto id = json::text_of(json::at(json::at(value, "cancelAction"), "stopId"));
  if (!id || id->empty()) return fail(Errc::malformed, "a cancellation without stopId");
  return *id;
}

std::string feedback_text(const std::string& id, std::string_view execution,
                          std::string_view finished, const std::string& detail) {
  json::Value out(::Json::objectValue);
  out["id"] = id;
  out["status"]["execution"] = std::string(execution);
  out["status"]["result"]["finished"] = std::string(finished);
  out["status"]["details"][0] = cut_utf8(detail, 500);
  return json::write(out);
}

}  // namespace posthorn::fleet
