#include "chat/history/past_reader.h"

#include <utility>

namespace posthorn::chat {
namespace {

using Want = wire::FieldStream::Want;

// HistorySync.conversations, Conversation.messages, HistorySyncMsg.message.
constexpr std::uint32_t kConversations = 2;
constexpr std::uint32_t kMessages = 2;
constexpr std::uint32_t kWebMessage = 1;
constexpr std::size_t kDepthOfMessage = 2;

}  // namespace

Result<void> PastReader::add(ByteView compressed) {
  return inflater_.add(compressed, kMostInflated,
                       [this](ByteView piece) { return fields_.add(piece); });
}

Result<std::vector<Bytes>> PastReader::finish() {
  if (!inflater_.ended()) return fail(Errc::malformed, "history: the data ends too early");
  TRY(fields_.finish());
  return std::move(out_);
}

Want PastReader::want(Path path, std::uint32_t number, std::uint64_t size) {
  if (path.empty()) return number == kConversations ? Want::open : Want::skip;
  if (path.size() < kDepthOfMessage) return number == kMessages ? Want::open : Want::skip;
  const bool fits = out_.size() < count_ && bytes_ + size <= kMostKept;
  return number == kWebMessage && fits ? Want::whole : Want::skip;
}

Result<void> PastReader::field(Path path, const wire::Field& field) {
  if (path.size() != kDepthOfMessage || field.number != kWebMessage ||
      field.type != wire::Field::Type::bytes) {
    return {};
  }
  bytes_ += field.bytes.size();
  out_.push_back(to_bytes(field.bytes));
  return {};
}

}  // namespace posthorn::chat
