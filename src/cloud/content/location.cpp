#include "cloud/content/kinds.h"
#include "cloud/fields.h"

// {"latitude": 52.5, "longitude": "13.4", "name": "…", "address": "…"}.
namespace posthorn::cloud {

Result<Content::What> parse_location(const json::Value& object) {
  constexpr std::size_t kNameMax = 1000;
  content::Location kind;
  TRY(kind.latitude, required_number_in(object, "latitude", "location", 90));
  TRY(kind.longitude, required_number_in(object, "longitude", "location", 180));
  TRY(kind.name, text_in(object, "name", "location", kNameMax));
  TRY(kind.address, text_in(object, "address", "location", kNameMax));
  return Content::What(std::move(kind));
}

}  // namespace posthorn::cloud
