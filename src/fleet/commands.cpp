#include "fleet/commands.h"

#include <algorithm>
#include <utility>

#include "fleet/command_table.h"
#include "posthorn/base/log.h"
#include "posthorn/base/utf8.h"

namespace posthorn::fleet {

namespace {

constexpr std::size_t kKeyAtMost = 64;
constexpr std::size_t kValuesAtMost = 2000;
constexpr int kTries = 15;
constexpr seconds kBetweenTries{2};
constexpr std::size_t kReplyTopicAtMost = 256;

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kKeyAtMost &&
         key.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string_view::npos;
}

std::string reply_text(const Command& command, std::string_view status, const Outcome& outcome) {
  json::Value out(::Json::objectValue);
  out["key"] = command.key;
  out["do"] = command.what;
  out["status"] = std::string(status);
  out["code"] = outcome.code;
  out["body"] = outcome.body;
  return json::write(out);
}

/// What is remembered of a reply for a week: its body, where that is short.
std::string kept_reply(const Command& command, const Outcome& outcome) {
  const std::string status(to_string(outcome.status));
  if (json::write(outcome.body).size() <= CommandJournal::kBodyAtMost) {
    return reply_text(command, status, outcome);
  }
  Outcome shorter = outcome;
  shorter.body = json::Value(::Json::objectValue);
  shorter.body["note"] = "the first answer was too long to be kept";
  return reply_text(command, status, shorter);
}

/// Where the reply goes: MQTT 5's response topic when there is one that can be published to.
std::string reply_topic(const Topics& topics, const Incoming& message, const std::string& id) {
  const std::string& wanted = message.response_topic;
  const bool good = !wanted.empty() && wanted.size() <= kReplyTopicAtMost &&
                    wanted.find_first_of(std::string_view("+#\0", 3)) == std::string::npos;
  return good ? wanted : topics.at("reply/" + topic_level(id));
}

}  // namespace

std::string_view to_string(Outcome::Status status) {
  switch (status) {
    case Outcome::Status::done:
      return "done";
    case Outcome::Status::refused:
      return "refused";
    case Outcome::Status::expired:
      return "expired";
    case Outcome::Status::failed:
      return "failed";
  }
  return "failed";
}

Outcome refused(int code, const std::string& why) {
  Outcome out{Outcome::Status::refused, code, json::Value(::Json::objectValue)};
  out.body["message"] = why;
  return out;
}

Result<Command> parse_command(std::string_view payload) {
  if (payload.size() > Commands::kPayloadAtMost) {
    return fail(Errc::malformed, "a command has at most 64 KiB");
  }
  auto value = json::parse(payload, kValuesAtMost);
  if (!value) return fail(value.error(), "no JSON");
  if (!value->isObject()) return fail(Errc::malformed, "a command is a JSON object");
  Command out;
  out.key = json::string_at(*value, "key").value_or("");
  if (!is_key(out.key)) {
    return fail(Errc::malformed,
                "\"key\": 1 to 64 of letters, digits, - _ . and new for each "
                "command, the same when it is repeated");
  }
  out.what = json::string_at(*value, "do").value_or("");
  if (out.what.empty() || out.what.size() > 40) {
    return fail(Errc::malformed, "\"do\": the name of a command");
  }
  const json::Value& args = json::at(*value, "args");
  if (!args.isNull() && !args.isObject()) return fail(Errc::malformed, "\"args\": a JSON object");
  if (args.isObject()) out.args = args;
  const json::Value& exp = json::at(*value, "exp");
  out.exp = json::int_of(exp);
  if (!exp.isNull() && !out.exp) return fail(Errc::malformed, "\"exp\": seconds since 1970");
  out.by = cut_utf8(json::string_at(*value, "by").value_or(""), 100);
  return out;
}

void Commands::start() {
  for (const auto& entry : outside_.journal.open()) {
    if (!entry.reply.empty()) continue;  // on_connected() tells it
    auto command = parse_command(entry.command);
    if (!command) {
      (void)outside_.journal.remove(entry.key);
      continue;
    }
    const auto correlation = base64_decode(entry.correlation);
    waiting_.push_back({std::move(*command), entry.command, entry.reply_to,
                        correlation ? posthorn::to_string(ByteView(*correlation)) : std::string(),
                        true});
  }
  outside_.scheduler.post(alive_.bind([this] { next(); }));
}

void Commands::on_message(const Incoming& message) {
  const std::string prefix = outside_.topics.at("cmd/");
  if (!message.topic.starts_with(prefix)) return;
  if (message.retained && message.payload.empty()) return;
  const std::string id = message.topic.substr(prefix.size());
  Work work;
  work.reply_to = reply_topic(outside_.topics, message, id);
  work.correlation = message.correlation.substr(0, 256);
  work.payload = message.payload;
  auto command = parse_command(message.payload);
  if (message.retained) {
    // It would run again with every connection. Whoever published it gets to know, once each time.
    ++ignored_;
    if (command) work.command.key = command->key;
    return refuse_now(work, refused(400,
                                    "a retained command is not run: publish it without retain, "
                                    "and clear this topic with an empty retained message"));
  }
  if (!command) {
    ++ignored_;
    return refuse_now(work, refused(400, command.error().detail));
  }
  work.command = std::move(*command);
  if (waiting_.size() >= kWaitingAtMost) {
    return refuse_now(work, refused(429, "20 commands wait already"));
  }
  waiting_.push_back(std::move(work));
  next();
}

void Commands::refuse_now(const Work& work, const Outcome& outcome) {
  publish_reply(work.command.key, work.reply_to, work.correlation,
                reply_text(work.command, to_string(outcome.status), outcome), false);
}

void Commands::next() {
  if (current_ || waiting_.empty()) return;
  Work work = std::move(waiting_.front());
  waiting_.pop_front();
  begin(std::move(work));
}

/// What stands against it, before anything is done.
std::optional<Outcome> Commands::objection(const Work& work) const {
  const Command& command = work.command;
  const BoxCommand* kind = find_box_command(command.what);
  const auto here = outside_.here.find(command.what);
  if (kind == nullptr && here == outside_.here.end()) {
    return refused(404, "there is no command \"" + command.what + "\"");
  }
  const auto& allow = outside_.settings.allow;
  if (kind != nullptr && kind->opt_in &&
      std::find(allow.begin(), allow.end(), command.what) == allow.end()) {
    return refused(403,
                   command.what + ": needs hands at the box, or commands.allow in its fleet.toml");
  }
  const bool care = kind != nullptr ? kind->right == BoxRight::care : here->second.care;
  if (care && !outside_.box.has_care()) {
    return refused(403,
                   command.what + ": needs care = true in [commands] of /etc/posthorn/fleet.toml");
  }
  if (!command.exp || work.resumed) return std::nullopt;
  const auto now = outside_.view.now();
  if (!now)
    return refused(409,
                   "clock: the box does not know the time, and cannot tell whether "
                   "the command is too old");
  if (*command.exp < now->unix_seconds()) {
    return Outcome{Outcome::Status::expired, 410, json::Value()};
  }
  return std::nullopt;
}

void Commands::begin(Work work) {
  current_ = std::move(work);
  const Command& command = current_->command;
  const CommandJournal::Entry* known = outside_.journal.find(command.key);
  if (known != nullptr && !known->reply.empty()) {
    auto first = json::parse(known->reply);
    Outcome outcome;
    if (first) {
      outcome.code = static_cast<int>(json::int_at(*first, "code").value_or(200));
      outcome.body = json::at(*first, "body");
    }
    Command as = command;
    as.what = known->what;
    publish_reply(command.key, current_->reply_to, current_->correlation,
                  reply_text(as, "repeated", outcome), false);
    current_.reset();
    return next();
  }
  if (auto against = objection(*current_)) {
    refuse_now(*current_, *against);
    if (known != nullptr) (void)outside_.journal.remove(command.key);
    current_.reset();
    return next();
  }
  const auto now = outside_.view.now();
  CommandJournal::Entry entry;
  entry.key = command.key;
  entry.what = command.what;
  entry.command = current_->payload;
  entry.reply_to = current_->reply_to;
  entry.correlation = base64_encode(as_bytes(current_->correlation));
  entry.at = now ? now->unix_seconds() : 0;
  if (auto kept = outside_.journal.put(std::move(entry), now); !kept) {
    refuse_now(*current_, refused(507, kept.error().detail));
    current_.reset();
    return next();
  }
  execute();
}

void Commands::execute() {
  const Command& command = current_->command;
  log::info("fleet", "a command", {{"do", command.what}, {"key", command.key}});
  if (const auto here = outside_.here.find(command.what); here != outside_.here.end()) {
    return here->second.handler(command, [self = alive_.weak()](Outcome outcome) {
      if (auto* me = self.get()) me->finish(std::move(outcome));
    });
  }
  if (command.what == "reboot" && current_->resumed) {
    Outcome outcome;
    outcome.body["note"] = "the box has started since";
    return finish(std::move(outcome));
  }
  auto request = request_of(*find_box_command(command.what), command);
  if (!request) {
    return finish(
        refused(request.error().code == Errc::refused ? 403 : 400, request.error().detail));
  }
  ask_box(*request, 1);
}

void Commands::ask_box(const BoxRequest& request, int tries) {
  outside_.box.call(request,
                    [self = alive_.weak(), request, tries](Result<BoxAnswer> answer) mutable {
                      if (auto* me = self.get()) me->on_box(request, tries, std::move(answer));
                    });
}

/// A daemon that is away, or asks for patience, is asked again: a send carries its key, so it has
/// one effect however often it is asked for.
void Commands::on_box(const BoxRequest& request, int tries, Result<BoxAnswer> answer) {
  const bool busy = !answer || answer->status == 429 || answer->status == 503;
  if (busy && tries < kTries) {
    retry_.start(kBetweenTries, [this, request, tries] { ask_box(request, tries + 1); });
    return;
  }
  if (!answer) {
    Outcome outcome{Outcome::Status::failed, 0, json::Value(::Json::objectValue)};
    outcome.body["message"] = answer.error().detail + "; repeat it with the same key";
    return finish(std::move(outcome));
  }
  const Command& command = current_->command;
  Outcome outcome = outcome_of(command, *answer);
  const auto token = json::string_at(outcome.body, "apiTokenInstance");
  if (command.what == "rotateToken" && answer->status == 200 && token) {
    outside_.box.use_token(*token);
  }
  finish(std::move(outcome));
}

void Commands::finish(Outcome outcome) {
  if (!current_) return;
  const Command& command = current_->command;
  const std::string reply = reply_text(command, to_string(outcome.status), outcome);
  ++done_;
  const auto now = outside_.view.now();
  last_ = {command.what, std::string(to_string(outcome.status)), now ? now->unix_seconds() : 0};
  const bool keep = outcome.status != Outcome::Status::failed;
  if (!keep) (void)outside_.journal.remove(command.key);
  if (const auto* known = outside_.journal.find(command.key); keep && known != nullptr) {
    CommandJournal::Entry entry = *known;
    entry.reply = kept_reply(command, outcome);
    entry.command.clear();
    if (auto kept = outside_.journal.put(std::move(entry), std::nullopt); !kept) {
      log::error("fleet", "how a command ended cannot be kept", {{"error", kept.error()}});
    }
  }
  publish_reply(command.key, current_->reply_to, current_->correlation, reply, keep);
  current_.reset();
  outside_.scheduler.post(alive_.bind([this] { next(); }));
}

void Commands::publish_reply(const std::string& key, const std::string& topic,
                             const std::string& correlation, const std::string& reply, bool kept) {
  Publication publication;
  publication.topic = topic;
  publication.payload = reply;
  publication.correlation = correlation;
  Outlet::Done done;
  if (kept) {
    done = [this, key](Outlet::Fate fate) {
      const auto* entry = outside_.journal.find(key);
      if (fate == Outlet::Fate::lost || entry == nullptr || entry->reply.empty()) return;
      CommandJournal::Entry told = *entry;
      told.replied = true;
      (void)outside_.journal.put(std::move(told), std::nullopt);
    };
  }
  outside_.outlet.publish(publication, std::move(done));
}

void Commands::on_connected() {
  for (const auto& entry : outside_.journal.open()) {
    if (entry.reply.empty()) continue;
    const auto correlation = base64_decode(entry.correlation);
    publish_reply(entry.key, entry.reply_to,
                  correlation ? posthorn::to_string(ByteView(*correlation)) : std::string(),
                  entry.reply, true);
  }
}

}  // namespace posthorn::fleet
