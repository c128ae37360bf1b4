#include <algorithm>

#include "cloud/content/template.h"
#include "cloud/endpoint_impl.h"
#include "cloud/fields.h"
#include "posthorn/api/send_fields.h"
#include "posthorn/base/user_id.h"
#include "posthorn/cloud/wamid.h"

// POST /{phone-number-id}/messages.
namespace posthorn::cloud {
namespace {

constexpr seconds kTypingShown{25};  // as the real service shows it
constexpr std::size_t kTypingMost = 32;
constexpr std::size_t kWamidMax = 512;
constexpr std::size_t kPostedMax = 4096;

}  // namespace

void Endpoint::Impl::messages(GraphCall call) {
  if (!json::at(call.body, "status").isNull()) return mark_read(std::move(call));
  auto request = parse_message(call.body, out_.chat_of_user_id);
  if (!request) return refuse(call, request.error());
  const std::string own = out_.account().phone;
  if (!own.empty() && request->chat == own + "@c.us") {
    return refuse(call, GraphError{Code::own_number, "to is the number of the linked account"});
  }
  const auto official = out_.has_official ? api::Official::set_up : api::Official::absent;
  if (const auto trouble = api::trouble_of_way(request->chat, request->transport, official)) {
    const bool recipient = std::string_view(trouble->field) == "chatId";
    return refuse(call, bad("", recipient ? "to" : trouble->field, trouble->what).value());
  }
  check_target(std::move(call), std::move(*request));
}

/// What a reaction or an answer is about must be known, or still wait in the queue.
void Endpoint::Impl::check_target(GraphCall call, MessageRequest request) {
  const bool reacts = !request.reaction_to.empty();
  const std::string& named = reacts ? request.reaction_to : request.answer_to;
  if (named.empty()) return send_message(std::move(call), std::move(request));
  const auto target = decode_wamid(named);
  const char* where = reacts ? "reaction" : "context";
  if (!target) {
    return refuse(call, bad(where, "message_id", "is no message id of this box").value());
  }
  request.content.quote.emplace().id = target->id;
  const auto known = out_.earlier.find(request.chat, target->id);
  if (!known) return refuse(call, fail(known.error(), where).value());
  if (*known) return send_message(std::move(call), std::move(request));
  out_.outbox.waiting(target->id, [self = alive_.weak(), call = std::move(call), where,
                                   request =
                                       std::move(request)](Result<std::optional<Job>> job) mutable {
    Impl* me = self.get();
    if (me == nullptr) return;  // the reply answers 500 by itself
    if (!job) return me->refuse(call, job.error());
    const bool here = *job && (*job)->chat == request.chat;
    if (here) return me->send_message(std::move(call), std::move(request));
    me->refuse(call, bad(where, "message_id",
                         "is no message of this chat that the box remembers or has in its queue")
                         .value());
  });
}

void Endpoint::Impl::send_message(GraphCall call, MessageRequest request) {
  if (out_.status().link == Status::Link::blocked) {
    return refuse(call, GraphError{Code::account_locked,
                                   "WhatsApp has locked the linked account; see the box's page"});
  }
  Job job = new_job(request);
  // What became lines of a text here is kept as it was: the official transport can show it.
  if (request.type == "interactive" || request.with_template) {
    job.posted = json::write(call.body);
    if (job.posted.size() > kPostedMax) job.posted.clear();
    job.method = "messages";
  }
  if (request.with_template && !apply_template(call, request, job)) return;
  if (!request.media) return queue(std::move(call), std::move(request), std::move(job));
  if (!out_.files) return refuse(call, GraphError{Code::media_upload, "this box carries no files"});
  if (!request.media->id.empty()) {
    return with_media_id(std::move(call), std::move(request), std::move(job));
  }
  with_link(std::move(call), std::move(request), std::move(job));
}

Job Endpoint::Impl::new_job(const MessageRequest& request) const {
  Job job;
  job.chat = request.chat;
  job.content = request.content;
  job.transport = request.transport;
  job.accepted_at = out_.clock.now();
  job.expires_at = job.accepted_at + out_.job_life;
  job.id = make_message_id(out_.random, job.accepted_at, out_.account().phone);
  return job;
}

bool Endpoint::Impl::apply_template(GraphCall& call, MessageRequest& request, Job& job) {
  const json::Value& sent = json::at(call.body, "template");
  const auto name = required_text_in(sent, "name", "template", kWamidMax);
  if (!name) return refuse(call, name.error()), false;
  const auto code =
      required_text_in(json::at(sent, "language"), "code", "template.language", kWamidMax);
  if (!code) return refuse(call, code.error()), false;
  const Template* one = templates_.find(*name, *code);
  if (one == nullptr) {
    const std::string why = "no template " + *name + " in " + *code +
                            " is on this box; make it with POST message_templates";
    return refuse(call, GraphError{Code::template_unknown, why}), false;
  }
  auto filled = fill_template(*one, sent);
  if (!filled) {
    return refuse(call, GraphError{Code::template_parameters, filled.error().detail}), false;
  }
  job.content.what = content::Text{filled->text, true, std::nullopt};
  job.urgent = one->category == "AUTHENTICATION";
  request.media = std::move(filled->header);
  if (request.media) request.media->caption = filled->text;
  return true;
}

void Endpoint::Impl::queue(GraphCall call, MessageRequest request, Job job) {
  if (request.callback_data.empty()) {
    return accept(std::move(call), std::move(request), std::move(job));
  }
  // Told with every status, so it is on disk before the job is.
  if (auto kept = callbacks_.put(job.id, request.callback_data); !kept) {
    return refuse(call, kept.error());
  }
  out_.blobs.durable([self = alive_.weak(), call = std::move(call), request = std::move(request),
                      job = std::move(job)](Result<void> kept) mutable {
    Impl* me = self.get();
    if (me == nullptr) return;  // the reply answers 500 by itself
    if (!kept) return me->refuse(call, kept.error());
    me->accept(std::move(call), std::move(request), std::move(job));
  });
}

void Endpoint::Impl::accept(GraphCall call, MessageRequest request, Job job) {
  const std::string chat = job.chat;
  out_.outbox.accept(std::move(job), [self = alive_.weak(), call = std::move(call), chat,
                                      request =
                                          std::move(request)](Result<std::string> id) mutable {
    Impl* me = self.get();
    if (me == nullptr) return;
    if (!id) return me->refuse(call, id.error());
    if (request.with_template) {
      const json::Value& sent = json::at(call.body, "template");
      const auto code = json::string_at(json::at(sent, "language"), "code").value_or("");
      const Template* one = me->templates_.find(json::string_at(sent, "name").value_or(""), code);
      if (one != nullptr) me->templates_.on_sent(*one, chat, me->out_.clock.now());
    }
    me->answer_message(call, request, *id);
  });
}

void Endpoint::Impl::answer_message(GraphCall& call, const MessageRequest& request,
                                    const std::string& id) {
  json::Value out;
  out["messaging_product"] = "whatsapp";
  json::Value contact;
  contact["input"] = request.input;
  if (request.chat.ends_with("@lid") || !user_id_in(request.chat).empty()) {
    contact["user_id"] = user_id_of_chat(request.chat);
  } else {
    contact["wa_id"] = user_of_chat(request.chat);
  }
  out["contacts"].append(std::move(contact));
  json::Value message;
  message["id"] = encode_wamid({request.chat, id, Direction::from_business});
  const bool business = request.with_template || !json::at(call.body, "category").isNull();
  if (business) message["message_status"] = "accepted";
  out["messages"].append(std::move(message));
  call.send(out);
}

void Endpoint::Impl::mark_read(GraphCall call) {
  const auto id = required_text_in(call.body, "message_id", "", kWamidMax);
  if (!id) return refuse(call, id.error());
  if (json::string_at(call.body, "status") != "read") {
    return refuse(call, GraphError{Code::bad_value, "status must be read"});
  }
  const auto wamid = decode_wamid(*id);
  if (!wamid) {
    return refuse(call, GraphError{Code::bad_value, "message_id is no message id of this box"});
  }
  const bool typing = json::at(call.body, "typing_indicator").isObject();
  auto marked = [self = alive_.weak(),
                 call = std::move(call)](const Result<std::size_t>& result) mutable {
    Impl* me = self.get();
    if (me == nullptr) return;
    if (!result) return me->refuse(call, result.error());
    call.succeed();
  };
  // A message to the official number: Meta takes both in one.
  if (is_wamid(wamid->id) && out_.mark_official) {
    return out_.mark_official(wamid->chat, wamid->id, typing ? Typing::yes : Typing::no,
                              std::move(marked));
  }
  if (typing) show_typing(wamid->chat);
  out_.read_marks.mark(wamid->chat, wamid->id, std::move(marked));
}

void Endpoint::Impl::show_typing(const std::string& chat) {
  auto found = std::find_if(typing_.begin(), typing_.end(),
                            [&chat](const Show& one) { return one.chat == chat; });
  if (found == typing_.end()) {
    if (typing_.size() >= kTypingMost) return;
    found = typing_.emplace(typing_.end(), out_.scheduler, chat);
  }
  out_.presence.show_typing(chat, chat::Typing::text);
  found->end.start(kTypingShown, [this, chat] {
    out_.presence.show_typing(chat, chat::Typing::none);
    std::erase_if(typing_, [&chat](const Show& one) { return one.chat == chat; });
  });
}

}  // namespace posthorn::cloud
