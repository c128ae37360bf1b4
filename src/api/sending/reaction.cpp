#include "api/sending/kinds.h"

// Green-API has no method that sends a reaction: it only comes in.
namespace posthorn::api {

void show_request(const content::Reaction&, json::Value&) {}

}  // namespace posthorn::api
