#include "api/accept.h"
#include "api/errors.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/log.h"

// forwardMessages: one job for each message, in the order of the list.
namespace posthorn::api {
namespace {

constexpr unsigned kMost = 100;
constexpr const char* kMethod = "ForwardMessages";  // as showMessagesQueue names it

Result<std::string> parse_source(const json::Value& body) {
  TRY(const std::string text, required_text(body, "chatIdFrom"));
  auto chat = parse_chat_id(text);
  if (!chat)
    return invalid("chatIdFrom",
                   "must be one of the next formats: 'phone_number@c.us' or "
                   "'group_id@g.us'");
  return chat;
}

Result<std::vector<std::string>> parse_ids(const json::Value& body) {
  const json::Value& list = json::at(body, "messages");
  if (list.isNull()) return invalid("messages", "is required");
  if (!list.isArray()) return invalid("messages", "must be an array");
  if (list.empty() || list.size() > kMost) {
    return invalid("messages", "must contain 1 to 100 items");
  }
  std::vector<std::string> ids;
  for (const json::Value& item : list) {
    TRY(std::string id, check_message_id(json::text_of(item).value_or("")));
    ids.push_back(std::move(id));
  }
  return ids;
}

/// What is sent for an earlier message. Errors: malformed, in words for the till.
Result<Content> passed_on(Context& context, const std::string& chat, const std::string& id) {
  TRY(auto earlier, context.outside.earlier.find(chat, id));
  if (earlier && earlier->official) {
    return invalid("messages", "names " + id +
                                   ", which went by the official number: of those the box keeps no "
                                   "copy to pass on");
  }
  if (!earlier || !earlier->content) {
    return invalid("messages", "names " + id +
                                   ", which the box does not remember: it keeps what it sent for a "
                                   "day and the newest 2000 of what came in");
  }
  Content content = std::move(*earlier->content);
  if (!is_kept(content)) {
    return invalid("messages", "names " + id + ", which is of a kind that cannot be passed on");
  }
  // The shop's own words are no less its own for being said again.
  content.forwarded = content.forwarded || !earlier->from_me;
  if (content.forwarded) ++content.forwarding_score;
  return content;
}

struct Forwards {
  std::vector<Job> jobs;
  std::size_t accepted = 0;  ///< of jobs, from the beginning
  std::vector<bool> made;    ///< by this call; the others were before it
  json::Value answer{::Json::objectValue};
};

/// Each job has a key of its own, so that a repeat finds those that were accepted the first time. A
/// line break cannot stand in a key that was posted.
std::string key_of(const std::string& posted, std::size_t at) {
  return posted.empty() ? "" : posted + "\n" + std::to_string(at);
}

Result<Forwards> parse_forwards(Context& context, const Call& call) {
  TRY(const std::string source, parse_source(call.body));
  TRY(const auto ids, parse_ids(call.body));
  const std::string& key = call.request.idempotency_key;
  TRY(check_key(key));
  const std::string digest = key.empty() ? "" : Idempotency::digest_of(kMethod, call.body);
  Forwards all;
  for (const std::string& id : ids) {
    TRY(Content content, passed_on(context, source, id));
    TRY(Job job, parse_job(call.body, context.settings(), {"chatIdFrom", "messages"},
                           Result<Content::What>(std::move(content.what))));
    content.what = std::move(job.content.what);
    job.content = std::move(content);
    job.method = kMethod;
    complete_job(context, job, call, std::nullopt);
    json::Value one;
    one["chatId"] = job.chat;
    one["chatIdFrom"] = source;
    one["messages"].append(id);
    job.posted = json::write(one);
    job.idempotency_key = key_of(key, all.jobs.size());
    job.body_digest = digest;
    all.jobs.push_back(std::move(job));
  }
  return all;
}

void refuse_all(Context& context, Call& call, const Error& error) {
  if (error.code == Errc::full) return refuse_full(context, call, "forwardMessages");
  call.refuse(error);
}

/// Without a key a repeat would send again what was accepted, so it is taken out of the queue, the
/// newest first; what is just being sent stays.
void take_back(std::shared_ptr<Context> context, Forwards all, Call call, Error error) {
  while (all.accepted > 0 && !all.made[all.accepted - 1]) --all.accepted;
  if (all.accepted == 0) return refuse_all(*context, call, error);
  const Job& job = all.jobs[--all.accepted];
  OutboxPort& outbox = context->outside.outbox;
  const std::string id = job.id;
  const std::string chat = job.chat;
  outbox.drop(id, chat,
              [context = std::move(context), all = std::move(all), call = std::move(call),
               error = std::move(error)](const Result<bool>& dropped) mutable {
                if (!dropped)
                  log::warn("api", "a forward stays queued", {{"error", dropped.error()}});
                take_back(std::move(context), std::move(all), std::move(call), std::move(error));
              });
}

/// One after the other, so that they are sent in their order.
void accept_next(Context& context, Forwards all, Call call) {
  if (all.accepted == all.jobs.size()) return call.send(all.answer);
  Job job = all.jobs[all.accepted];
  queue_once(context, std::move(job),
             [&context, all = std::move(all),
              call = std::move(call)](Result<Idempotency::Answer> made) mutable {
               if (!made && !call.request.idempotency_key.empty()) {
                 return refuse_all(context, call, made.error());
               }
               if (!made) {
                 return take_back(context.shared_from_this(), std::move(all), std::move(call),
                                  made.error());
               }
               if (made->other_body) return refuse_other_body(call);
               all.made.push_back(made->id == all.jobs[all.accepted].id);
               ++all.accepted;
               all.answer["messages"].append(std::move(made->id));
               accept_next(context, std::move(all), std::move(call));
             });
}

}  // namespace

void forward_messages(Context& context, Call call) {
  auto all = parse_forwards(context, call);
  if (!all) return call.refuse(all.error());
  accept_next(context, std::move(*all), std::move(call));
}

}  // namespace posthorn::api
