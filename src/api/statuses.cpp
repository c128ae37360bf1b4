#include <algorithm>
#include <array>
#include <charconv>

#include "api/accept.h"
#include "api/errors.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/sending_file.h"
#include "api/status_style.h"
#include "api/utf8.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/user_id.h"

// Statuses (stories): sendTextStatus, sendVoiceStatus, sendMediaStatus, deleteStatus. A status is a
// message to the chat of statuses, which those see whom the job names.
namespace posthorn::api {
namespace {

constexpr std::size_t kTextMax = 500;
constexpr std::size_t kCaptionMax = 1024;
constexpr unsigned kParticipantsMax = 1000;
constexpr std::uint32_t kOpaque = 0xFF00'0000;
constexpr std::uint32_t kWhite = 0xFFFF'FFFF;
constexpr hours kLives{24};

/// "#228B22" as ARGB; 0: not said.
Result<std::uint32_t> parse_colour(const json::Value& body) {
  TRY(const auto text, optional_text(body, "backgroundColor"));
  if (!text || text->empty()) return 0;
  std::uint32_t rgb = 0;
  const bool shaped = text->size() == 7 && text->front() == '#';
  const char* end = text->data() + text->size();
  const auto read = std::from_chars(text->data() + 1, end, rgb, 16);
  if (!shaped || read.ec != std::errc() || read.ptr != end) {
    return invalid("backgroundColor", "must be a colour like #228B22");
  }
  return rgb | kOpaque;
}

Result<std::int32_t> parse_font(const json::Value& body) {
  TRY(const auto name, optional_text(body, "font"));
  if (!name || name->empty()) return 0;
  const auto font = status_font(*name);
  if (!font) {
    return invalid("font",
                   "must be one of [SERIF, SANS_SERIF, NORICAN_REGULAR, BRYNDAN_WRITE, "
                   "OSWALD_HEAVY]");
  }
  return *font;
}

Result<std::vector<std::string>> parse_participants(const json::Value& body) {
  std::vector<std::string> people;
  const json::Value& list = json::at(body, "participants");
  if (list.isNull()) return people;
  if (!list.isArray()) return invalid("participants", "must be an array");
  if (list.size() > kParticipantsMax)
    return invalid("participants", "must have at most 1000 items");
  for (const json::Value& one : list) {
    TRY(std::string chat, parse_chat_id(json::text_of(one).value_or("")));
    if (is_group_chat(chat)) return invalid("participants", "must name people, not groups");
    if (!user_id_in(chat).empty()) {
      return invalid("participants",
                     "must name people by number or LID: WhatsApp knows no user ids");
    }
    people.push_back(std::move(chat));
  }
  return people;
}

Result<content::Text> parse_status_text(const json::Value& body) {
  content::Text kind;
  kind.link_preview = false;
  TRY(kind.body, required_text(body, "message"));
  if (code_points(kind.body) > kTextMax) {
    return invalid("message", "length must be less than or equal to 500 characters long");
  }
  content::TextStyle style;
  TRY(const std::uint32_t colour, parse_colour(body));
  if (colour == kWhite) {
    return invalid("backgroundColor", "must not be #FFFFFF: the text is white");
  }
  if (colour != 0) style.background = colour;
  TRY(style.font, parse_font(body));
  kind.style = style;
  return kind;
}

Result<Job> status_job(const json::Value& body, Result<Content::What> what) {
  Job job;
  job.chat = kStoryChat;
  TRY(job.content.what, std::move(what));
  TRY(job.audience, parse_participants(body));
  return job;
}

void queue_status(Context& context, Call call, const char* method, Result<Job> job) {
  if (job) job->method = method;
  queue_job(context, std::move(call), method, std::move(job));
}

Result<Content::What> voice_of(content::File file, const json::Value& body) {
  TRY(const std::uint32_t colour, parse_colour(body));
  using Kind = content::File::Kind;
  if (file.kind != Kind::voice && file.kind != Kind::audio) {
    return invalid("urlFile", "must be sound: MP3 or another audio file, or Ogg with Opus");
  }
  file.background = colour == 0 ? content::TextStyle{}.background : colour;
  return Content::What(std::move(file));
}

Result<Content::What> media_of(content::File file, const json::Value& body) {
  using Kind = content::File::Kind;
  TRY(const auto caption, optional_text(body, "caption"));
  if (caption && code_points(*caption) > kCaptionMax) {
    return invalid("caption", "length must be less than or equal to 1024 characters long");
  }
  if (file.kind != Kind::image && file.kind != Kind::video && file.kind != Kind::gif) {
    return invalid("urlFile", "must be a picture or a film: WhatsApp shows nothing else there");
  }
  file.caption = caption.value_or("");
  return Content::What(std::move(file));
}

using MakeContent = Result<Content::What> (*)(content::File file, const json::Value& body);

void send_file_status(Context& context, Call call, const char* method, MakeContent make) {
  // What is wrong with these is said before anything is fetched.
  if (const auto people = parse_participants(call.body); !people)
    return call.refuse(people.error());
  take_file_by_url(
      context, std::move(call), method,
      [&context, shared = context.shared_from_this(), method, make](Call back, content::File file) {
        file.link = context.outside.files->links.link_to(file, back.request.host);
        auto job = status_job(back.body, make(std::move(file), back.body));
        queue_status(context, std::move(back), method, std::move(job));
      });
}

Result<Job> deletion_job(Context& context, const Call& call, const std::string& id) {
  TRY(const auto earlier, context.outside.earlier.find(kStoryChat, id));
  if (!earlier || !earlier->from_me) {
    return fail(Errc::malformed, "ID message notfound: the box has posted no such status");
  }
  if (earlier->sent_at && call.now.trusted && call.now - *earlier->sent_at > kLives) {
    return invalid("idMessage", "must be of a status of the last 24 hours: older ones are gone");
  }
  TRY(Job job, status_job(call.body, Result<Content::What>(content::Deletion{id})));
  job.method = "deleteStatus";
  job.urgent = true;
  return job;
}

}  // namespace

void send_text_status(Context& context, Call call) {
  auto kind = parse_status_text(call.body);
  auto job = kind ? status_job(call.body, Result<Content::What>(std::move(*kind)))
                  : Result<Job>(tl::unexpected(kind.error()));
  queue_status(context, std::move(call), "sendTextStatus", std::move(job));
}

void send_voice_status(Context& context, Call call) {
  send_file_status(context, std::move(call), "sendVoiceStatus", voice_of);
}

void send_media_status(Context& context, Call call) {
  send_file_status(context, std::move(call), "sendMediaStatus", media_of);
}

void delete_status(Context& context, Call call) {
  auto id = required_text(call.body, "idMessage");
  if (id) id = check_message_id(std::move(*id));
  if (!id) return call.refuse(id.error());
  std::string waiting = *id;
  context.outside.outbox.drop(waiting, kStoryChat,
                              [shared = context.shared_from_this(), id = std::move(*id),
                               call = std::move(call)](Result<bool> dropped) mutable {
                                if (!dropped) return call.refuse(dropped.error());
                                if (*dropped) return call.send_text("");
                                auto job = deletion_job(*shared, call, id);
                                queue_job(*shared, std::move(call), "deleteStatus", std::move(job),
                                          std::nullopt);
                              });
}

void get_status_statistic(Context& context, Call call) {
  const auto id = check_message_id(std::string(call.request.query_value("idMessage")));
  if (!id) return call.refuse(id.error());
  json::Value out(::Json::arrayValue);
  if (context.outside.status_views != nullptr) {
    const auto views = context.outside.status_views->of(*id);
    if (!views) return call.refuse(views.error());
    for (const chat::StatusView& view : *views) {
      json::Value one(::Json::objectValue);
      one["participant"] = view.chat;
      one["timestamp"] = static_cast<::Json::Int64>(view.at.unix_seconds());
      one["status"] = view.seen ? "read" : "delivered";
      out.append(std::move(one));
    }
  }
  call.send(out);
}

}  // namespace posthorn::api
