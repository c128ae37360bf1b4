#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "api/context.h"
#include "posthorn/base/job.h"

/// From a POST to a job on disk: the same for every kind of message.
namespace posthorn::api {

/// A body as a job without its id and times: the chat, what is said, and what every method takes
/// beside its own fields. own_fields: for strictValidation. Errors: malformed (which field, why).
[[nodiscard]] Result<Job> parse_job(const json::Value& body, const Settings& settings,
                                    std::initializer_list<std::string_view> own_fields,
                                    Result<Content::What> what);

/// typingType, as sendTyping and every method with typingTime take it; absent: text.
/// Errors: malformed.
[[nodiscard]] Result<Typing> parse_typing_type(const json::Value& body);

/// The request that makes that job: {"type": method, "body": {...}}, for showMessagesQueue.
[[nodiscard]] json::Value request_of(const Job& job);

/// Id, times, key, and what of the POST the job does not say itself. life: nullopt: the box's.
void complete_job(Context& context, Job& job, const Call& call, std::optional<hours> life);

/// Queues a complete job; with a key, only when nothing was made under it before. done: what was
/// made, on disk; `context` is there until it has run. Errors: as OutboxPort::accept; busy: the
/// budget for statuses.
void queue_once(Context& context, Job job, Once<void(Result<Idempotency::Answer>)> done);

/// Answers a POST whose Idempotency-Key has made a message already. False: it has not.
[[nodiscard]] bool answer_repeat(Context& context, Call& call, const char* method);

/// Answers a POST that the full queue could not take, and tells of it, once an hour at most.
void refuse_full(Context& context, Call& call, const char* method);

/// Why an Idempotency-Key cannot be taken. Errors: malformed.
[[nodiscard]] Result<void> check_key(const std::string& key);
/// Of one that was used for another body.
void refuse_other_body(Call& call);

/// Completes and queues the job, and answers {"idMessage"} when it is on disk; a POST that repeats
/// an Idempotency-Key gets the first one's answer. method: as Green-API names it; outlives all.
/// beside: further members of the answer; nullopt: the method's answer is empty.
enum class ShowId : std::uint8_t { yes, no };
void queue_job(Context& context, Call call, const char* method, Result<Job> job,
               std::optional<json::Value> beside = json::Value(::Json::objectValue),
               ShowId show_id = ShowId::yes);

}  // namespace posthorn::api
