#include "chat/files/upload_answer.h"

#include <charconv>

#include "posthorn/base/json.h"

namespace posthorn::chat {
namespace {

bool is_path(const std::string& path) {
  return path.starts_with("/") && path.size() <= 2048 &&
         path.find_first_of(" \r\n\t\"\\") == std::string::npos;
}

UploadAnswer refused(std::string why) {
  UploadAnswer out;
  out.verdict = UploadAnswer::Verdict::refused;
  out.why = {Errc::refused, std::move(why)};
  return out;
}

}  // namespace

UploadAnswer parse_upload(const net::HttpResponse& answer) {
  const std::string status = std::to_string(answer.status);
  UploadAnswer out;
  if (answer.status >= 200 && answer.status < 300) {
    const auto json = json::parse(answer.body);
    if (json) {
      out.url = json::string_at(*json, "url").value_or("");
      out.direct_path = json::string_at(*json, "direct_path").value_or("");
    }
    if (is_path(out.direct_path)) {
      out.verdict = UploadAnswer::Verdict::stored;
    } else {
      out.why = {Errc::malformed, "the media host did not say where the file lies"};
    }
    return out;
  }
  if (answer.status == 401 || answer.status == 403) {
    out.verdict = UploadAnswer::Verdict::ask_anew;
    out.why = {Errc::refused, "the media host does not accept our ticket (" + status + ")"};
    return out;
  }
  if (answer.status == 413) return refused("WhatsApp does not take a file of this size (413)");
  if (answer.status == 415) return refused("WhatsApp does not take a file of this type (415)");
  if (answer.status >= 400 && answer.status < 500 && answer.status != 408 && answer.status != 429) {
    return refused("WhatsApp's media host refused the file (" + status + ")");
  }
  out.why = {Errc::io, "the media host answered " + status};
  return out;
}

ResumeAnswer parse_resume(const net::HttpResponse& answer) {
  ResumeAnswer out;
  const auto json = json::parse(answer.body);
  if (answer.status != 200 || !json) return out;
  const std::string resume = json::text_of(json::at(*json, "resume")).value_or("");
  if (resume == "complete") {
    out.place.url = json::string_at(*json, "url").value_or("");
    out.place.direct_path = json::string_at(*json, "direct_path").value_or("");
    out.complete = is_path(out.place.direct_path);
    return out;
  }
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(resume.data(), resume.data() + resume.size(), offset);
  if (!resume.empty() && error == std::errc() && end == resume.data() + resume.size()) {
    out.offset = offset;
  }
  return out;
}

}  // namespace posthorn::chat
