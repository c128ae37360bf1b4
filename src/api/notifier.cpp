#include "posthorn/api/notifier.h"

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

bool looks_like_ours(const std::string& id) { return id.starts_with("3EB0") && id.size() == 22; }

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
  outside_.store(json::write(*notification), kind, std::move(stored));
}

void Notifier::on_event(const session::Event& event, Once<void(Result<void>)> stored) {
  if (const auto* changed = std::get_if<session::StateChanged>(&event)) {
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
  const auto& message = std::get<chat::Message>(event);
  if (const auto* other = std::get_if<content::Other>(&message.content.what)) {
    ++skipped_;
    log::debug("api", "message of a kind without a Green-API form", {{"type", other->type_name}});
  }
  emit(to_notification(event, outside_.settings.current(), outside_.instance()),
       NotificationKind::message, std::move(stored));
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
  emit(build_state_changed(value, settings, outside_.instance(), outside_.clock.now()),
       NotificationKind::state, [](Result<void> stored) {
         if (!stored) log::warn("api", "state notification lost", {{"error", stored.error()}});
       });
}

void Notifier::on_receipt(const chat::Receipt& receipt, Once<void(Result<void>)> stored) {
  StatusReport report{.id = receipt.message_id,
                      .chat = receipt.chat,
                      .status = receipt.kind == chat::Receipt::Kind::delivered
                                    ? MessageStatus::delivered
                                    : MessageStatus::read,
                      .description = {},
                      .at = receipt.timestamp,
                      .sent_by_api = sent_by_api(receipt.message_id)};
  if (!first_time(report.id, report.status)) return stored({});
  auto taken = [alive = alive_, this, id = report.id, status = report.status,
                stored = std::move(stored)](Result<void> result) mutable {
    // The server tells it again; then it must not pass for told.
    if (!result && *alive) know(id).statuses &= static_cast<std::uint8_t>(~bit_of(status));
    stored(std::move(result));
  };
  emit(build_message_status(report, outside_.settings.current(), outside_.instance()),
       NotificationKind::status, std::move(taken));
}

void Notifier::on_job(const Job& job, MessageStatus status, const std::string& description, Wall at,
                      Once<void(Result<void>)> stored) {
  if (!first_time(job.id, status)) return stored({});
  know(job.id).by_api = true;
  const Settings& settings = outside_.settings.current();
  const Instance instance = outside_.instance();
  auto [message_stored, status_stored] = join(std::move(stored));
  emit(
      status == MessageStatus::sent ? build_api_message(job, settings, instance, at) : std::nullopt,
      NotificationKind::message, std::move(message_stored));
  emit(build_message_status({job.id, job.chat, status, description, at, true}, settings, instance),
       NotificationKind::status, std::move(status_stored));
}

void Notifier::remember(std::string_view notification) {
  // Looked for as text first: most notifications are messages, and parsing all would cost the
  // start.
  if (notification.find("\"outgoingMessageStatus\"") == std::string_view::npos) return;
  const auto body = json::parse(notification);
  if (!body || json::string_at(*body, "typeWebhook") != "outgoingMessageStatus") return;
  const auto id = json::string_at(*body, "idMessage");
  const auto status = parse_message_status(json::string_at(*body, "status").value_or(""));
  if (!id || !status) return;
  Known& known = know(*id);
  known.statuses |= bit_of(*status);
  known.by_api = json::bool_at(*body, "sendByApi").value_or(known.by_api);
}

Notifier::Known& Notifier::know(const std::string& id) {
  const auto [found, added] = known_.try_emplace(id);
  if (!added) return found->second;
  found->second.by_api = looks_like_ours(id);
  order_.push_back(id);
  if (order_.size() > kRemembered) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return known_[id];
}

bool Notifier::first_time(const std::string& id, MessageStatus status) {
  Known& known = know(id);
  const bool first = (known.statuses & bit_of(status)) == 0;
  known.statuses |= bit_of(status);
  return first;
}

bool Notifier::sent_by_api(const std::string& id) const {
  const auto found = known_.find(id);
  return found == known_.end() ? looks_like_ours(id) : found->second.by_api;
}

}  // namespace posthorn::api
