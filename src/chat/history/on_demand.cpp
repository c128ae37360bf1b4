#include "chat/history/on_demand.h"

#include <algorithm>
#include <utility>

#include "chat/content/once_only.h"
#include "chat/content/parse.h"
#include "chat/history/past_reader.h"
#include "chat/people/addressing.h"
#include "chat/people/ids.h"
#include "chat/people/mentions.h"
#include "chat/people/names.h"
#include "posthorn/base/job.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;
using Protocol = wa::Message::ProtocolMessage;

/// A compressed answer may have so many bytes.
constexpr std::uint64_t kMostFile = std::uint64_t{16} << 20;
constexpr std::size_t kMostId = 128;

PastMessage::Fate fate_of(const wa::WebMessageInfo& row) {
  using Fate = PastMessage::Fate;
  if (!row.key().fromme()) return Fate::none;
  if (!row.has_status()) return Fate::sent;
  switch (row.status()) {
    case wa::WebMessageInfo::ERROR:
      return Fate::failed;
    case wa::WebMessageInfo::PENDING:
      return Fate::pending;
    case wa::WebMessageInfo::SERVER_ACK:
      return Fate::sent;
    case wa::WebMessageInfo::DELIVERY_ACK:
      return Fate::delivered;
    case wa::WebMessageInfo::READ:
    case wa::WebMessageInfo::PLAYED:
      return Fate::read;
  }
  return Fate::sent;
}

/// What was wrong with an answer, in words. What is wrong with a file is not to be taken for what
/// is wrong with the question.
Error told(const Error& error) {
  const bool file = error.code == Errc::malformed || error.code == Errc::crypto ||
                    error.code == Errc::full || error.code == Errc::not_found;
  return {file ? Errc::refused : error.code,
          "what the phone has answered cannot be read: " + to_string(error)};
}

/// Without device; nullopt: it is no name.
std::optional<Jid> jid_of(const std::string& text) {
  const auto jid = wire::parse_jid(text);
  if (!jid || jid->user.empty()) return std::nullopt;
  return from_hosted(jid->bare());
}

}  // namespace

// Asking ------------------------------------------------------------------------------------------

void OnDemandHistory::older(const std::string& chat, const KnownMessage& than, std::uint32_t count,
                            Once<void(Result<std::vector<PastMessage>>)> done) {
  const auto named = context_.names.addressed(chat);
  const auto peer = named ? context_.names.preferred(*named) : named;
  if (!peer) return done(tl::unexpected(peer.error()));
  if (!context_.line.online()) {
    return done(fail(Errc::disconnected, "the box is not connected to WhatsApp"));
  }
  const bool again = std::any_of(open_.begin(), open_.end(),
                                 [&](const auto& one) { return one.second->chat == *peer; });
  if (again) return done(fail(Errc::busy, "the phone is being asked about this chat already"));
  if (open_.size() >= kMostOpen) {
    return done(fail(Errc::busy, "the phone is being asked about four chats already"));
  }
  auto open = std::make_unique<Open>(context_.scheduler);
  open->chat = *peer;
  open->than = than;
  open->count = std::clamp<std::uint32_t>(count, 1, kMostMessages);
  auto request = build_request(*open);
  if (!request) return done(tl::unexpected(request.error()));
  const std::string id =
      make_message_id(context_.random, context_.clock.now(), context_.line.identity().pn.user);
  open->done = std::move(done);
  open->timer.start(kPatience, [this, id] {
    finish(id,
           fail(Errc::timeout, "the phone did not answer within 60 seconds: is it on and online?"));
  });
  open_.emplace(id, std::move(open));
  peers_.ask_phone(std::move(*request), id,
                   [this, alive = context_.alive, id](Result<void> written) {
                     if (*alive && !written) finish(id, tl::unexpected(written.error()));
                   });
}

/// The phone keeps its chats under the names that WhatsApp has moved the account to.
Result<wa::Message> OnDemandHistory::build_request(const Open& open) {
  Jid chat = open.chat;
  if (context_.addressing.by_number()) {
    TRY(const auto number, context_.names.other(chat));
    if (chat.is_lid() && number) chat = *number;
  }
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(Protocol::PEER_DATA_OPERATION_REQUEST_MESSAGE);
  auto& request = *protocol.mutable_peerdataoperationrequestmessage();
  request.set_peerdataoperationrequesttype(wa::Message::HISTORY_SYNC_ON_DEMAND);
  auto& wanted = *request.mutable_historysyncondemandrequest();
  wanted.set_chatjid(to_string(chat));
  wanted.set_oldestmsgid(open.than.id);
  wanted.set_oldestmsgfromme(open.than.from_me);
  wanted.set_ondemandmsgcount(static_cast<std::int32_t>(open.count));
  wanted.set_oldestmsgtimestampms(open.than.at.unix_seconds());  // seconds, whatever its name says
  wanted.set_supportinlineresponse(true);
  return message;
}

void OnDemandHistory::finish(const std::string& id, Result<std::vector<PastMessage>> result) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  const std::unique_ptr<Open> open = std::move(found->second);
  open_.erase(found);
  open->done(std::move(result));
}

void OnDemandHistory::fail_all(const Error& why) {
  for (auto& [id, open] : std::exchange(open_, {})) open->done(tl::unexpected(why));
}

// The answer --------------------------------------------------------------------------------------

OnDemandHistory::OpenOnes::iterator OnDemandHistory::find(const HistoryNotification& news) {
  const auto found = open_.find(news.peerdatarequestsessionid());
  return found != open_.end() ? found : open_.find(news.originalmessageid());
}

void OnDemandHistory::take(const std::string& message_id, const HistoryNotification& news) {
  const auto open = find(news);
  const bool ours = open != open_.end() && !open->second->answered;
  if (is_type(news, HistoryType::no_history)) {
    if (ours) finish(std::string(open->first), std::vector<PastMessage>());
    return;
  }
  if (!ours) {
    log::info("history", "the phone tells of a chat that nobody asked about, or too late", {});
    return write_receipt(message_id);
  }
  if (!has_payload(news)) {
    write_receipt(message_id);
    return finish(std::string(open->first), std::vector<PastMessage>());
  }
  open->second->answered = true;
  open->second->timer.start(kPatience, [this, id = open->first] {
    finish(id, fail(Errc::timeout, "what the phone has answered did not come within 60 seconds"));
  });
  read(open->first, message_id, news);
}

void OnDemandHistory::read(const std::string& id, const std::string& message_id,
                           const HistoryNotification& news) {
  auto reader =
      std::make_shared<PastReader>(open_.at(id)->count);  // shared: with what is under way
  read_payload(
      context_, blobs_, std::make_shared<const HistoryNotification>(news), kMostFile,
      [reader](ByteView piece) { return reader->add(piece); },
      [this, alive = context_.alive, id, message_id, reader](Result<void> result) {
        if (!*alive) return;
        write_receipt(message_id);  // asked again, it would say the same
        const auto open = open_.find(id);
        if (open == open_.end()) return;
        const auto rows =
            result ? reader->finish() : Result<std::vector<Bytes>>(tl::unexpected(result.error()));
        finish(id, rows ? messages_of(*open->second, *rows) : tl::unexpected(told(rows.error())));
      });
}

Result<std::vector<PastMessage>> OnDemandHistory::messages_of(const Open& open,
                                                              const std::vector<Bytes>& rows) {
  std::vector<PastMessage> out;
  for (const Bytes& bytes : rows) {
    wa::WebMessageInfo row;
    if (!row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    TRY(auto message, message_of(open, row));
    if (message) out.push_back(std::move(*message));
  }
  std::stable_sort(out.begin(), out.end(), [](const PastMessage& one, const PastMessage& other) {
    return one.message.timestamp.unix_seconds() > other.message.timestamp.unix_seconds();
  });
  return out;
}

/// nullopt: it is of another chat, not older, or nothing that somebody said.
Result<std::optional<PastMessage>> OnDemandHistory::message_of(const Open& open,
                                                               const wa::WebMessageInfo& row) {
  const wa::MessageKey& key = row.key();
  const auto chat = jid_of(key.remotejid());
  const auto at = static_cast<std::int64_t>(row.messagetimestamp());
  const bool known = key.id() == open.than.id && key.fromme() == open.than.from_me;
  if (!chat || key.id().empty() || key.id().size() > kMostId || known || at <= 0 ||
      at > open.than.at.unix_seconds()) {
    return std::optional<PastMessage>();
  }
  TRY(const Jid named, context_.names.preferred(*chat));
  const auto opened = open_wrappers(row.message());
  if (named != open.chat || !opened || opened->group_status) return std::optional<PastMessage>();
  Parsed parsed = parse_content(*opened->message);
  if (!parsed.content) return std::optional<PastMessage>();
  PastMessage out;
  out.fate = fate_of(row);
  out.message.id = key.id();
  out.message.from_me = key.fromme();
  out.message.timestamp = Wall::from_unix(at);
  out.message.content = std::move(*parsed.content);
  (void)keep_once_only(out.message.content, opened->view_once);
  TRY(forget_unknown_file(out.message.content));
  TRY(name_people(open, row, out.message));
  return std::optional(std::move(out));
}

Result<void> OnDemandHistory::name_people(const Open& open, const wa::WebMessageInfo& row,
                                          Message& message) {
  TRY(message.chat, context_.names.chat_id(open.chat));
  Jid sender = message.from_me ? context_.line.identity().pn.bare() : open.chat;
  if (!message.from_me && open.chat.is_group()) {
    const bool in_key = !row.key().participant().empty();
    sender = jid_of(in_key ? row.key().participant() : row.participant()).value_or(open.chat);
  }
  TRY(message.sender, context_.names.chat_id(sender));
  TRY(const Jid named, context_.names.preferred(sender));
  TRY(const auto name, context_.messages.push_name(to_string(named)));
  message.sender_name = name.value_or(row.pushname());
  if (message.content.quote) {
    const auto author = jid_of(message.content.quote->participant);
    if (author && author->is_person()) {
      TRY(message.content.quote->participant, context_.names.chat_id(*author));
    }
  }
  return name_mentioned(context_.names, message.content);
}

/// Nothing of these messages is kept, so a link would lead nowhere: but to a file that the box has
/// heard of otherwise.
Result<void> OnDemandHistory::forget_unknown_file(Content& content) {
  auto* file = std::get_if<content::File>(&content.what);
  if (file == nullptr || file->ref.empty()) return {};
  TRY(const auto known, context_.media.received(file->ref));
  if (known.empty()) file->ref.clear();
  return {};
}

void OnDemandHistory::write_receipt(const std::string& message_id) {
  context_.line.write(build_history_receipt(message_id, context_.line.identity()));
}

}  // namespace posthorn::chat
