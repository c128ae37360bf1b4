#pragma once

#include <string>

#include "posthorn/base/content.h"
#include "posthorn/base/job.h"
#include "posthorn/base/json.h"
#include "posthorn/base/result.h"
#include "posthorn/cloud/way.h"

namespace posthorn::cloud {

/// What a message's body needs beside the job.
struct BuildFacts {
  Way way = Way::free_form;
  std::string media_id;       ///< of the job's file, uploaded
  std::string template_name;  ///< with Way::template_, unless the job names its own
  std::string template_language;
  /// What the official number calls the message that is answered or reacted to; "": it knows none.
  std::string quoted = {};
  std::string to = {};  ///< chatId to write to, a number or a user id; "": the job's
};

/// What the official API calls a file of that kind: "image", "video", …
[[nodiscard]] const char* official_type(content::File::Kind kind);

/// The job was posted as a template by the official API's own words.
[[nodiscard]] bool names_template(const Job& job);

/// The body of POST messages. Errors: unsupported, with a sentence (a kind that the official API
/// does not have, or not this way).
[[nodiscard]] Result<json::Value> build_message(const Job& job, const BuildFacts& facts);

}  // namespace posthorn::cloud
