#include "api/notification/quote.h"

#include "api/notification/file.h"

namespace posthorn::api {

json::Value show_quote(const Quote& quote) {
  json::Value out(::Json::objectValue);
  out["stanzaId"] = shown_text(quote.id);
  out["participant"] = shown_text(quote.participant);
  if (quote.file) {
    out["typeMessage"] = std::string(type_of(quote.file->kind));
    show_file(*quote.file, out);
    return out;
  }
  out["typeMessage"] = shown_text(quote.type_message);
  out["textMessage"] = shown_text(quote.text);
  return out;
}

}  // namespace posthorn::api
