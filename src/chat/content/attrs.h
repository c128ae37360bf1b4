#pragma once

#include <string>
#include <vector>

#include "posthorn/wire/node.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// What a stanza says in the open about the message inside it.
struct StanzaAttrs {
  std::string type = "text";
  std::string mediatype;         ///< on each <enc>; empty: none
  std::string edit;              ///< empty: none
  bool hide_failure = false;     ///< decrypt-fail="hide" on each <enc>
  std::vector<wire::Attr> meta;  ///< of <meta>; empty: no such node

  bool operator==(const StanzaAttrs&) const = default;
};

/// Source: chapter 06 sections 3.3 - 3.5.
[[nodiscard]] StanzaAttrs describe_content(const wa::Message& message);

}  // namespace posthorn::chat
