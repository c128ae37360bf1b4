#include "session/ab_props.h"

#include <utility>

#include "posthorn/wire/names.h"
#include "session/stanzas.h"

namespace posthorn::session {

namespace names = wire::names;

wire::Node build_props_query(const std::string& hash) {
  wire::Node props(names::kProps, {{"protocol", "1"}});
  if (!hash.empty()) props.set_attr("hash", hash);
  return build_iq(names::kGet, names::kAbt, {std::move(props)});
}

Result<AbProps> parse_props(const wire::Node& iq) {
  const wire::Node* props = iq.child(names::kProps);
  if (props == nullptr) return fail(Errc::malformed, "an answer without properties");
  AbProps out;
  out.hash = props->text_attr("hash");
  for (const wire::Node& prop : props->children()) {
    const auto code = prop.int_attr("config_code");
    if (prop.tag != "prop" || !code || *code < 0 || *code > 1'000'000) continue;
    out.values[static_cast<int>(*code)] = prop.text_attr("config_value");
  }
  return out;
}

bool is_on(const std::string& value) { return value == "1" || value == "true"; }

}  // namespace posthorn::session
