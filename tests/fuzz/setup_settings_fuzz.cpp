// Whatever stands in posthorn.txt: what is kept reads back the same, no verdict repeats a secret,
// and a second look at the file that secrets were taken from finds none.

#include "fuzz/fuzz_support.h"
#include "setup/plan.h"
#include "setup/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn::setup;
  using posthorn::fuzz::require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Parsed parsed = parse_settings(text);
  require(parse_settings(write_settings(parsed.set)).set == parsed.set,
          "kept settings read back the same");
  const Parsed again = parse_settings(without_secrets(text, parsed));
  require(again.secrets.empty(), "no secret that was understood is left");
  for (const LineVerdict& line : parsed.verdicts) {
    for (const char c : line.sentence) require(c != '\n', "one line per line");
    for (const char c : line.key) require(c >= 0x20 && c < 0x7F, "what is shown can be shown");
  }
  for (const PlannedFile& file : make_plan(parsed.set, "[api]\nport = 80\n", true).files) {
    require(file.path.starts_with("/run/") || file.path.starts_with("/etc/"), "a place of ours");
    require(file.text.find('\0') == std::string::npos, "text files");
  }
  return 0;
}
