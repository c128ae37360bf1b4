#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/json.h"

namespace posthorn::fleet {

/// One update and where it stands; kept on disk at each step.
struct UpdateJob {
  enum class Step : std::uint8_t {
    download,
    wait,     ///< whole and right; for the closed hours
    install,  ///< on its way to the daemon, or there
    prove,    ///< installed; the new version has to run for a while
    report,   ///< decided; the server has not heard yet
  };

  std::string source;  ///< "hawkbit" or "command"
  std::string id;      ///< of the action, or the command's key
  std::string name;    ///< for people
  std::string url;
  std::string sha256;
  std::uint64_t size = 0;
  bool forced = false;
  Step step = Step::download;
  bool handed = false;      ///< the daemon has it
  std::string slot_before;  ///< what ran when it was handed over
  std::string boot_before;
  bool linked_before = false;  ///< a phone was linked then
  bool good = false;           ///< how it ended
  std::string detail;

  bool operator==(const UpdateJob&) const = default;
};
[[nodiscard]] std::string_view to_string(UpdateJob::Step step);
[[nodiscard]] std::string encode_job(const UpdateJob& job);
/// What is kept when there is no job: the id of the last one.
[[nodiscard]] std::string encode_finished(const std::string& id);
[[nodiscard]] std::string decode_finished(std::string_view text);
/// nullopt: unreadable.
[[nodiscard]] std::optional<UpdateJob> decode_job(std::string_view text);

}  // namespace posthorn::fleet
