#pragma once

#include "chat/content/kinds.h"

namespace posthorn::chat {

/// What a message quotes, and whether it was forwarded.
void read_context(const wa::ContextInfo& context, Beside& beside);

/// What a quote shows of the message, which is out of its wrappers: text, kind, the file.
void describe_quoted(const wa::Message& message, Quote& quote);

/// The same message with nothing but what a file is and where it lies; an empty one when it is no
/// file. For keeping.
[[nodiscard]] wa::Message outline_of_file(const wa::Message& message);

/// The context of a message to send: what it answers. Nothing to say leaves `message` as it is.
template <class Part>
void write_context(const Outgoing& outgoing, Part& part);

/// The quote of a message to send.
void set_quote(wa::ContextInfo& context, const QuotedMessage& quoted);

template <class Part>
void write_context(const Outgoing& outgoing, Part& part) {
  if (outgoing.quoted) set_quote(*part.mutable_contextinfo(), *outgoing.quoted);
}

}  // namespace posthorn::chat
