#include "posthorn/api/notifier.h"

#include <utility>

#include "api/notification/kinds.h"
#include "api/record.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

constexpr const char* kBlob = "instance-state";

/// Two answers become one: done runs after both, with the first error.
std::pair<Once<void(Result<void>)>, Once<void(Result<void>)>> join(Once<void(Result<void>)> done) {
  struct Both {
    Once<void(Result<void>)> done;
    Result<void> result;
    int left = 2;
  };
  auto both = std::make_shared<Both>();  // shared: by the two answers
  both->done = std::move(done);
  const auto half = [both](Result<void> result) {
    if (!result && both->result) both->result = std::move(result);
    if (--both->left == 0) both->done(std::move(both->result));
  };
  return {half, half};
}

std::uint8_t bit_of(MessageStatus status) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(status));
}

/// The statuses after which this one is no news any more: a message that was read was sent, and one
/// that arrived did not fail.
std::uint8_t said_by(MessageStatus status) {
  const auto read = bit_of(MessageStatus::read);
  const auto delivered = static_cast<std::uint8_t>(read | bit_of(MessageStatus::delivered));
  const auto sent = static_cast<std::uint8_t>(delivered | bit_of(MessageStatus::sent));
  switch (status) {
    case MessageStatus::read:
      return read;
    case MessageStatus::delivered:
      return delivered;
    case MessageStatus::sent:
      return sent;
    case MessageStatus::failed:
    case MessageStatus::no_account:
    case MessageStatus::not_in_group:
    case MessageStatus::yellow_card:
      break;
  }
  return static_cast<std::uint8_t>(sent | bit_of(status));
}

/// Whose room in the inbox a notification takes.
std::string chat_of(const json::Value& notification) {
  const auto chat = json::string_at(notification, "chatId");
  if (chat) return *chat;
  if (const auto caller = json::string_at(notification, "from")) return *caller;
  return json::string_at(json::at(notification, "senderData"), "chatId").value_or("");
}

}  // namespace

Notifier::Notifier(Outside outside)
    : outside_(std::move(outside)),
      state_(
          outside_.scheduler, [this] { return !outside_.instance().wid.empty(); },
          [this](InstanceState::Value value) { on_state(value); }),
      history_(outside_.blobs) {
  const auto blob = outside_.blobs.load(kBlob);
  if (blob && *blob) told_ = as_text(**blob);
}

void Notifier::emit(const std::optional<json::Value>& notification, NotificationKind kind,
                    Once<void(Result<void>)> stored) {
  if (!notification) return stored({});
  outside_.store({to_record(*notification, outside_.limit_bytes), kind, chat_of(*notification)},
                 std::move(stored));
}

void Notifier::on_event(const session::Event& event, Once<void(Result<void>)> stored) {
  if (const auto* changed = std::get_if<session::StateChanged>(&event)) {
    if (changed->cause == session::kReboot) state_.on_reboot();
    state_.on_session(changed->state);
    return stored({});
  }
  emit(to_notification(event, outside_.settings.current(), outside_.instance(),
                       outside_.clock.now()),
       NotificationKind::state, std::move(stored));
}

void Notifier::on_event(const chat::Event& event, Once<void(Result<void>)> stored) {
  if (const auto* receipt = std::get_if<chat::Receipt>(&event)) {
    return on_receipt(*receipt, std::move(stored));
  }
  const auto* message = std::get_if<chat::Message>(&event);
  const auto* other =
      message != nullptr ? std::get_if<content::Other>(&message->content.what) : nullptr;
  if (other != nullptr) {
    ++skipped_;
    log::debug("api", "message of a kind that is not known here", {{"type", other->type_name}});
  }
  auto notification = to_notification(event, outside_.settings.current(), outside_.instance());
  if (notification && message != nullptr) name_people(*notification, !message->from_me);
  if (notification && message != nullptr && message->content.quote) {
    const std::string external = external_id_of(message->chat, message->content.quote->id);
    json::Value& data = (*notification)["messageData"];
    if (!external.empty() && data.isMember("quotedMessage")) {
      data["quotedMessage"]["externalId"] = external;
    }
  }
  emit(notification, NotificationKind::message, std::move(stored));
}

/// What the owner's address book calls whom a message is from; and the chat, when the message did
/// not bring its name.
void Notifier::name_people(json::Value& notification, bool incoming) const {
  json::Value& people = notification["senderData"];
  const std::string sender = json::string_at(people, "sender").value_or("");
  if (incoming && outside_.contact_name_of) {
    people["senderContactName"] = shown_text(outside_.contact_name_of(sender));
  }
  if (!outside_.chat_name_of || !json::string_at(people, "chatName").value_or("").empty()) return;
  const std::string chat = json::string_at(people, "chatId").value_or("");
  people["chatName"] = shown_text(outside_.chat_name_of(chat));
}

std::string Notifier::external_id_of(const std::string& chat, const std::string& id) const {
  return outside_.external_id_of ? outside_.external_id_of(chat, id) : "";
}

void Notifier::on_state(InstanceState::Value value) {
  const Settings& settings = outside_.settings.current();
  const std::string name(to_string(value, settings));
  // After a restart "starting" comes first; only a state that differs from the last told is news.
  const bool settled = value != InstanceState::Value::starting;
  if (!settled && !settled_) return;
  settled_ = true;
  if (settled) {
    const std::string wid = outside_.instance().wid;
    history_.add({name, outside_.clock.now(), wid.substr(0, wid.find('@'))});
  }
  if (name == told_) return;
  told_ = name;
  if (const auto saved = outside_.blobs.save(kBlob, as_bytes(name)); !saved) {
    log::warn("api", "instance state not kept", {{"error", saved.error()}});
  }
  if (auto changed =
          build_state_changed(value, settings, outside_.instance(), outside_.clock.now())) {
    tell(*changed);
  }
}

void Notifier::tell(const json::Value& notification) {
  emit(notification, NotificationKind::state, [](Result<void> stored) {
    if (!stored) log::warn("api", "a notification is lost", {{"error", stored.error()}});
  });
}

/// A receipt that overtook the server's ack says that the message was sent, too.
void Notifier::on_receipt(const chat::Receipt& receipt, Once<void(Result<void>)> stored) {
  StatusReport report{.id = receipt.message_id,
                      .chat = receipt.chat,
                      .status = receipt.kind == chat::Receipt::Kind::delivered
                                    ? MessageStatus::delivered
                                    : MessageStatus::read,
                      .description = {},
                      .at = receipt.timestamp,
                      .sent_by_api = receipt.by_api};
  if (receipt.before_ack) {
    StatusReport sent = report;
    sent.status = MessageStatus::sent;
    auto [sent_stored, report_stored] = join(std::move(stored));
    emit_status(sent, std::move(sent_stored));
    return emit_status(report, std::move(report_stored));
  }
  emit_status(report, std::move(stored));
}

void Notifier::on_late_failure(const StatusReport& report, Once<void(Result<void>)> stored) {
  emit_status(report, std::move(stored), true);
}

void Notifier::emit_status(const StatusReport& report, Once<void(Result<void>)> stored, bool late) {
  const std::uint8_t before = known_.at(report.id).statuses;
  if (!is_news(report.id, report.status, late)) return stored({});
  const auto added = static_cast<std::uint8_t>(known_.at(report.id).statuses & ~before);
  auto taken = [alive = alive_, this, id = report.id, status = report.status, before, added,
                by_till = report.sent_by_api,
                stored = std::move(stored)](Result<void> result) mutable {
    // It is told again, by the server or by the queue; then it must not pass for told.
    if (!result && *alive) known_.at(id).statuses &= static_cast<std::uint8_t>(~added);
    if (result && *alive && by_till) count(status, before);
    stored(std::move(result));
  };
  StatusReport numbered = report;
  if (numbered.external_id.empty()) {
    numbered.external_id = external_id_of(report.chat, report.id);
  }
  emit(build_message_status(numbered, outside_.settings.current(), outside_.instance()),
       NotificationKind::status, std::move(taken));
}

void Notifier::count(MessageStatus status, std::uint8_t before) const {
  if (!outside_.on_status) return;
  const bool unseen = (before & bit_of(MessageStatus::delivered)) == 0;
  if (status == MessageStatus::read && unseen) outside_.on_status(MessageStatus::delivered);
  outside_.on_status(status);
}

void Notifier::on_job(const Job& job, MessageStatus status, const std::string& description, Wall at,
                      Once<void(Result<void>)> stored) {
  if (at.unix_seconds() <= 0) at = outside_.clock.now();
  auto [message_stored, status_stored] = join(std::move(stored));
  std::optional<json::Value> message;
  if (status == MessageStatus::sent && !std::exchange(known_.at(job.id).shown, true)) {
    message = build_api_message(with_quote(job, outside_.quote_of), outside_.settings.current(),
                                outside_.instance(), at);
    if (message) name_people(*message, false);
  }
  auto shown = [alive = alive_, this, id = job.id,
                stored = std::move(message_stored)](Result<void> result) mutable {
    if (!result && *alive) known_.at(id).shown = false;
    stored(std::move(result));
  };
  emit(message, NotificationKind::message, std::move(shown));
  emit_status({job.id, job.chat, status, description, at, true, job.external_id},
              std::move(status_stored));
}

void Notifier::remember(std::string_view notification) {
  // As text: parsing thousands of them would cost the start.
  const std::string_view type = json::peek(notification, "typeWebhook");
  const std::string id(json::peek(notification, "idMessage"));
  if (id.empty()) return;
  if (type == "outgoingAPIMessageReceived") known_.at(id).shown = true;
  if (type != "outgoingMessageStatus") return;
  const auto told = parse_message_status(json::peek(notification, "status"));
  if (told) known_.at(id).statuses |= bit_of(*told);
}

bool Notifier::is_news(const std::string& id, MessageStatus status, bool late) {
  Known& known = known_.at(id);
  // What fails after it was taken was sent, whoever has been told of it.
  const std::uint8_t implied = late ? bit_of(MessageStatus::sent) : std::uint8_t{0};
  if ((known.statuses & said_by(status) & ~implied) != 0) return false;
  known.statuses |= static_cast<std::uint8_t>(bit_of(status) | implied);
  return true;
}

}  // namespace posthorn::api
