// What a broker, an update server and the local API may say to a fleet's agent.
#include <string>

#include "fleet/command_table.h"
#include "fleet/ddi.h"
#include "fleet/event_share.h"
#include "fleet/update_job.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/fleet/identity.h"
#include "posthorn/fleet/local_box_api.h"

using namespace posthorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto command = fleet::parse_command(text)) {
    if (const auto* kind = fleet::find_box_command(command->what)) {
      (void)fleet::request_of(*kind, *command);
    }
    fleet::Command logs = *command;
    logs.what = "logs";
    (void)fleet::outcome_of(logs, {200, logs.by});
  }
  (void)fleet::decode_answer(text, false);
  (void)fleet::decode_answer(text, true);
  (void)fleet::parse_box_access(text);
  (void)fleet::parse_poll(text);
  (void)fleet::parse_cancel(text);
  (void)fleet::parse_deployment(text);
  (void)fleet::parse_metrics(text);
  (void)fleet::read_certificate(text);
  if (const auto job = fleet::decode_job(text)) {
    fuzz::require(fleet::decode_job(fleet::encode_job(*job)) == job, "a job reads as written");
  }
  if (const auto event = json::parse(text)) {
    const Bytes key(32);
    const auto shared = fleet::share_event(*event, fleet::Share::metadata, key);
    // Whatever an event holds, what leaves the shop is a short word of ours.
    fuzz::require(shared.payload.size() <= 1000, "an event is short");
  }
  return 0;
}
