#pragma once

#include <string>
#include <string_view>

namespace posthorn {

/// The first link that a phone would underline in a text: from "http://", "https://" or "www." to
/// the next blank, without the punctuation that ends a sentence or a bracket that encloses it.
/// Returns it as the text has it; empty: there is none, or it names a user or a password.
[[nodiscard]] std::string_view find_link(std::string_view text);

/// Where such a link leads: with a scheme, and without what stands behind '#'.
[[nodiscard]] std::string address_of_link(std::string_view link);

}  // namespace posthorn
