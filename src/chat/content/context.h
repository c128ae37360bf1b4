#pragma once

#include <cstdint>

#include "chat/content/build.h"
#include "chat/content/kinds.h"
#include "posthorn/base/content.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// What stands beside the content of a message: in another field for each kind. nullptr: the kind
/// has no such thing, or (context_in) it is not there. A plain text becomes an extended one.
[[nodiscard]] wa::ContextInfo* mutable_context(wa::Message& message);
[[nodiscard]] const wa::ContextInfo* context_in(const wa::Message& message);

/// Takes it all away, with the message's secret: what is quoted or passed on has none of it.
void drop_context(wa::Message& message);

/// Who and what is quoted, mentioned and forwarded.
void read_context(const wa::ContextInfo& context, Beside& beside);
/// What a quote shows of the message, which is out of its wrappers: text, kind, the file.
void describe_quoted(const wa::Message& message, Quote& quote);
/// What stands beside a message of ours; does nothing when there is nothing to say.
void write_context(const Content& content, const Outgoing& outgoing, wa::Message& message);

}  // namespace posthorn::chat
