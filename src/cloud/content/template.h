#pragma once

#include <optional>
#include <string>

#include "cloud/content/kinds.h"
#include "posthorn/cloud/templates.h"

namespace posthorn::cloud {

/// The body of POST message_templates as a template without an id. Errors: as cloud/fields.h.
[[nodiscard]] Result<Template> parse_template(const json::Value& body);

/// What a template says with the parameters of one message: a text, and the file of its header.
/// message: the object "template" of the POST. Errors: malformed (the number or kind of parameters:
/// 132000).
[[nodiscard]] Result<InteractiveAsked> fill_template(const Template& one,
                                                     const json::Value& message);

}  // namespace posthorn::cloud
