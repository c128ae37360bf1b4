#include "api/fields.h"
#include "api/handlers.h"

namespace posthorn::api {

void read_chat(Context& context, Call call) {
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  const auto id = optional_text(call.body, "idMessage");
  if (!id) return call.refuse(id.error());
  if (*id && !(*id)->empty()) {
    if (const auto checked = check_message_id(**id); !checked) return call.refuse(checked.error());
  }
  context.outside.read_marks.mark(*chat, id->value_or(""),
                                  [call = std::move(call)](Result<std::size_t> marked) mutable {
                                    if (!marked) return call.refuse(marked.error());
                                    json::Value out(::Json::objectValue);
                                    out["setRead"] = *marked > 0;
                                    call.send(out);
                                  });
}

}  // namespace posthorn::api
