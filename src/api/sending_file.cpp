#include "api/sending_file.h"

#include <algorithm>
#include <utility>

#include "api/accept.h"
#include "api/errors.h"
#include "api/fields.h"
#include "api/file_kind.h"
#include "api/handlers.h"
#include "api/http_url.h"
#include "api/sending/kinds.h"
#include "api/utf8.h"
#include "posthorn/api/file_bodies.h"
#include "posthorn/base/media_type.h"

namespace posthorn::api {
namespace {

constexpr std::size_t kBeginning = 4096;
/// Of a form, around its file.
constexpr std::uint64_t kFormMost = 64U << 10;

using Described = Function<void(Result<content::File> file)>;

/// Looks at the first bytes and says what the file is.
void describe(Context& context, const files::File& stored, std::string name, std::string said_type,
              Described done) {
  auto reader = context.outside.files->store.read(stored.ref);
  if (!reader) return done(tl::unexpected(reader.error()));
  auto kept = std::make_shared<std::unique_ptr<files::Reader>>(std::move(*reader));
  (*kept)->read(0, kBeginning,
                [kept, stored, name = std::move(name), said_type = std::move(said_type),
                 done = std::move(done)](Result<Bytes> beginning) mutable {
                  if (!beginning) return done(tl::unexpected(beginning.error()));
                  done(describe_file(stored, name, said_type, *beginning));
                });
}

/// fileName as the contract wants it: its ending decides how WhatsApp shows the file.
Result<std::string> checked_name(const std::string& given) {
  const std::string name = file_name_in(clean_utf8(given));
  if (ending_in(name).empty()) return invalid("fileName", "must contain an extension");
  return name;
}

/// The form's own name counts before the part's, which may be a stand-in ("blob") or a whole path.
Result<std::string> name_of_upload(const Upload& upload) {
  const auto field = upload.fields.find("fileName");
  if (field != upload.fields.end() && !field->second.empty()) return checked_name(field->second);
  std::string name = file_name_in(clean_utf8(upload.file_name));
  if (!ending_in(name).empty()) return name;
  if (name.empty() || name == "blob") name = "file";
  const std::string type =
      upload.said_type.empty() || upload.said_type == "application/octet-stream" ? upload.file.type
                                                                                 : upload.said_type;
  return name + "." + std::string(ending_of(type));
}

Result<std::string> parse_caption(const json::Value& body) {
  constexpr std::size_t kMost = 20'000;
  TRY(const auto caption, optional_text(body, "caption"));
  if (caption && code_points(*caption) > kMost) {
    return invalid("caption", "length must be less than or equal to 20000 characters long");
  }
  return caption.value_or("");
}

Result<Content::What> with_caption(content::File file, const json::Value& body) {
  TRY(file.caption, parse_caption(body));
  return Content::What(std::move(file));
}

/// The job of a file that is here, and its answer.
void queue_file(Context& context, Call call, const char* method, content::File file, bool by_url) {
  const FileOutside& files = *context.outside.files;
  file.link = files.links.link_to(file, call.request.host);
  const std::string link = file.link;
  // Which message it is: an upload's is told by its bytes, the other's by its URL, whose server may
  // make other bytes for each fetch.
  if (!by_url) {
    call.body["file"] = file.ref;
    call.body["fileName"] = file.name;
  }
  auto job = parse_job(call.body, context.settings(), {"file", "fileName", "urlFile", "caption"},
                       with_caption(std::move(file), call.body));
  json::Value extra(::Json::objectValue);
  if (!by_url) extra["urlFile"] = link;
  queue_job(context, std::move(call), method, std::move(job), std::move(extra));
}

json::Value fields_of(const Upload& upload) {
  json::Value body(::Json::objectValue);
  for (const auto& [name, value] : upload.fields) body[name] = clean_utf8(value);
  return body;
}

void refuse_upload(Call& call, const Error& error) {
  if (error.code == Errc::full) return call.refuse(507, error.detail);
  if (error.code == Errc::refused) return call.refuse(413, kTooLargeUpload);
  call.refuse(error);
}

/// After a body has been taken into the store: whose it is, and what comes of it.
using OnUpload = void (*)(Context& context, Call call, Upload upload);

Result<std::unique_ptr<BodySink>> take(Context& context, const Request& head, OnUpload then) {
  if (is_too_large_upload(head)) {
    return fail(Errc::malformed, std::string(kTooLargeUpload));
  }
  Request kept = head;
  kept.body.clear();
  auto sink = receive_file(
      context.outside.files->store, head,
      [shared = context.shared_from_this(), kept = std::move(kept), then](Result<Upload> upload,
                                                                          Reply reply) mutable {
        Call call{std::move(kept), {}, {}, shared->outside.clock.now(), std::move(reply)};
        if (!upload) return refuse_upload(call, upload.error());
        if (upload->file.size == 0) return call.refuse(invalid("file", "is empty").value());
        shared->outside.files->links.on_called(call.request, shared->outside.scheduler.now());
        then(*shared, std::move(call), std::move(*upload));
      },
      chat::kLargestFile);
  // "Full" is the queue's word; here it is the room for files, with a sentence of its own.
  if (!sink && sink.error().code == Errc::full) return fail(Errc::malformed, sink.error().detail);
  return sink;
}

void on_send_upload(Context& context, Call call, Upload upload) {
  const auto name = name_of_upload(upload);
  if (!name) return call.refuse(name.error());
  call.body = fields_of(upload);
  describe(context, upload.file, *name, upload.said_type,
           [&context, shared = context.shared_from_this(),
            call = std::move(call)](Result<content::File> file) mutable {
             if (!file) return call.refuse(file.error());
             queue_file(context, std::move(call), "sendFileByUpload", std::move(*file), false);
           });
}

void on_upload(Context& context, Call call, Upload upload) {
  if (!call.request.file_name.empty()) upload.fields["fileName"] = call.request.file_name;
  auto name = name_of_upload(upload);
  if (!name) return call.refuse(name.error());
  content::File file;
  file.ref = upload.file.ref;
  file.size = upload.file.size;
  file.name = std::move(*name);
  json::Value out(::Json::objectValue);
  out["urlFile"] = context.outside.files->links.link_to(file, call.request.host);
  call.send(out);
}

/// Once the file is here.
void use_stored(Context& context, Call call, const files::File& stored, std::string name,
                std::string said_type, OnFile then) {
  describe(context, stored, std::move(name), std::move(said_type),
           [call = std::move(call), then = std::move(then)](Result<content::File> file) mutable {
             if (!file) return call.refuse(file.error());
             then(std::move(call), std::move(*file));
           });
}

void refuse_fetch(Context& context, Call& call, const char* method, const Error& error,
                  const std::string& url) {
  // Meanwhile the first of two may have had the file.
  if (answer_repeat(context, call, method)) return;
  if (error.code == Errc::full && error.detail.starts_with(kTooLargeAtUrl)) {
    return call.refuse(500, error.detail + " Url: " + url);
  }
  if (error.code == Errc::full) return call.refuse(507, error.detail);
  call.refuse(400, "the file could not be fetched from urlFile: " + to_string(error));
}

/// A till that has given up waiting and posts the same again, while its file is still on its way,
/// waits with the first for the one answer: one file is fetched, one message goes out. nullopt: it
/// does; else this is the first, and what it is answered goes to all.
std::optional<Call> join_fetch(Context& context, Call call, const char* method) {
  std::string key = call.request.idempotency_key + "\n" + Idempotency::digest_of(method, call.body);
  std::vector<Reply>& waiting = context.fetches[key];
  waiting.push_back(std::move(call.reply));
  if (waiting.size() > 1) return std::nullopt;
  Reply to_all([shared = context.shared_from_this(), key = std::move(key)](Response response) {
    auto all = shared->fetches.extract(key);
    for (Reply& one : all.mapped()) one.send(response);
  });
  return Call{std::move(call.request), std::move(call.body), std::move(call.argument), call.now,
              std::move(to_all)};
}

/// Brings it into the store: from this box, or from wherever it lies.
void fetch_file(Context& context, Call call, const char* method, const std::string& url,
                std::string name, OnFile then) {
  const FileOutside& files = *context.outside.files;
  if (const auto ours = files.links.read_url(url)) {
    files.chat.fetch(ours->ref, [&context, shared = context.shared_from_this(), method,
                                 call = std::move(call), name = std::move(name), url,
                                 then = std::move(then)](Result<files::File> stored) mutable {
      if (!stored) return refuse_fetch(context, call, method, stored.error(), url);
      use_stored(context, std::move(call), *stored, std::move(name), "", std::move(then));
    });
    return;
  }
  files.fetch(url, [&context, shared = context.shared_from_this(), method, call = std::move(call),
                    name = std::move(name), url,
                    then = std::move(then)](Result<FetchedFile> fetched) mutable {
    if (!fetched) return refuse_fetch(context, call, method, fetched.error(), url);
    use_stored(context, std::move(call), fetched->file, std::move(name),
               std::move(fetched->said_type), std::move(then));
  });
}

}  // namespace

Error too_large_at_url(std::uint64_t bytes) {
  constexpr std::uint64_t kMb = 1'000'000;
  return {Errc::full, std::string(kTooLargeAtUrl) +
                          " Size: " + std::to_string((bytes + kMb - 1) / kMb) +
                          "mb Limit: " + std::to_string(chat::kLargestFile / kMb) + "mb"};
}

bool is_too_large_upload(const Request& head) {
  return head.content_length.value_or(0) > chat::kLargestFile + kFormMost;
}

void take_file_by_url(Context& context, Call call, const char* method, OnFile then) {
  if (answer_repeat(context, call, method)) return;
  const auto url = required_text(call.body, "urlFile");
  if (!url) return call.refuse(url.error());
  if (!is_http_url(*url)) {
    return call.refuse(
        invalid("urlFile", "must be a valid uri with a scheme matching the http|https pattern")
            .value());
  }
  const auto given = required_text(call.body, "fileName");
  if (!given) return call.refuse(given.error());
  auto name = checked_name(*given);
  if (!name) return call.refuse(name.error());
  auto first = join_fetch(context, std::move(call), method);
  if (!first) return;
  fetch_file(context, std::move(*first), method, *url, std::move(*name), std::move(then));
}

namespace {

void send_file_by_url(Context& context, Call call) {
  constexpr const char* kMethod = "sendFileByUrl";
  take_file_by_url(context, std::move(call), kMethod,
                   [&context, shared = context.shared_from_this()](Call back, content::File file) {
                     queue_file(context, std::move(back), kMethod, std::move(file), true);
                   });
}

void download_file(Context& context, Call call) {
  const FileOutside& files = *context.outside.files;
  const auto chat = required_chat_or_statuses(call.body);
  if (!chat) return call.refuse(chat.error());
  const auto id = required_text(call.body, "idMessage");
  if (!id) return call.refuse(id.error());
  const auto file = files.chat.in_message(*chat, *id);
  if (!file) return call.refuse(file.error());
  if (!*file || (*file)->ref.empty()) {
    return call.refuse(400,
                       "this message is not known in that chat, or has no file that may be kept");
  }
  json::Value out(::Json::objectValue);
  out["downloadUrl"] = files.links.link_to(**file, call.request.host);
  files.chat.fetch((*file)->ref, [call = std::move(call),
                                  out = std::move(out)](const Result<files::File>& stored) mutable {
    if (!stored) return call.refuse(400, "the file cannot be had: " + to_string(stored.error()));
    call.send(out);
  });
}

/// A name for a header: whoever saves it may rename it.
std::string header_name(const std::string& name) {
  std::string out = name;
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return c < 0x20 || c > 0x7E || c == '"' || c == '\\' || c == ';'; }, '_');
  return out;
}

Route route(const char* name, double per_second, Needs needs, std::function<void(Call)> handler) {
  Route out;
  out.name = name;
  out.verb = Verb::post;
  out.per_second = per_second;
  out.needs = needs;
  out.handler = std::move(handler);
  return out;
}

Route upload_route(Context& context, const char* name, OnUpload then) {
  Route out = route(name, 50, Needs::nothing, {});
  out.receive = [&context, then](const Request& head) { return take(context, head, then); };
  return out;
}

}  // namespace

std::vector<Route> file_routes(Context& context) {
  std::vector<Route> out;
  out.push_back(upload_route(context, "sendFileByUpload", on_send_upload));
  out.push_back(upload_route(context, "uploadFile", on_upload));
  out.push_back(route("sendFileByUrl", 50, Needs::body,
                      [&context](Call call) { send_file_by_url(context, std::move(call)); }));
  out.push_back(route("sendVoiceStatus", 50, Needs::body,
                      [&context](Call call) { send_voice_status(context, std::move(call)); }));
  out.push_back(route("sendMediaStatus", 50, Needs::body,
                      [&context](Call call) { send_media_status(context, std::move(call)); }));
  out.push_back(route("downloadFile", 5, Needs::body,
                      [&context](Call call) { download_file(context, std::move(call)); }));
  return out;
}

void serve_file(Context& context, const Request& request, Reply reply) {
  const FileOutside& files = *context.outside.files;
  const auto target = files.links.read(request.path);
  const Wall now = context.outside.clock.now();
  if (!target) return reply.send(error_response(404, "Not Found", request.path, now));
  files.chat.fetch(target->ref, [shared = context.shared_from_this(), request, now,
                                 name = header_name(target->name), reply = std::move(reply)](
                                    const Result<files::File>& stored) mutable {
    if (!stored) {
      const bool gone = stored.error().code == Errc::not_found;
      return reply.send(
          error_response(gone ? 404 : 502, to_string(stored.error()), request.path, now));
    }
    send_file(shared->outside.files->store, stored->ref, request, name, std::move(reply));
  });
}

}  // namespace posthorn::api
