#include "api/accept.h"
#include "api/errors.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "posthorn/api/chat_id.h"

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
};

Result<Forwards> parse_forwards(Context& context, const Call& call) {
  TRY(const std::string source, parse_source(call.body));
  TRY(const auto ids, parse_ids(call.body));
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
    job.idempotency_key.clear();
    all.jobs.push_back(std::move(job));
  }
  return all;
}

/// One after the other, so that they are sent in their order.
void accept_next(std::shared_ptr<Context> context, std::vector<Job> jobs, std::size_t at,
                 json::Value answer, Call call) {
  if (at == jobs.size()) return call.send(answer);
  Job job = std::move(jobs[at]);
  OutboxPort& outbox = context->outside.outbox;
  outbox.accept(std::move(job), [context = std::move(context), jobs = std::move(jobs), at,
                                 answer = std::move(answer),
                                 call = std::move(call)](Result<std::string> id) mutable {
    if (!id && id.error().code == Errc::full) {
      return call.reply.send(quota_response("forwardMessages", context->outside.outbox.count()));
    }
    if (!id) return call.refuse(id.error());
    answer["messages"].append(*id);
    accept_next(std::move(context), std::move(jobs), at + 1, std::move(answer), std::move(call));
  });
}

}  // namespace

void forward_messages(Context& context, Call call) {
  auto all = parse_forwards(context, call);
  if (!all) return call.refuse(all.error());
  accept_next(context.shared_from_this(), std::move(all->jobs), 0, json::Value(::Json::objectValue),
              std::move(call));
}

}  // namespace posthorn::api
