#include "fleet/update_job.h"

#include <array>

namespace posthorn::fleet {

namespace {

using Step = UpdateJob::Step;
constexpr std::array<Step, 5> kSteps{Step::download, Step::wait, Step::install, Step::prove,
                                     Step::report};

}  // namespace

std::string_view to_string(Step step) {
  switch (step) {
    case Step::download:
      return "download";
    case Step::wait:
      return "wait";
    case Step::install:
      return "install";
    case Step::prove:
      return "prove";
    case Step::report:
      return "report";
  }
  return "download";
}

std::string encode_job(const UpdateJob& job) {
  json::Value out(::Json::objectValue);
  out["source"] = job.source;
  out["id"] = job.id;
  out["name"] = job.name;
  out["url"] = job.url;
  out["sha256"] = job.sha256;
  out["size"] = static_cast<::Json::UInt64>(job.size);
  out["forced"] = job.forced;
  out["step"] = std::string(to_string(job.step));
  out["handed"] = job.handed;
  out["slotBefore"] = job.slot_before;
  out["bootBefore"] = job.boot_before;
  out["linkedBefore"] = job.linked_before;
  out["good"] = job.good;
  out["detail"] = job.detail;
  return json::write(out);
}

std::string encode_finished(const std::string& id) {
  json::Value out(::Json::objectValue);
  out["finished"] = id;
  return json::write(out);
}

std::string decode_finished(std::string_view text) {
  const auto value = json::parse(text, 100);
  return value ? json::string_at(*value, "finished").value_or("") : "";
}

std::optional<UpdateJob> decode_job(std::string_view text) {
  const auto value = json::parse(text, 100);
  if (!value || !value->isObject()) return std::nullopt;
  const auto word = [&](const char* key) { return json::string_at(*value, key).value_or(""); };
  UpdateJob out;
  out.source = word("source");
  out.id = word("id");
  out.name = word("name");
  out.url = word("url");
  out.sha256 = word("sha256");
  out.size = static_cast<std::uint64_t>(json::int_at(*value, "size").value_or(0));
  out.forced = json::bool_at(*value, "forced").value_or(false);
  out.handed = json::bool_at(*value, "handed").value_or(false);
  out.slot_before = word("slotBefore");
  out.boot_before = word("bootBefore");
  out.linked_before = json::bool_at(*value, "linkedBefore").value_or(false);
  out.good = json::bool_at(*value, "good").value_or(false);
  out.detail = word("detail");
  if (out.id.empty()) return std::nullopt;
  for (const Step step : kSteps) {
    if (word("step") == to_string(step)) {
      out.step = step;
      return out;
    }
  }
  return std::nullopt;
}

}  // namespace posthorn::fleet
