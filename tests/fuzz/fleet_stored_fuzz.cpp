// What the fleet's agent finds on its disk: its settings, and which commands it has begun.
//
// Input: the text of either.

#include "fleet/command_journal.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/base/log.h"
#include "posthorn/fleet/settings.h"
#include "support/fakes.h"

using namespace posthorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  log::set_sink([](log::Level, std::string_view) {});
  const ByteView bytes = fuzz::Input(data, size).rest();
  const std::string toml = fuzz::only_ascii(as_text(bytes));
  if (const auto settings = fleet::parse_settings(toml, "fleet.toml")) {
    fuzz::require(settings->keep_alive >= seconds(5) && settings->keep_alive <= hours(1), "ranges");
    fuzz::require(settings->org.find_first_of("/+#") == std::string::npos, "a level of a topic");
  }
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs{scheduler};
  for (std::size_t i = 0; i < fleet::CommandJournal::kBuckets; ++i) {
    blobs.values["commands/" + std::to_string(i)] = to_bytes(bytes);
  }
  fleet::CommandJournal journal(blobs);
  fuzz::require(journal.load().has_value(), "whatever it says, it is loaded");
  for (const auto& entry : journal.open()) (void)journal.find(entry.key);
  fleet::CommandJournal::Entry entry;
  entry.key = "key";
  entry.what = "send";
  entry.at = 1'790'000'000;
  if (!journal.put(entry, Wall::from_unix(1'790'000'000))) return 0;
  fleet::CommandJournal again(blobs);
  fuzz::require(again.load() && again.find("key") != nullptr, "a command is kept");
  return 0;
}
