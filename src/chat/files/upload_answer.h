#pragma once

#include <cstdint>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/net/http_client.h"

namespace posthorn::chat {

/// What a media host said to an upload. Source: chapter 08 section 4.
struct UploadAnswer {
  enum class Verdict : std::uint8_t {
    stored,      ///< it lies at direct_path
    ask_anew,    ///< the auth has aged
    other_host,  ///< this one cannot now
    refused,     ///< no host will take it
  };
  Verdict verdict = Verdict::other_host;
  std::string url, direct_path;
  Error why{Errc::io, ""};  ///< unless stored
};
[[nodiscard]] UploadAnswer parse_upload(const net::HttpResponse& answer);

/// How much of an upload a host has. Whatever is not understood means nothing of it (chapter 08
/// section 4.1).
struct ResumeAnswer {
  bool complete = false;
  std::uint64_t offset = 0;
  content::MediaPlace place;  ///< url and direct_path, when complete
};
[[nodiscard]] ResumeAnswer parse_resume(const net::HttpResponse& answer);

}  // namespace posthorn::chat
