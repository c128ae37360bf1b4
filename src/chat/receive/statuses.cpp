#include "chat/receive/statuses.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/receive/believed.h"

namespace posthorn::chat {
namespace {

using wire::Node;
using Status = store::MessageStore::Sent::Status;

constexpr int kNackUnparsable = 487;

struct StatusRow {
  IncomingReceipt::Kind incoming;
  Receipt::Kind event;
  Status status;
};
constexpr StatusRow kStatusRows[] = {
    {IncomingReceipt::Kind::delivered, Receipt::Kind::delivered, Status::delivered},
    {IncomingReceipt::Kind::read, Receipt::Kind::read, Status::read},
    {IncomingReceipt::Kind::played, Receipt::Kind::played, Status::played},
};

}  // namespace

Statuses::Statuses(const MessageContext& context, Function<void(const Node&)> on_retry)
    : context_(context), on_retry_(std::move(on_retry)) {}

Statuses::~Statuses() { *self_ = nullptr; }

void Statuses::push(Node stanza, ReceiveLane& lane) {
  auto receipt = parse_receipt(stanza, context_.clock.now());
  // Thousands of ids take several times the room as nodes, and many receipts may wait.
  const bool retry = receipt && receipt->kind == IncomingReceipt::Kind::retry;
  if (!retry) stanza.content = std::monostate{};
  lane.push([this, stanza = std::move(stanza), receipt = std::move(receipt)](bool) {
    return take(stanza, receipt);
  });
}

Result<LaneWork> Statuses::take(const Node& stanza, const Result<IncomingReceipt>& receipt) {
  using Kind = IncomingReceipt::Kind;
  LaneWork work;
  const session::Identity& self = context_.line.identity();
  if (!receipt) {
    work.afterwards = [this, ack = build_ack(stanza, self, kNackUnparsable)]() mutable {
      context_.line.write(std::move(ack));
    };
    return work;
  }
  if (receipt->kind == Kind::retry) {
    // Answering needs the lane for itself, so it begins when this batch is through.
    work.afterwards = [this, stanza] { on_retry_(stanza); };
    return work;
  }
  Node ack = build_ack(stanza, self);
  if (receipt->kind != Kind::read_self) {
    TRY(take_status(*receipt, std::move(ack)));
    return work;
  }
  TRY(take_own_read(*receipt, work));
  work.afterwards = [this, ack = std::move(ack)]() mutable { context_.line.write(std::move(ack)); };
  return work;
}

/// One receipt whose events are on their way to the disk.
struct Statuses::ToldReceipt {
  Node ack;
  std::size_t open = 1;  ///< events not stored yet, and one while they are being told
  std::optional<Error> error;
};

/// A status changes no keys, so the lane does not wait for it: messages overtake it, and several
/// share one sync. Acknowledged when it is stored; else the server tells it again.
Result<void> Statuses::take_status(const IncomingReceipt& receipt, Node ack) {
  const auto* row = std::find_if(std::begin(kStatusRows), std::end(kStatusRows),
                                 [&](const StatusRow& r) { return r.incoming == receipt.kind; });
  const wire::Jid author = receipt.participant.value_or(receipt.from);
  if (row == std::end(kStatusRows) || is_own_user(context_.line.identity(), from_hosted(author))) {
    context_.line.write(std::move(ack));
    return {};
  }
  TRY(note_view(receipt, author, row->status));
  TRY(std::vector<Receipt> events, believed_statuses(context_, receipt, row->event, row->status));
  auto told = std::make_shared<ToldReceipt>();
  told->ack = std::move(ack);
  ++open_;
  for (Receipt& event : events) tell(std::move(event), row->status, told);
  finish(*told);
  return {};
}

/// Of a status (story) of ours: who has got it, and who has seen it.
Result<void> Statuses::note_view(const IncomingReceipt& receipt, const wire::Jid& author,
                                 Status status) {
  if (receipt.from.server != wire::kServerBroadcast || !receipt.participant) return {};
  TRY(const wire::Jid user, context_.names.preferred(from_hosted(author).bare()));
  for (const std::string& id : receipt.ids) {
    TRY(const auto sent, context_.messages.sent_outline(id));
    if (!sent || sent->chat != to_string(receipt.from)) continue;
    TRY(context_.views.save(
        id, {to_string(user), status >= Status::read, receipt.when.unix_seconds()}));
  }
  return {};
}

void Statuses::tell(Receipt event, Status status, const std::shared_ptr<ToldReceipt>& told) {
  ++told->open;
  const std::string id = event.message_id;
  context_.sink(std::move(event), [self = self_, id, status, told](Result<void> stored) {
    if (*self == nullptr) return;
    if (stored) stored = (*self)->context_.messages.raise_status(id, status);
    if (!stored) told->error = stored.error();
    (*self)->finish(*told);
  });
}

void Statuses::finish(ToldReceipt& told) {
  if (--told.open > 0) return;
  --open_;
  if (told.error) return context_.line.drop(std::move(*told.error));
  context_.line.write(std::move(told.ack));
}

Result<void> Statuses::take_own_read(const IncomingReceipt& receipt, LaneWork& work) {
  const wire::Jid named = from_hosted(receipt.recipient.value_or(receipt.from)).bare();
  TRY(const wire::Jid chat, context_.names.preferred(named));
  work.write = [this, chat = to_string(chat), ids = receipt.ids] {
    return context_.messages.mark_read(chat, ids);
  };
  return {};
}

}  // namespace posthorn::chat
