#include "api/sending/kinds.h"

// No method sends these: they only come in.
namespace posthorn::api {

void show_request(const content::Undecryptable&, json::Value&) {}

void show_request(const content::Other&, json::Value&) {}

}  // namespace posthorn::api
