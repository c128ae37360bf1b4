#include "chat/state/round.h"

namespace posthorn::chat {
namespace {

using wire::Node;

constexpr std::size_t kMaxPatches = 1000;

}  // namespace

Node build_collection_query(const std::string& name, std::uint64_t version, bool snapshot,
                            const Bytes& patch) {
  Node collection("collection", {{"name", name},
                                 {"version", std::to_string(version)},
                                 {"return_snapshot", snapshot ? "true" : "false"}});
  if (!patch.empty()) collection.content = std::vector<Node>{Node("patch", {}, patch)};
  Node iq("iq", {{"to", wire::Jid{"", std::string(wire::kServerUser), 0}},
                 {"type", "set"},
                 {"xmlns", "w:sync:app:state"}});
  iq.content = std::vector<Node>{Node("sync", {}, {std::move(collection)})};
  return iq;
}

std::optional<CollectionAnswer> parse_collection_answer(const Node& iq, const std::string& name) {
  const Node* sync = iq.child("sync");
  if (sync == nullptr) return std::nullopt;
  for (const Node& collection : sync->children()) {
    if (collection.tag != "collection" || collection.text_attr("name") != name) continue;
    CollectionAnswer answer;
    answer.version = collection.int_attr("version").value_or(0);
    answer.more = collection.text_attr("has_more_patches") == "true";
    if (const Node* error = collection.child("error")) {
      answer.error = static_cast<int>(error->int_attr("code").value_or(500));
    } else if (collection.text_attr("type") == "error") {
      answer.error = 500;
    }
    if (const Node* snapshot = collection.child("snapshot")) {
      answer.snapshot = to_bytes(snapshot->bytes());
    }
    if (const Node* patches = collection.child("patches")) {
      for (const Node& patch : patches->children()) {
        if (patch.tag != "patch" || answer.patches.size() >= kMaxPatches) continue;
        answer.patches.push_back(to_bytes(patch.bytes()));
      }
    }
    return answer;
  }
  return std::nullopt;
}

}  // namespace posthorn::chat
