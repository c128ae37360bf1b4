#include "api/accept.h"

#include "api/errors.h"
#include "api/fields.h"
#include "api/sending/kinds.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/api/job_life.h"
#include "posthorn/api/send_fields.h"
#include "posthorn/base/user_id.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kKeyMax = 255;
constexpr std::size_t kPostedMax = 4096;
constexpr unsigned kMentionsMax = 1024;
constexpr std::size_t kExternalMost = 128;
constexpr std::int64_t kShortestTyping = 1000;  // milliseconds
constexpr int kOtherBodyStatus = 422;
constexpr int kNoBudget = 466;
constexpr hours kQuotaTold{1};
constexpr const char* kOtherBody =
    "This Idempotency-Key was used for another message within the last 24 hours; nothing was sent. "
    "Use a new key for each message, and the same key only to repeat the same request";

/// What every method that sends takes beside its own fields, documented or once documented, and
/// the box's own.
constexpr std::string_view kCommon[] = {
    "chatId",   "phoneNumber", "quotedMessageId", "typingTime", "typingType", "archiveChat",
    "mentions", "urgent",      "consent",         "expiresIn",  "externalId", "transport"};

Result<void> check_fields(const json::Value& body, std::initializer_list<std::string_view> own) {
  std::vector<std::string_view> known(std::begin(kCommon), std::end(kCommon));
  known.insert(known.end(), own.begin(), own.end());
  return check_known(body, known);
}

Result<std::optional<Quote>> parse_quoted(const json::Value& body) {
  TRY(auto quoted, optional_text(body, "quotedMessageId"));
  if (!quoted || quoted->empty()) return std::optional<Quote>();
  Quote quote;
  TRY(quote.id, check_message_id(std::move(*quoted)));
  return std::optional(std::move(quote));
}

/// The till's own number of the message: of an order, for example.
Result<std::string> parse_external(const json::Value& body) {
  TRY(auto id, optional_text(body, "externalId"));
  if (id && id->size() > kExternalMost) return invalid("externalId", "must be at most 128 bytes");
  return id.value_or("");
}

/// typingTime, or the account's autoTyping without it. 0 is nobody's typing, as in older clients.
Result<milliseconds> parse_typing(const json::Value& body, const Settings& settings) {
  TRY(const auto asked, optional_int(body, "typingTime"));
  if (!asked) return milliseconds(seconds(settings.auto_typing));
  if (*asked == 0) return milliseconds(0);
  TRY(number_between(body, "typingTime", kShortestTyping, kLongestTyping.count()));
  return milliseconds(*asked);
}

/// People whom the text names; each is somebody's chatId.
Result<std::vector<std::string>> parse_mentions(const json::Value& body) {
  std::vector<std::string> mentions;
  const json::Value& list = json::at(body, "mentions");
  if (list.isNull()) return mentions;
  if (!list.isArray()) return invalid("mentions", "must be an array");
  if (list.size() > kMentionsMax) return invalid("mentions", "must have at most 1024 items");
  for (const json::Value& item : list) {
    TRY(std::string chat, parse_chat_id(json::text_of(item).value_or("")));
    if (is_group_chat(chat)) return invalid("mentions", "must name people, not groups");
    if (!user_id_in(chat).empty()) {
      return invalid("mentions", "must name people by number or LID: WhatsApp knows no user ids");
    }
    mentions.push_back(std::move(chat));
  }
  return mentions;
}

/// For showMessagesQueue: what the job itself does not say. Fields that this box does not know may
/// be of any size.
std::string posted_form(json::Value body, const Job& job) {
  if (json::Value shown = request_of(job); shown["body"] == body) return "";
  body.removeMember("message");
  std::string text = json::write(body);
  return text.size() <= kPostedMax ? text : "";
}

/// What a method answers when its job is on disk.
struct Answered {
  const char* method;
  std::optional<json::Value> beside;
  ShowId show_id;
};

void answer_id(Context& context, Call& call, Answered answered,
               const Result<Idempotency::Answer>& made) {
  if (!made && made.error().code == Errc::full) {
    return refuse_full(context, call, answered.method);
  }
  if (!made && made.error().code == Errc::busy) return call.refuse(kNoBudget, made.error().detail);
  if (!made) return call.refuse(made.error());
  if (made->other_body) return refuse_other_body(call);
  if (!answered.beside) return call.send_text("");
  if (answered.show_id == ShowId::yes) (*answered.beside)["idMessage"] = made->id;
  call.send(*answered.beside);
}

/// Statuses have a budget of their own; taking one back is free. Returns how to give it back.
Result<std::function<void()>> charge(Context& context, const Job& job) {
  const bool post =
      job.chat == kStoryChat && !std::holds_alternative<content::Deletion>(job.content.what);
  if (!post || !context.outside.charge_status) return std::function<void()>([] {});
  auto charged = context.outside.charge_status();
  if (!charged) return fail(Errc::busy, charged.error().detail);
  return charged;
}

/// done gets the id of the message that will go out for it.
void accept(Context& context, Job job, Once<void(Result<Idempotency::Made>)> done) {
  const Official official = context.outside.has_official ? Official::set_up : Official::absent;
  if (auto way = check_way(job.chat, job.transport, official); !way)
    return done(tl::unexpected(way.error()));
  auto charged = charge(context, job);
  if (!charged) return done(tl::unexpected(charged.error()));
  const Wall expires_at = job.expires_at;
  const std::string own_id = job.id;
  context.outside.outbox.accept(std::move(job),
                                [expires_at, own_id, give_back = std::move(*charged),
                                 done = std::move(done)](Result<std::string> id) mutable {
                                  // Not queued, or the same as one that was posted a moment ago.
                                  if (!id || *id != own_id) give_back();
                                  if (!id) return done(tl::unexpected(id.error()));
                                  done(Idempotency::Made{std::move(*id), expires_at});
                                });
}

}  // namespace

Result<Typing> parse_typing_type(const json::Value& body) {
  TRY(const auto type, optional_text(body, "typingType"));
  if (!type || type->empty() || *type == "typing") return Typing::text;
  if (*type == "recording") return Typing::recording;
  return invalid("typingType", "must be one of [typing, recording]");
}

Result<Job> parse_job(const json::Value& body, const Settings& settings,
                      std::initializer_list<std::string_view> own_fields,
                      Result<Content::What> what) {
  if (settings.strict_validation) TRY(check_fields(body, own_fields));
  Job job;
  TRY(SendFields way, parse_send_fields(body));
  job.chat = std::move(way.chat);
  TRY(job.content.what, std::move(what));
  TRY(job.content.quote, parse_quoted(body));
  TRY(job.content.mentions, parse_mentions(body));
  job.urgent = way.urgent;
  TRY(job.typing, parse_typing(body, settings));
  TRY(job.typing_type, parse_typing_type(body));
  job.consent = std::move(way.consent);
  TRY(job.external_id, parse_external(body));
  job.transport = std::move(way.transport);
  return job;
}

json::Value request_of(const Job& job) {
  json::Value item(::Json::objectValue);
  item["body"]["chatId"] = job.chat;
  std::visit([&](const auto& kind) { show_request(kind, item); }, job.content.what);
  if (job.content.quote) item["body"]["quotedMessageId"] = job.content.quote->id;
  for (const std::string& chat : job.content.mentions) item["body"]["mentions"].append(chat);
  if (!job.method.empty()) item["type"] = job.method;
  return item;
}

void complete_job(Context& context, Job& job, const Call& call, std::optional<hours> life) {
  job.id = make_message_id(context.outside.random, call.now, context.outside.link.account().phone);
  job.accepted_at = call.now;
  job.expires_at = call.now + life.value_or(context.options.job_life);
  job.idempotency_key = call.request.idempotency_key;
  job.posted = posted_form(call.body, job);
}

Result<void> check_key(const std::string& key) {
  if (key.size() > kKeyMax) return invalid("Idempotency-Key", "must be at most 255 symbols");
  return {};
}

void refuse_full(Context& context, Call& call, const char* method) {
  const std::size_t queued = context.outside.outbox.count();
  const Mono now = context.outside.scheduler.now();
  const bool due = !context.quota_told || now - *context.quota_told >= kQuotaTold;
  if (context.settings().quota_webhook && due) {
    context.quota_told = now;
    context.tell(
        build_quota_exceeded(method, queued, context.settings(), context.instance(), call.now));
  }
  call.reply.send(quota_response(method, queued));
}

void refuse_other_body(Call& call) { call.refuse(kOtherBodyStatus, kOtherBody); }

void queue_once(Context& context, Job job, Once<void(Result<Idempotency::Answer>)> done) {
  if (job.idempotency_key.empty()) {
    return accept(context, std::move(job),
                  [shared = context.shared_from_this(),
                   done = std::move(done)](Result<Idempotency::Made> made) mutable {
                    if (!made) return done(tl::unexpected(made.error()));
                    done(Idempotency::Answer{std::move(made->id)});
                  });
  }
  const std::string key = job.idempotency_key;
  const std::string digest = job.body_digest;
  // By reference: the keys belong to the context and answer everybody before they go with it.
  context.idempotency.once(
      key, digest,
      [&context, job = std::move(job)](Once<void(Result<Idempotency::Made>)> made) mutable {
        accept(context, std::move(job), std::move(made));
      },
      std::move(done));
}

bool answer_repeat(Context& context, Call& call, const char* method) {
  const std::string& key = call.request.idempotency_key;
  if (key.empty()) return false;
  const auto known = context.idempotency.known(key, Idempotency::digest_of(method, call.body));
  if (!known) return false;
  answer_id(context, call, {method, json::Value(::Json::objectValue), ShowId::yes}, *known);
  return true;
}

void queue_job(Context& context, Call call, const char* method, Result<Job> parsed,
               std::optional<json::Value> beside, ShowId show_id) {
  if (!parsed) return call.refuse(parsed.error());
  const auto life = parse_job_life(call.body);
  if (!life) return call.refuse(life.error());
  Job job = std::move(*parsed);
  const std::string& key = call.request.idempotency_key;
  if (auto good = check_key(key); !good) return call.refuse(good.error());
  if (!key.empty()) job.body_digest = Idempotency::digest_of(method, call.body);
  complete_job(context, job, call, *life);
  queue_once(context, std::move(job),
             [&context, answered = Answered{method, std::move(beside), show_id},
              call = std::move(call)](const Result<Idempotency::Answer>& made) mutable {
               answer_id(context, call, std::move(answered), made);
             });
}

}  // namespace posthorn::api
