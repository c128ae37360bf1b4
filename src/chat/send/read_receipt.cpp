#include "chat/send/read_receipt.h"

#include <vector>

namespace posthorn::chat {

using wire::Jid;
using wire::Node;

Node build_read_receipt(const Jid& chat, const std::optional<Jid>& sender,
                        std::span<const std::string> ids, Wall when, ReadTo to) {
  Node receipt("receipt", {{"id", ids.front()},
                           {"to", chat.bare()},
                           {"type", to == ReadTo::everybody ? "read" : "read-self"},
                           {"t", std::to_string(when.unix_seconds())}});
  if (sender) receipt.set_attr("participant", sender->bare());
  std::vector<Node> items;
  for (const std::string& id : ids.subspan(1)) items.push_back(Node("item", {{"id", id}}));
  if (!items.empty()) receipt.content = std::vector<Node>{Node("list", {}, std::move(items))};
  return receipt;
}

}  // namespace posthorn::chat
