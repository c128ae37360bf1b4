#include "api/journals.h"

#include <charconv>
#include <limits>

#include "api/fields.h"
#include "api/handlers.h"
#include "api/journal_form.h"
#include "api/notification/kinds.h"
#include "posthorn/api/chat_id.h"

/// What was said, out of the journal: by chat, by id, by time; and the stories and calls in it.
namespace posthorn::api {

namespace {

using journal::Direction;
using journal::Entry;
using journal::What;

constexpr std::int64_t kUsualCount = 100;
constexpr std::int64_t kMostCount = 100'000;
constexpr std::int64_t kUsualMinutes = 1440;
constexpr std::int64_t kMostMinutes = std::int64_t{10} * 366 * 1440;
/// Entries that are in memory at once, however long the list is.
constexpr std::size_t kPiece = 32;

constexpr const char* kNoJournal =
    "this box keeps no journal: days is 0 in section [journal] of its configuration";

}  // namespace

bool has_journal(Context& context, Call& call) {
  if (context.outside.journal != nullptr) return true;
  call.refuse(400, kNoJournal);
  return false;
}

std::string key_of(const Context& context, const std::string& chat) {
  if (!context.outside.account_of || chat == kStoryChat) return chat;
  return context.outside.account_of(chat);
}

json::Value message_item(Context& context, const Entry& entry, const std::string& chat,
                         const std::string& host) {
  const auto& files = context.outside.files;
  json::Value item = journal_item(entry, chat, files ? &files->links : nullptr, host);
  const auto sender = json::string_at(item, "senderId");
  if (sender && !sender->empty()) {
    item["senderContactName"] = shown_text(context.outside.contacts.contact_name(*sender));
  }
  return item;
}

namespace {

/// The list as it is read: a piece of it in memory for each reader.
class JournalSource final : public BodySource {
 public:
  struct Options {
    journal::Query query;
    std::int64_t count = kMostCount;
    std::string chat;  ///< as the till named it; empty: as each entry has it
    std::string host;
  };
  JournalSource(std::shared_ptr<Context> context, Options options)
      : context_(std::move(context)), options_(std::move(options)) {}

  /// Reads the first piece, so that a journal that cannot be read is told by a status.
  Result<void> begin() {
    text_ = "[";
    return take();
  }

  void on_ready(std::function<void()>) override {}  // it always has something

  Piece read(std::span<char> out) override {
    if (taken_ == text_.size()) {
      if (ended_) return {More::end, 0};
      text_.clear();
      taken_ = 0;
      if (!take()) return {More::failed, 0};
    }
    const std::size_t size = text_.copy(out.data(), out.size(), taken_);
    taken_ += size;
    return {More::bytes, size};
  }

 private:
  Result<void> take() {
    const auto wanted = static_cast<std::size_t>(
        std::min<std::int64_t>(static_cast<std::int64_t>(kPiece), options_.count - given_));
    TRY(const auto entries, context_->outside.journal->next(options_.query, position_, wanted));
    for (const Entry& entry : entries) {
      if (given_++ > 0) text_ += ',';
      text_ += json::write(show(entry));
    }
    ended_ = entries.size() < wanted || given_ >= options_.count;
    if (ended_) text_ += ']';
    return {};
  }

  [[nodiscard]] json::Value show(const Entry& entry) const {
    const std::string& chat = options_.chat.empty() ? entry.chat : options_.chat;
    if (entry.what == What::call) return call_item(entry, chat);
    return message_item(*context_, entry, chat, options_.host);
  }

  std::shared_ptr<Context> context_;  ///< shared: the answer may be read when the Api has gone
  Options options_;
  journal::Position position_;
  std::string text_;
  std::size_t taken_ = 0;
  std::int64_t given_ = 0;
  bool ended_ = false;
};

void send_list(Context& context, Call call, JournalSource::Options options) {
  options.host = call.request.host;
  auto source = std::make_shared<JournalSource>(context.shared_from_this(), std::move(options));
  if (auto begun = source->begin(); !begun) return call.refuse(begun.error());
  call.reply.send(Response{.body = {}, .headers = {}, .stream = std::move(source)});
}

/// A number in the query, else in the body; absent, empty or no number: the usual one.
std::int64_t asked(const Call& call, const char* name, std::int64_t usual, std::int64_t most) {
  std::int64_t number = 0;
  const std::string_view text = call.request.query_value(name);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc()) {
    const auto in_body = json::int_of(json::at(call.body, name));
    if (!in_body) return usual;
    number = *in_body;
  }
  return std::clamp<std::int64_t>(number, 1, most);
}

/// The till's own number, in the query or in the body; empty: not asked for.
std::string asked_external(const Call& call) {
  const std::string text(call.request.query_value("externalId"));
  if (!text.empty()) return text;
  return json::text_of(json::at(call.body, "externalId")).value_or("");
}

void send_latest(Context& context, Call call, Direction direction, What what) {
  if (!has_journal(context, call)) return;
  JournalSource::Options options;
  options.query.direction = direction;
  options.query.what = what;
  options.query.not_chat = kStoryChat;
  options.query.external_id = asked_external(call);
  options.query.since = call.now - minutes(asked(call, "minutes", kUsualMinutes, kMostMinutes));
  send_list(context, std::move(call), std::move(options));
}

void send_stories(Context& context, Call call, Direction direction) {
  if (!has_journal(context, call)) return;
  JournalSource::Options options;
  options.query.chat = kStoryChat;
  options.query.direction = direction;
  options.query.since = call.now - minutes(asked(call, "minutes", kUsualMinutes, kMostMinutes));
  send_list(context, std::move(call), std::move(options));
}

Result<Entry> wanted_message(Context& context, const Call& call) {
  journal::Journal& journal = *context.outside.journal;
  if (const std::string external = asked_external(call); !external.empty()) {
    journal::Query query;
    query.external_id = external;
    journal::Position position;
    TRY(const auto found, journal.next(query, position, 1));
    if (found.empty()) return fail(Errc::malformed, "externalId not found");
    return found.front();
  }
  TRY(const std::string chat, required_chat_or_statuses(call.body));
  TRY(std::string id, required_text(call.body, "idMessage"));
  const std::string key = key_of(context, chat);
  TRY(const auto found, journal.find(key, id));
  if (found && found->what == What::message) return *found;
  TRY(const bool known, journal.knows(key));
  return fail(Errc::malformed, known ? "ID message notfound" : "chatId not found");
}

}  // namespace

void get_chat_history(Context& context, Call call) {
  if (!has_journal(context, call)) return;
  JournalSource::Options options;
  options.query.external_id = asked_external(call);
  const bool any_chat = !options.query.external_id.empty() &&
                        json::at(call.body, "chatId").isNull() &&
                        json::at(call.body, "phoneNumber").isNull();
  if (!any_chat) {
    const auto chat = required_chat_or_statuses(call.body);
    if (!chat) return call.refuse(chat.error());
    options.chat = *chat;
    options.query.chat = key_of(context, *chat);
  }
  const auto count = optional_int(call.body, "count");
  if (!count) return call.refuse(count.error());
  options.count = std::clamp<std::int64_t>(count->value_or(kUsualCount), 0, kMostCount);
  send_list(context, std::move(call), std::move(options));
}

void get_message(Context& context, Call call) {
  if (!has_journal(context, call)) return;
  const auto entry = wanted_message(context, call);
  if (!entry) return call.refuse(entry.error());
  const auto asked_chat = required_chat_or_statuses(call.body);
  call.send(
      message_item(context, *entry, asked_chat ? *asked_chat : entry->chat, call.request.host));
}

void last_incoming_messages(Context& context, Call call) {
  send_latest(context, std::move(call), Direction::incoming, What::message);
}

void last_outgoing_messages(Context& context, Call call) {
  send_latest(context, std::move(call), Direction::outgoing, What::message);
}

void last_incoming_calls(Context& context, Call call) {
  send_latest(context, std::move(call), Direction::incoming, What::call);
}

/// WhatsApp does not tell linked devices of calls that the phone makes, so none is in the journal.
void last_outgoing_calls(Context& context, Call call) {
  send_latest(context, std::move(call), Direction::outgoing, What::call);
}

void get_incoming_statuses(Context& context, Call call) {
  send_stories(context, std::move(call), Direction::incoming);
}

void get_outgoing_statuses(Context& context, Call call) {
  send_stories(context, std::move(call), Direction::outgoing);
}

}  // namespace posthorn::api
